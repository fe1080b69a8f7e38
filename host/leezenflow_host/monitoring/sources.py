# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A watched unit over USB or MQTT: `poll` brings the state up to date and says what is new."""

import base64
import binascii
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import Source, parse_source
from leezenflow_host.capture.arrivals import SourceLostError
from leezenflow_host.errors import BoardError, InputError
from leezenflow_host.linux_unit.clocks import unix_ms
from leezenflow_host.linux_unit.feeds import transport_options
from leezenflow_host.linux_unit.mqtt_feed import MqttFeed
from leezenflow_host.monitoring.unit_line import UnitLine, UnitMessage
from leezenflow_host.monitoring.unit_state import UnitState
from leezenflow_host.preview import Snapshot

# A unit ends watching after 60 s unless it is asked again.
_RENEW_S = 20.0
_HEALTH_S = 2.0
_PICTURE_S = 0.25
_FIRST_ANSWER_S = 8.0
_ASK_S = 1.5
_SILENT_S = 6.0
_PAUSE_S = 2.0

ADVICE, HEALTH, PICTURE, STATUS = "advice", "health", "picture", "status"


class WatchedUnit(Protocol):
    """Something that tells how a unit is."""

    state: UnitState

    def poll(self, timeout_s: float) -> set[str]:
        """Take what comes within `timeout_s`; returns which of ADVICE, HEALTH, PICTURE, STATUS are new."""
        ...

    def close(self) -> None:
        """Stop watching."""


