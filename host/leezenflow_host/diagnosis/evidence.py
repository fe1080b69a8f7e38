# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a signal in a while, by a unit or by this computer, and which case that is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leezenflow_host.diagnosis.finding import Finding

ACCEPTED = ("accepted", "heartbeat")
# Counters of an Engine that are not an adapter's complaint about a message.
_LATE = ("late", "clock_fault")
_OTHERS = ("other_signal", "no_signal_group")
_FEW = 2
_DARK_OF_TIME = {"stale": "stale", "starting": "starting", "no_data": "starting"}


@dataclass
class Evidence:
    """Counters are of the time that was looked at (`seconds`), not since the start.

    `fault_kind` is one of mqtt_subscription.BrokerError's, "source" or ""; `engine` maps an Engine's words to
    counts; `heard` lists what the messages were about, as "49:1090 (3, 4)"; `groups` are those of the right
    intersection, None where nobody looked.
    """

    seconds: float
    listening: bool = True
    fault_kind: str = ""
    fault: str = ""
    messages: int = 0
    messages_before: int = 0
    retained: int = 0
    engine: Mapping[str, int] = field(default_factory=dict)
    engine_fault: str = ""
    advice: str = "dark"
    reason: str | None = None
    wanted: str = ""
    adapter: str = ""
    where: str = ""
    heard: list[str] = field(default_factory=list)
    groups: list[int] | None = None

    @property
    def accepted(self) -> int:
        """Messages that were news."""
        return sum(self.engine.get(word, 0) for word in ACCEPTED)


def judge(evidence: Evidence, healthy_case: str = "healthy") -> Finding:
    """Decide which case the evidence is."""
    if not evidence.listening:
        return _judge_connection(evidence)
    if not evidence.messages:
        if evidence.messages_before:
            return Finding("messages_stopped", {"seconds": round(evidence.seconds)})
        if evidence.retained:
            return Finding("only_retained")
        return Finding("no_messages", {"where": evidence.where})
    refused = _judge_refused(evidence)
    if refused is not None:
        return refused
    if evidence.advice == "dark":
        case = _DARK_OF_TIME.get(evidence.reason or "no_data")
        # A lone message in a long while is not a beginning, but a trickle.
        if case == "starting" and evidence.messages == 1 and evidence.seconds >= 6:
            case = "stale"
        return Finding(case) if case else Finding("dark_by_rule", {"reason": evidence.reason})
    if evidence.advice == "uncertain" and healthy_case == "healthy":
        return Finding("healthy_uncertain", {"reason": evidence.reason})
    return Finding(healthy_case, {"advice": evidence.advice})


def _judge_connection(evidence: Evidence) -> Finding:
    values: dict[str, Any] = {"fault": evidence.fault}
    case = {
        "name": "broker_name",
        "tls": "broker_tls",
        "refused": "broker_refuses",
        "silent": "broker_silent",
        "source": "source_taken",
    }.get(evidence.fault_kind, "broker_unreachable")
    return Finding(case, values)


def _judge_refused(evidence: Evidence) -> Finding | None:
    """Messages came, and hardly one was news: why most of them were not. None when enough were."""
    words = {word: count for word, count in evidence.engine.items() if count > 0 and word not in ACCEPTED}
    if evidence.accepted:
        # Other signals on the same topic are no fault; and the first message after a start always is news.
        words = {word: count for word, count in words.items() if word not in _OTHERS}
        if (evidence.reason != "stale" and evidence.accepted > _FEW) or sum(words.values()) < 2 * evidence.accepted:
            return None
    most = max(words, key=lambda word: words[word], default="")
    wanted = evidence.wanted.rpartition(" ")[2]
    heard = most in _OTHERS and evidence.groups and wanted not in map(str, evidence.groups)
    if most == "no_signal_group" or heard:
        # A unit tells which one it looks for in its fault: "no_signal_group: 12 (at byte 1361)".
        wanted = wanted or re.sub(r"^no_signal_group: (\d+).*", r"\1", evidence.engine_fault)
        return Finding("wrong_signal_group", {"wanted": wanted, "groups": evidence.groups or []})
    if most == "other_signal" or not most:
        return Finding("foreign_messages", {"wanted": evidence.wanted, "heard": evidence.heard[:8]})
    if most == "duplicate":
        return Finding("clock_frozen")
    if most in _LATE:
        return Finding("late_messages")
    if most == "no_time":
        return Finding("no_time")
    return Finding("unreadable_messages", {"adapter": evidence.adapter, "fault": evidence.engine_fault or most})


def fault_kind(fault: str) -> str:
    """The kind of trouble that a unit tells in words (transport_fault of its health report)."""
    if fault.startswith("no address for"):
        return "name"
    if "cannot be trusted" in fault or fault.startswith("TLS"):
        return "tls"
    if "refuses" in fault:
        return "refused"
    if fault.startswith("the broker began with") or "malformed" in fault:
        return "silent"
    return "unreachable"
