# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The supervisor's side of one RSMP 3 connection: handshake, acknowledgements, watchdogs, subscriptions; no socket.

After the RSMP core specification 3.2.2, "Communication establishment between sites and supervision system": the site
speaks first (Version), then we; the site's Watchdog, then ours; from then on anything. Whatever has an `mId` is
acknowledged. Only statuses are asked for; commands are never sent.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from leezenflow_host.capture.arrivals import MAX_PAYLOAD_BYTES
from leezenflow_host.capture.stream_framing import DividedFraming

# From 3.1.2 on the schemas are public; before 3.1.5 a subscription knew no sendOnChange.
_OLDEST, _NEWEST = (3, 1, 2), (3, 2, 99)
_SEND_ON_CHANGE = (3, 1, 5)
# The specification's defaults: a watchdog a minute, an acknowledgement within 30 s.
_WATCHDOG_S = 60.0
_PATIENCE_S = 30.0
# More that nobody acknowledges than this is a site that acknowledges nothing.
_MAX_UNANSWERED = 256
_ESTIMATES = (
    "minToGEstimate",
    "maxToGEstimate",
    "likelyToGEstimate",
    "ToGConfidence",
    "minToREstimate",
    "maxToREstimate",
    "likelyToREstimate",
    "ToRConfidence",
)
_END = b"\x0c"


class SessionOverError(Exception):
    """The connection has to be closed; the text says why. What is in `outgoing` should still be sent."""


class SubscriptionRefusedError(Exception):
    """The site does not know what we ask for; the text has its reason."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to take: `site_id` ("" any), `component` of S0001 ("" the site's own), of S0025, and seconds between two."""

    site_id: str = ""
    component: str = ""
    groups: tuple[str, ...] = ()
    interval_s: int = 1


