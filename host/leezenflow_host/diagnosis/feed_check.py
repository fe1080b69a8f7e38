# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signal as this computer hears it: the site's source, adapter and signal, without any unit."""

import time
from collections.abc import Callable
from typing import Any

from leezenflow.board import Site
from leezenflow.engine import Engine
from leezenflow_host.capture.arrivals import SourceLostError
from leezenflow_host.decoding.detect import PayloadDecoder
from leezenflow_host.decoding.normal_form import Message
from leezenflow_host.diagnosis.evidence import Evidence
from leezenflow_host.errors import LeezenflowError, SignalError
from leezenflow_host.linux_unit import clocks
from leezenflow_host.linux_unit.feeds import make_feed
from leezenflow_host.replay import build_decoder

_TURN_S = 0.1
# So much news is enough to know that the signal is sound.
_ENOUGH = 4
# So many messages of which none is news, over at least this long, will not be followed by better ones.
_MANY = 12
_LEAST_S = 2.0


def signal_words(region: int | None, intersection: int | None, group: int | None = None) -> str:
    """What messages are about, as a site file spells it: "49:1090 group 12"."""
    place = f"{intersection}" if region is None else f"{region}:{intersection}"
    return place if group is None else f"{place} group {group}"


def check_feed(site: Site, secrets: dict[str, Any], seconds: float, note: Callable[[str], None] = print) -> Evidence:
    """Listen to the site's source for `seconds` (less when all is well early); InputError for a site without one.

    `note` is told what happened, for the support bundle; no message's content.
    """
    feed = make_feed(site, secrets)
    evidence = Evidence(
        seconds, wanted=signal_words(site.region, site.intersection_id, site.signal_group), adapter=site.adapter or ""
    )
    evidence.where = getattr(feed, "filter", "")
    try:
        feed.open()
    except SourceLostError as error:
        evidence.listening = False
        evidence.fault_kind = getattr(error, "kind", "source")
        evidence.fault = str(error)
        note(f"not connected: {error}")
        return evidence
    except LeezenflowError as error:
        evidence.listening, evidence.fault_kind, evidence.fault = False, "source", str(error)
        note(f"not opened: {error}")
        return evidence
    note("connected")
    try:
        _listen(site, feed, evidence, seconds)
    except SourceLostError as error:
        evidence.listening = False
        evidence.fault_kind, evidence.fault = getattr(error, "kind", "source"), str(error)
    finally:
        feed.close()
    note(f"{evidence.messages} messages, {dict(evidence.engine)}, {evidence.advice} {evidence.reason or ''}".rstrip())
    return evidence


def _listen(site: Site, feed: Any, evidence: Evidence, seconds: float) -> None:
    engine = Engine(site, build_decoder(site))
    evidence.engine = engine.counters
    survey = _Survey(site)
    engine.reconnected()
    synchronised = clocks.is_synchronised()
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for arrival in feed.receive(_TURN_S):
            ticks = clocks.ticks_of(arrival.at_ms)
            evidence.messages += 1
            if synchronised:
                engine.set_utc(ticks, clocks.unix_ms() % 3_600_000)
            if not engine.message(arrival.payload, 0, len(arrival.payload), ticks):
                survey.note(arrival.payload)
        advice = engine.frame(clocks.ticks_of(clocks.monotonic_ms()))
        evidence.advice, evidence.reason = advice.kind, advice.reason
        if _is_conclusive(evidence, time.monotonic() - began):
            break
    evidence.seconds = time.monotonic() - began
    evidence.retained = feed.counters.get("retained", 0)
    evidence.engine_fault = engine.fault
    evidence.heard = survey.heard
    evidence.groups = survey.groups


def _is_conclusive(evidence: Evidence, elapsed_s: float) -> bool:
    """Whether listening on would change nothing: the signal is sound or off, or nothing of all this is any use."""
    if evidence.accepted >= _ENOUGH:
        return evidence.advice != "dark" or evidence.reason not in ("starting", "stale", "no_data")
    return elapsed_s >= _LEAST_S and evidence.messages >= _MANY and evidence.accepted <= 1


class _Survey:
    """Which signals messages are about that were not the wanted one."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._decoder = PayloadDecoder()
        self._heard: dict[tuple[int | None, int | None], set[int]] = {}

    @property
    def heard(self) -> list[str]:
        """Intersections and their signal groups."""
        return [
            f"{signal_words(*place)} ({', '.join(map(str, sorted(groups)))})"
            for place, groups in sorted(self._heard.items(), key=str)
        ]

    @property
    def groups(self) -> list[int] | None:
        """The signal groups of the wanted intersection, None if it was not heard."""
        found: set[int] = set()
        for (region, intersection), groups in self._heard.items():
            if intersection == self._site.intersection_id and self._site.region in (None, region):
                found |= groups
        return sorted(found) or None

    def note(self, payload: bytes) -> None:
        """Decode a message in full, whatever it is; what cannot be read is not about anything."""
        for message in self._decoder.decode(payload):
            if not isinstance(message, SignalError):
                self._note(message)

    def _note(self, message: Message) -> None:
        for intersection in message.get("intersections") or []:
            if not isinstance(intersection, dict):
                continue
            place = (intersection.get("region"), intersection.get("id"))
            groups = {movement.get("signal_group") for movement in intersection.get("movements") or []}
            self._heard.setdefault(place, set()).update(group for group in groups if group is not None)
