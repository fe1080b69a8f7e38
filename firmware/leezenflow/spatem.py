# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one SPATEM says about one signal group, in the numbers and names of the wire.

Names follow ISO/TS 19091 and SAE J2735 (DF_SPAT ff.), in snake_case. Every object here is made once and refilled
with each message, so that a board in service allocates nothing: a decoder owns one `IntersectionState`, and whoever
needs it longer than until the next message copies it.
"""

# MovementPhaseState (J2735 DE_MovementPhaseState); 10..15 are illegal on the wire.
UNAVAILABLE = 0
DARK = 1
STOP_THEN_PROCEED = 2
STOP_AND_REMAIN = 3
PRE_MOVEMENT = 4
PERMISSIVE_MOVEMENT_ALLOWED = 5
PROTECTED_MOVEMENT_ALLOWED = 6
PERMISSIVE_CLEARANCE = 7
PROTECTED_CLEARANCE = 8
CAUTION_CONFLICTING_TRAFFIC = 9

MOVEMENT_PHASE_STATES = (
    "unavailable",
    "dark",
    "stop-Then-Proceed",
    "stop-And-Remain",
    "pre-Movement",
    "permissive-Movement-Allowed",
    "protected-Movement-Allowed",
    "permissive-clearance",
    "protected-clearance",
    "caution-Conflicting-Traffic",
)

# IntersectionStatusObject: a BIT STRING of 16 whose bit 0 is the most significant.
STATUS_MANUAL_CONTROL_IS_ENABLED = 0x8000
STATUS_STOP_TIME_IS_ACTIVATED = 0x4000
STATUS_FAILURE_FLASH = 0x2000
STATUS_PREEMPT_IS_ACTIVE = 0x1000
STATUS_SIGNAL_PRIORITY_IS_ACTIVE = 0x0800
STATUS_FIXED_TIME_OPERATION = 0x0400
STATUS_TRAFFIC_DEPENDENT_OPERATION = 0x0200
STATUS_STANDBY_OPERATION = 0x0100
STATUS_FAILURE_MODE = 0x0080
STATUS_OFF = 0x0040
STATUS_NO_VALID_MAP = 0x0008
STATUS_NO_VALID_SPAT = 0x0004

STATUS_BITS = (
    "manualControlIsEnabled",
    "stopTimeIsActivated",
    "failureFlash",
    "preemptIsActive",
    "signalPriorityIsActive",
    "fixedTimeOperation",
    "trafficDependentOperation",
    "standbyOperation",
    "failureMode",
    "off",
    "recentMAPmessageUpdate",
    "recentChangeInMAPassignedLanesIDsUsed",
    "noValidMAPisAvailableAtThisTime",
    "noValidSPATisAvailableAtThisTime",
)

# J2735 DF_MovementEventList: SIZE(1..16).
MAX_EVENTS = 16


class MovementEvent:
    """One phase of a signal group (J2735 DF_MovementEvent with its DF_TimeChangeDetails).

    `event_state` 0..9. All times are raw TimeMarks (0..65535 as on the wire, tenths of a second of the UTC hour),
    `confidence` is the raw code 0..15, `state_change_reason` the ETSI regional value 0..12. An absent field is None.
    """

    __slots__ = (
        "confidence",
        "event_state",
        "likely_time",
        "max_end_time",
        "min_end_time",
        "next_time",
        "start_time",
        "state_change_reason",
    )

    def __init__(self):
        self.clear()

    def clear(self):
        """Forget everything: state unavailable, every optional field absent."""
        self.event_state = UNAVAILABLE
        self.start_time: int | None = None
        self.min_end_time: int | None = None
        self.max_end_time: int | None = None
        self.likely_time: int | None = None
        self.confidence: int | None = None
        self.next_time: int | None = None
        self.state_change_reason: int | None = None


class MovementState:
    """A signal group's present phase and the ones that follow (J2735 DF_MovementState).

    Only `events[:event_count]` are valid; `events` always holds MAX_EVENTS objects for reuse.
    """

    __slots__ = ("event_count", "events", "signal_group")

    def __init__(self):
        self.signal_group = 0
        self.event_count = 0
        self.events = [MovementEvent() for _ in range(MAX_EVENTS)]

    def clear(self):
        """Forget the group and its events (they stay allocated)."""
        self.signal_group = 0
        self.event_count = 0

    def add_event(self):
        """Return the next `MovementEvent`, cleared; None when MAX_EVENTS are taken."""
        if self.event_count >= MAX_EVENTS:
            return None
        event = self.events[self.event_count]
        event.clear()
        self.event_count += 1
        return event


class IntersectionState:
    """One intersection of a SPATEM, with the one signal group asked for (J2735 DF_IntersectionState).

    `region` is None where the sender gave none; `status` holds the 16 bits with bit 0 as 0x8000; `moy` is the minute
    of the UTC year (0..527039, 527040 invalid), `time_stamp` the millisecond in that minute (DSecond); both may be
    None.

    What a SPATEM never says, for feeds that speak only when something changes (rule F1): `on_change` marks such a feed,
    `heartbeat` a message that proves the controller alive and leaves the movement as it was, `program` is the number
    of the signal program where it is known.
    """

    __slots__ = (
        "heartbeat",
        "id",
        "movement",
        "moy",
        "on_change",
        "program",
        "region",
        "revision",
        "status",
        "time_stamp",
    )

    def __init__(self):
        self.movement = MovementState()
        self.clear()

    def clear(self):
        """Forget everything (the objects stay allocated)."""
        self.region: int | None = None
        self.id = 0
        self.revision = 0
        self.status = 0
        self.moy: int | None = None
        self.time_stamp: int | None = None
        self.on_change = False
        self.heartbeat = False
        self.program: int | None = None
        self.movement.clear()