class SupervisorSession:
    """Takes what a site sends, in any pieces, and collects what is to be sent back in `outgoing`.

    Times are seconds of a monotonic clock; `utc_ms` gives the Unix time for the time stamps of watchdogs.
    `accepts` is asked whether the site of that id may be recorded; its answer is the reason against it, or "".
    """

    def __init__(
        self,
        wanted: Wanted,
        now_s: float,
        utc_ms: Callable[[], int],
        accepts: Callable[[str], str] = lambda site_id: "",
    ) -> None:
        self.outgoing = bytearray()
        self.site_id = ""
        self.component = wanted.component
        self.damaged = 0
        self._wanted = wanted
        self._utc_ms = utc_ms
        self._accepts = accepts
        self._packets = DividedFraming(_END)
        self._version: tuple[int, ...] = ()
        self._begun_s = now_s
        self._watchdog_s: float | None = None  # when the last was sent
        self._subscribed = False
        self._unanswered: dict[str, tuple[str, float]] = {}

    @property
    def is_open(self) -> bool:
        """Whether versions and watchdogs were exchanged."""
        return self._watchdog_s is not None

    @property
    def is_subscribed(self) -> bool:
        """Whether the signal states were asked for."""
        return self._subscribed

    @property
    def oversized(self) -> int:
        """Messages that were too long."""
        return self._packets.oversized

    def feed(self, data: bytes, now_s: float) -> list[bytes]:
        """Take what came; the status messages in it, each with its form feed.

        Raises SessionOverError, SubscriptionRefusedError.
        """
        messages = []
        for packet in self._packets.feed(data):
            if not packet.strip():
                continue
            message = _parse(packet)
            if message is None:
                self.damaged += 1
            elif self._take(message, now_s):
                messages.append(packet.strip() + _END)
        return messages

    def look_after(self, now_s: float) -> None:
        """To be called every second: sends a watchdog when it is time; SessionOverError if the site does not answer."""
        if not self.is_open:
            if now_s - self._begun_s > _PATIENCE_S:
                raise SessionOverError(f"no RSMP handshake within {_PATIENCE_S:g} s")
            return
        for kind, sent_s in self._unanswered.values():
            if now_s - sent_s > _PATIENCE_S:
                raise SessionOverError(f"no acknowledgement of our {kind} within {_PATIENCE_S:g} s")
        assert self._watchdog_s is not None
        if now_s - self._watchdog_s >= _WATCHDOG_S:
            self._send_watchdog(now_s)

    def _take(self, message: dict[str, Any], now_s: float) -> bool:
        """Answer one message; True if it carries statuses."""
        kind = message["type"]
        if kind in ("MessageAck", "MessageNotAck"):
            self._take_answer(message)
            return False
        number = message.get("mId")
        if not isinstance(number, str) or not 0 < len(number) <= 100:
            self.damaged += 1
            return False
        if kind == "Version" and not self._version:
            self._take_version(message, number, now_s)
            return False
        if not self._version:
            # Unanswered by intention: the site is to begin anew, with its version.
            return False
        self._send({"type": "MessageAck", "oMId": number})
        if kind == "Watchdog" and not self.is_open:
            self._send_watchdog(now_s)
        elif kind == "AggregatedStatus" and not self.component and isinstance(message.get("cId"), str):
            # The object a site has an aggregated status for is the controller itself, which S0001 is about, too.
            self.component = message["cId"]
        if self.is_open and self.component and not self._subscribed:
            self._subscribe(now_s)
        return kind in ("StatusUpdate", "StatusResponse")

    def _take_version(self, message: dict[str, Any], number: str, now_s: float) -> None:
        sites = [str(entry.get("sId", "")) for entry in _objects(message.get("siteId"))]
        versions = [str(entry.get("vers", "")) for entry in _objects(message.get("RSMP"))]
        common = [text for text in versions if _OLDEST <= _version(text) <= _NEWEST]
        site_id = sites[0] if sites else ""
        reason = ""
        if not site_id:
            reason = "no site id"
        elif not common:
            reason = f"RSMP versions {versions} requested, but only 3.1.2 to 3.2 supported"
        elif self._wanted.site_id and self._wanted.site_id not in sites:
            reason = f"site id {site_id} is not {self._wanted.site_id}"
        reason = reason or self._accepts(site_id)
        if reason:
            self._send({"type": "MessageNotAck", "oMId": number, "rea": reason[:200]})
            raise SessionOverError(f"a site was turned away ({reason[:200]})")
        self.site_id = site_id
        self._version = max(map(_version, common))
        self._send({"type": "MessageAck", "oMId": number})
        # The site's own spelling of versions, ids and of the signal exchange list, which has to be equal.
        self._ask(
            {
                "type": "Version",
                "RSMP": [{"vers": text} for text in common],
                "siteId": [{"sId": text} for text in sites],
                "SXL": message.get("SXL", ""),
            },
            now_s,
        )

    def _take_answer(self, message: dict[str, Any]) -> None:
        kind, _ = self._unanswered.pop(str(message.get("oMId")), ("", 0.0))
        if message["type"] == "MessageAck" or not kind:
            return
        reason = str(message.get("rea", "no reason given"))[:200]
        if kind == "StatusSubscribe":
            raise SubscriptionRefusedError(f"the site {self.site_id} refuses the subscription ({reason})")
        raise SessionOverError(f"the site {self.site_id} refuses our {kind} ({reason})")

    def _send_watchdog(self, now_s: float) -> None:
        self._watchdog_s = now_s
        instant = datetime.fromtimestamp(self._utc_ms() / 1000, UTC)
        text = f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"
        self._ask({"type": "Watchdog", "wTs": text}, now_s)

    def _subscribe(self, now_s: float) -> None:
        self._subscribed = True
        self._ask(self._subscription(self.component, "S0001", ("signalgroupstatus",)), now_s)
        for group in self._wanted.groups:
            self._ask(self._subscription(group_component(self.component, group), "S0025", _ESTIMATES), now_s)

    def _subscription(self, component: str, code: str, names: tuple[str, ...]) -> dict[str, Any]:
        # At an interval as well as on change: a display needs to know that the controller lives.
        rate: dict[str, Any] = {"uRt": str(self._wanted.interval_s)}
        if self._version >= _SEND_ON_CHANGE:
            rate["sOc"] = True
        statuses = [{"sCI": code, "n": name, **rate} for name in names]
        return {"type": "StatusSubscribe", "ntsOId": "", "xNId": "", "cId": component, "sS": statuses}

    def _ask(self, message: dict[str, Any], now_s: float) -> None:
        """Send what the site has to acknowledge."""
        number = str(uuid.uuid4())
        if len(self._unanswered) >= _MAX_UNANSWERED:
            raise SessionOverError(f"the site {self.site_id} acknowledges nothing")
        self._unanswered[number] = (message["type"], now_s)
        self._send({"mId": number, **message})

    def _send(self, message: dict[str, Any]) -> None:
        self.outgoing += json.dumps({"mType": "rSMsg", **message}, ensure_ascii=False).encode() + _END
        if len(self.outgoing) > MAX_PAYLOAD_BYTES:
            raise SessionOverError(f"the site {self.site_id} does not take what we send")


def group_component(controller: str, group: str) -> str:
    """The component of a signal group: as given, or SG and the number in place of TC and its number."""
    if not group.isdigit():
        return group
    return f"{controller.rpartition('TC')[0]}SG{int(group):03}"


def _parse(packet: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(packet)
    except (ValueError, RecursionError):
        return None
    if isinstance(message, dict) and message.get("mType") == "rSMsg" and isinstance(message.get("type"), str):
        return message
    return None


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)][:32] if isinstance(value, list) else []


def _version(text: str) -> tuple[int, ...]:
    """3.2 as (3, 2, 0); () for what is no version."""
    parts = text.split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 3 for part in parts):
        return ()
    return tuple(map(int, parts)) + (0,) * (3 - len(parts))