class UsbUnit:
    """A unit at the end of a serial port. BoardError when it does not answer, or goes away.

    `called` is what a person calls the port, where that is not `port` itself.
    """

    def __init__(
        self,
        port: str,
        every_ms: int,
        *,
        pictures: bool,
        answer_s: float = _FIRST_ANSWER_S,
        called: str | None = None,
    ) -> None:
        self._called = called or port
        self.state = UnitState()
        self._every_ms = every_ms
        self._pictures = pictures
        self._line = UnitLine(port)
        self._asked: dict[int, str] = {}
        self._due = {"watch": 0.0, "health": 0.0, "picture": 0.0}
        self._heard_at = time.monotonic()
        try:
            self._greet(answer_s)
        except BaseException:
            self._line.close()
            raise

    def poll(self, timeout_s: float) -> set[str]:
        """See `WatchedUnit.poll`."""
        now = time.monotonic()
        self._ask("watch", now, _RENEW_S, on=True, every_ms=self._every_ms)
        self._ask("health", now, _HEALTH_S)
        if self._pictures:
            self._ask("picture", now, _PICTURE_S)
        new = set()
        for message in self._line.receive(timeout_s):
            self._heard_at = time.monotonic()
            new |= self._take(message)
        if time.monotonic() - self._heard_at > _SILENT_S:
            raise BoardError(
                f"The unit at {self._called} says nothing any more. Run: leezenflow doctor --port {self._called}"
            )
        return new

    def close(self) -> None:
        """See `WatchedUnit.close`."""
        with contextlib.suppress(BoardError):
            self._line.send("watch", on=False)
        self._line.close()

    def _greet(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            answer = self._line.ask("health", _ASK_S)
            if answer is not None:
                if answer.get("ok"):
                    self.state.take_health(answer["health"], unix_ms())
                return
            if self._line.at_prompt or time.monotonic() >= deadline:
                raise BoardError(f"No unit runs at {self._called}. Run: leezenflow doctor --port {self._called}")

    def _ask(self, verb: str, now: float, every_s: float, **more: Any) -> None:
        if now >= self._due[verb]:
            self._due[verb] = now + every_s
            if len(self._asked) > 32:  # answers that were lost
                self._asked.clear()
            self._asked[self._line.send(verb, **more)] = verb

    def _take(self, message: UnitMessage) -> set[str]:
        at_ms = unix_ms()
        if message.kind == "advice":
            self.state.take_advice(message.values, at_ms)
            return {ADVICE}
        if message.kind == "health":
            self.state.take_health(message.values, at_ms)
            return {HEALTH}
        values = message.values
        verb = self._asked.pop(values.get("id", -1), "")
        if verb == "watch" and not values.get("ok"):
            raise BoardError(f"The unit does not let itself be watched: {values.get('error')}. Install it again.")
        if verb == "health" and values.get("ok"):
            self.state.take_health(values["health"], at_ms)
            return {HEALTH}
        if verb == "picture":
            picture = read_picture(values)
            if picture is None:
                self._pictures = False  # safe mode has none
                return set()
            self.state.picture = picture
            return {PICTURE}
        return set()


def read_picture(values: dict[str, Any]) -> Snapshot | None:
    """The picture in an answer to `picture`, None when there is none, or it is damaged."""
    try:
        pixels = base64.b64decode(values["pixels"], validate=True)
        palette = base64.b64decode(values["palette"], validate=True)
        width, height = int(values["width"]), int(values["height"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    if len(palette) != 768 or len(pixels) != width * height or not pixels:
        return None
    return Snapshot(width, height, pixels, palette)


class MqttUnit:
    """A unit that publishes under `<unit topic>/health` and `/status`; a lost broker is looked for again.

    `say` is told of losses. InputError for a URL that names no topic, LeezenflowError when nobody answers at first.
    """

    def __init__(self, url: str, unit: str | None, secrets: dict[str, Any], say: Callable[[str], None]) -> None:
        self.state = UnitState()
        self.topic = unit_topic(url, unit)
        source = parse_source(url)
        values = {name: text for name, text in source.options.items() if name != "unit_topic"}
        source = Source(source.scheme, source.user, source.host, source.port, self.topic + "/+", values)
        options = {**transport_options(source), "unit_topic": ""}
        self._feed = MqttFeed(source, options, secrets, unix_ms, retained=True)
        self._say = say
        self._again_at: float | None = None
        try:
            self._feed.open()
        except SourceLostError as error:
            raise LeezenflowError(f"{error}. Check the URL, and that the broker runs.") from None

    def poll(self, timeout_s: float) -> set[str]:
        """See `WatchedUnit.poll`."""
        new = set()
        try:
            if self._again_at is not None:
                if time.monotonic() < self._again_at:
                    time.sleep(timeout_s)
                    return new
                self._feed.open()
                self._again_at = None
                self._say("the broker is back")
            for arrival in self._feed.receive(timeout_s):
                word = arrival.topic.rpartition("/")[2]
                if word == "status":
                    self.state.status = arrival.payload.decode(errors="replace")[:40]
                    new.add(STATUS)
                elif word == "health" and not arrival.retained:
                    new |= self._take_health(arrival.payload, arrival.at_ms)
        except SourceLostError as error:
            if self._again_at is None:
                self._say(f"{error}; trying again")
            self._feed.close()
            self._again_at = time.monotonic() + _PAUSE_S
        return new

    def close(self) -> None:
        """See `WatchedUnit.close`."""
        self._feed.close()

    def _take_health(self, payload: bytes, at_ms: int) -> set[str]:
        try:
            report = json.loads(payload)
        except (ValueError, RecursionError):
            return set()
        if not isinstance(report, dict):
            return set()
        self.state.take_health(report, at_ms, is_all=True)
        return {HEALTH, ADVICE}


def unit_topic(url: str, unit: str | None) -> str:
    """The topic under which a unit publishes: the URL's path, and the unit's name behind it if one was given."""
    try:
        source = parse_source(url)
    except LeezenflowError as error:
        raise InputError(f"--mqtt: {error}") from None
    if source.scheme not in ("mqtt", "mqtts"):
        raise InputError(f"--mqtt {url}: give a broker, such as mqtt://broker/leezenflow with --unit NAME.")
    topic = "/".join(part for part in (source.path.rstrip("/"), unit or "") if part)
    if not topic or "+" in topic or "#" in topic:
        raise InputError(
            "Which unit? Give its topic in the URL (?unit_topic= of its site's source), such as "
            "mqtt://broker/leezenflow/prinzipalmarkt, or --unit NAME for its last part."
        )
    return topic
