# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live signal groups: what each shows, and when it turned green, from a feed or a recording."""

import json
import time
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from leezenflow.errors import SignalError
from leezenflow_host.capture.arrivals import Arrival, MessageSource, SourceLostError, unix_ms
from leezenflow_host.capture.sources import make_source
from leezenflow_host.decoding.detect import PayloadDecoder, detect
from leezenflow_host.decoding.tree import reference
from leezenflow_host.errors import InputError
from leezenflow_host.site_guide.agreement import Group
from leezenflow_host.trace import TraceReader

GREEN_STATES = (5, 6)
# What turned to green longer ago than this was not green all the time: messages were missing.
_LONGEST_GAP_MS = 5_000
# A controller whose clock goes back further than this was set anew.
_LATEST_MS = 300_000


class GroupWatch:
    """What signal messages say about every group: `states` now, `switches` to green so far (arrival, ms).

    `adapter` is the name of the wire format seen first, `messages` counts those that could be read.
    """

    def __init__(self, adapter: str | None = None) -> None:
        self.states: dict[Group, int] = {}
        self.since_ms: dict[Group, int] = {}
        self.switches: dict[Group, list[int]] = {}
        self.adapter = adapter
        self.messages = 0
        self.unreadable = 0
        self._seen_ms: dict[Group, int] = {}
        self._told_ms: dict[str, int] = {}
        self._decoder = PayloadDecoder(adapter)

    def take(self, arrival: Arrival) -> None:
        """Take a message; retained ones are old news."""
        if arrival.retained:
            return
        for message in self._decoder.decode(arrival.payload):
            if isinstance(message, SignalError):
                self.unreadable += 1
                continue
            self.messages += 1
            for intersection in message.get("intersections", ()):
                self._take_intersection(intersection, arrival)

    def _take_intersection(self, intersection: dict, arrival: Arrival) -> None:
        if self.adapter is None:
            _, decoder = detect(arrival.payload)
            self.adapter = decoder.__name__.rpartition(".")[2] if decoder is not None else None
        name = reference(intersection)
        if not self._is_newer(name, intersection):
            return
        for movement in intersection["movements"]:
            if movement["events"]:
                group = (name, movement["signal_group"])
                self._take_state(group, movement["events"][0]["state"], arrival.at_ms)

    def _is_newer(self, name: str, intersection: dict) -> bool:
        """Tell whether the controller made this after what is known: a late message would look like a switch."""
        if intersection.get("moy") is None or intersection.get("time_stamp_ms") is None:
            return True
        told_ms = intersection["moy"] * 60_000 + intersection["time_stamp_ms"]
        late_ms = self._told_ms.get(name, told_ms) - told_ms
        if 0 < late_ms < _LATEST_MS:
            return False
        self._told_ms[name] = told_ms
        return True

    def _take_state(self, group: Group, state: int, at_ms: int) -> None:
        before, seen_ms = self.states.get(group), self._seen_ms.get(group, at_ms)
        self.switches.setdefault(group, [])
        if state != before:
            self.since_ms[group] = at_ms
            turned = before is not None and before not in GREEN_STATES and state in GREEN_STATES
            if turned and at_ms - seen_ms <= _LONGEST_GAP_MS:
                self.switches[group].append(at_ms)
        self.states[group] = state
        self._seen_ms[group] = at_ms


class Feed(Protocol):
    """Messages as they come."""

    def receive(self, timeout_s: float) -> list[Arrival]:
        """Return what came within `timeout_s`."""
        ...

    def now_ms(self) -> int:
        """Return the time, as arrivals have it."""
        ...

    @property
    def ended(self) -> bool:
        """True when nothing more can come."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class LiveFeed:
    """A source on the network, opened again while it is lost; `lost` says how it went, "" while it is there."""

    ended = False

    def __init__(self, url: str, secrets: dict | None = None) -> None:
        self._source: MessageSource = make_source(url, secrets)
        self._open = False
        self.lost = ""
        self.hint = self._source.hint

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `Feed`."""
        try:
            if not self._open:
                self._source.open()
                self._open = True
                self.lost = ""
            return self._source.receive(timeout_s)
        except SourceLostError as error:
            self._open = False
            self.lost = str(error)
            time.sleep(timeout_s)
            return []

    def now_ms(self) -> int:
        """See `Feed`."""
        return unix_ms()

    def close(self) -> None:
        """See `Feed`."""
        self._source.close()


class RecordedFeed:
    """A recording, played `speed` times as fast as it was made."""

    lost = ""
    hint = ""

    def __init__(self, file: Path, speed: float = 1.0) -> None:
        self._messages = iter_arrivals(file)
        self._next = next(self._messages, None)
        if self._next is None:
            raise InputError(f"{file}: there is no message in it. Give a recording with some minutes of messages.")
        self._first_ms = self._next.at_ms
        self._began_s = time.monotonic()
        self._speed = speed

    @property
    def ended(self) -> bool:
        """See `Feed`."""
        return self._next is None

    def now_ms(self) -> int:
        """See `Feed`."""
        return self._first_ms + round((time.monotonic() - self._began_s) * 1000 * self._speed)

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `Feed`."""
        time.sleep(timeout_s)
        due: list[Arrival] = []
        while self._next is not None and self._next.at_ms <= self.now_ms():
            due.append(self._next)
            self._next = next(self._messages, None)
        return due

    def close(self) -> None:
        """See `Feed`."""
        self._messages.close()


def iter_arrivals(file: Path) -> Generator[Arrival, None, None]:
    """Yield the messages of a recording."""
    with TraceReader(file, on_problem=lambda problem: None) as trace:
        for message in trace:
            yield Arrival(message.at_ms, message.topic, message.payload)


def open_feed(where: str, secrets: dict | None = None, speed: float = 1.0) -> LiveFeed | RecordedFeed:
    """Return the feed for a URL or the path of a recording; InputError for what is neither."""
    if "://" in where:
        return LiveFeed(where, secrets)
    if not Path(where).is_file():
        raise InputError(f"--watch {where}: neither a recording nor a URL such as mqtt://broker/spat/1090.")
    return RecordedFeed(Path(where), speed)


def read_presses(file: Path) -> list[int]:
    """Return when a person pressed (Unix ms): {"presses": [...]}, or switches to green in a truth file of one group."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if "presses" in values:
            times = values["presses"]
        else:
            ((_, switches),) = values["signal_groups"].items()
            times = [at_ms for at_ms, state in switches if state in GREEN_STATES]
        if not all(type(at_ms) is int for at_ms in times):
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; presses of a key were expected there.") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(
            f'{file}: write {{"presses": [<Unix ms>, ...]}} into it, or give a truth file with one signal group.'
        ) from None
    return sorted(times)
