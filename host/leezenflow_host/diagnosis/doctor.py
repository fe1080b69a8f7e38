# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doctor: looks at port, board, unit and signal in this order, and stops at the first thing that is wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from leezenflow_host.boards.port_trouble import PortError
from leezenflow_host.diagnosis.board_check import check_board
from leezenflow_host.diagnosis.evidence import judge
from leezenflow_host.diagnosis.feed_check import check_feed
from leezenflow_host.diagnosis.finding import Finding
from leezenflow_host.diagnosis.port_check import Sighting, choose_port, find_case, look_around
from leezenflow_host.diagnosis.unit_check import check_unit
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing.detect import ESP_ROM, probe_port
from leezenflow_host.monitoring.unit_line import UnitLine
from leezenflow_host.site_config import SiteConfig

# A unit that was just plugged in takes some seconds to start; one that runs answers at once.
ANSWER_S = 6.0
START_S = 15.0
_ASK_S = 1.5
_FAILED = "The panel is dark; starting again"
# A unit that hears nothing useful: what this computer hears can say more about it.
_REFINED_BY_FEED = (
    *("no_messages", "messages_stopped", "foreign_messages", "wrong_signal_group", "unreadable_messages"),
    # A clock that stood still long ago looks late to a unit; to a fresh listener it stands still.
    "late_messages",
    *("broker_name", "broker_unreachable", "broker_tls", "broker_refuses", "broker_silent"),
)


@dataclass
class Examination:
    """What was found, and everything that was seen on the way (for the support bundle; it holds no secrets)."""

    finding: Finding
    port: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


class Doctor:
    """Examines the board at `port` (None: the only one there is) and, with a `site`, the signal as heard from here.

    `seconds` is the longest time to listen; `called` is what people call the port. `replug` is called when nothing at
    all is plugged in; it may ask a person to plug a board in and returns what is there then, or None where nobody can
    be asked.
    """

    def __init__(
        self,
        port: str | None = None,
        site: SiteConfig | None = None,
        secrets: dict[str, Any] | None = None,
        *,
        seconds: float = 10.0,
        look: Callable[[], Sighting] = look_around,
        replug: Callable[[], Sighting | None] = lambda: None,
        start_s: float = START_S,
        answer_s: float = ANSWER_S,
        called: str | None = None,
    ) -> None:
        self._port = port
        self._called = called
        self._site = site
        self._secrets = secrets or {}
        self._seconds = seconds
        self._look = look
        self._replug = replug
        self._start_s = start_s
        self._answer_s = answer_s
        self._log: list[str] = []
        self._facts: dict[str, Any] = {}

    def examine(self) -> Examination:
        """Find out which case it is."""
        seen = self._look()
        self._facts["seen"] = {"ports": seen.ports, "volumes": seen.volumes, "usb_devices": seen.usb_devices}
        replugged = False
        if self._port is None and seen.is_empty and self._site is None:
            again = self._replug()
            replugged = again is not None
            seen = again or seen
        if self._port is None and self._site is not None and not (seen.ports or seen.volumes):
            return self._done(self._check_feed())
        chosen = choose_port(self._port, seen, replugged)
        if isinstance(chosen, Finding):
            return self._done(chosen, chosen.values.get("port"))
        try:
            finding = self._check_port(chosen)
        except PortError as trouble:
            finding = find_case(chosen, trouble)
        if self._site is not None and finding.case in _REFINED_BY_FEED:
            finding = self._refine(finding)
        return self._done(finding, chosen)

    def _check_port(self, port: str) -> Finding:
        with UnitLine(port) as line:
            first = self._ask_health(line, self._answer_s)
            try:
                if first is not None:
                    return check_unit(line, first, self._seconds, self._facts)
            finally:
                self._log.extend(line.log)
        finding = check_board(port, self._facts)
        if finding.case in ("stopped", "crash_loop"):
            return self._watch_start(port, finding)
        if finding.case in ("silent_port", "not_micropython"):
            return self._ask_loader(port, finding)
        return finding

    def _ask_health(self, line: UnitLine, patience_s: float) -> dict[str, Any] | None:
        """The unit's first answer, None from anything that is not a unit at work."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            answer = line.ask("health", _ASK_S)
            if answer is not None or line.at_prompt:
                return answer
            if any(_FAILED in said for said in line.log):
                return None
        return None

    def _watch_start(self, port: str, finding: Finding) -> Finding:
        """The board was started again: does the unit come up this time, or fail before our eyes?"""
        with UnitLine(port) as line:
            deadline = time.monotonic() + self._start_s
            while time.monotonic() < deadline:
                answer = line.ask("health", _ASK_S)
                said = list(line.log)
                failed = next((place for place, words in enumerate(said) if _FAILED in words), None)
                if failed is not None:
                    error = said[failed - 1].strip() if failed else finding.values.get("error")
                    values = {"port": port, "board": finding.values["board"], "error": error}
                    finding = Finding("crash_loop", {**values, "count": finding.values.get("count", 0) + 1})
                    break
                if answer is not None:
                    health = answer.get("health") or {}
                    if health.get("safe_mode"):
                        finding = check_unit(line, answer, 0, self._facts)
                    else:
                        finding = Finding("stopped", {"port": port, "board": finding.values["board"]})
                    break
            self._log.extend(line.log)
        return finding

    def _ask_loader(self, port: str, finding: Finding) -> Finding:
        """Something that is no MicroPython: perhaps the loader in an ESP32's ROM."""
        try:
            found = probe_port(port)
        except BoardError:
            return finding
        self._facts["probe"] = found.detail
        if found.kind == ESP_ROM:
            return Finding("esp_boot_mode", {"port": port, "detail": found.detail})
        return finding

    def _check_feed(self) -> Finding:
        assert self._site is not None
        evidence = check_feed(self._site.site(), self._secrets, self._seconds, self._log.append)
        self._facts["feed"] = {"messages": evidence.messages, "engine": dict(evidence.engine), "heard": evidence.heard}
        return judge(evidence, "feed_healthy")

    def _refine(self, finding: Finding) -> Finding:
        """What the unit cannot tell: which signals there are, or why the connection fails; the unit's word else."""
        heard = self._check_feed()
        self._facts["feed_case"] = heard.case
        if heard.is_healthy or heard.case == "source_taken":
            return finding
        return heard

    def _done(self, finding: Finding, port: str | None = None) -> Examination:
        if self._called is not None and finding.values.get("port") == port:
            finding = Finding(finding.case, {**finding.values, "port": self._called})
            port = self._called
        return Examination(finding, port, self._facts, self._log)
