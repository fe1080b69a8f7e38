# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The elements of a SPATEM in XML: which stand in which, what they are called, and where their values go.

Names as Münster's receivers write them (underscores) and as XER has them (hyphens).
"""

from leezenflow.spatem import MOVEMENT_PHASE_STATES, STATUS_BITS

# Where the cursor is: in an element with children ...
PROLOGUE = 0
SEARCH = 1  # anywhere above SPAT, `_depth` levels deep
SPAT = 2
INTERSECTIONS = 3
INTERSECTION = 4
ID = 5
STATUS = 6
STATES = 7
MOVEMENT = 8
EVENTS = 9
EVENT = 10
TIMING = 11
REGIONAL = 12  # `_depth` levels below its own
SKIP = 13  # in what nobody needs, `_skip_depth` levels deep
LEAP = 14  # on the way to the end tag `_leap_to`
# ... or in one that holds a value.
LEAF = 16
SPAT_MOY = 16
REGION = 17
ID_NUMBER = 18
REVISION = 19
BIT = 20
MOY = 21
TIME_STAMP = 22
MOVEMENT_NAME = 23
SIGNAL_GROUP = 24
EVENT_STATE = 25
MIN_END = 26
MAX_END = 27
LIKELY = 28
CONFIDENCE = 29
START = 30
NEXT = 31
REASON = 32
# No element: right before the end tag that was leapt to, and right behind our group.
LEAPT = 33
DONE = 34

# For each context: what encloses it, the names its element can have, and the children that matter there, in the order
# they usually come.
_NO_NAMES = ()
_NOTHING = ()
ELEMENTS = {
    SEARCH: (SEARCH, _NO_NAMES, ((b"SPAT", SPAT), (b"spat", SPAT))),
    SPAT: (SEARCH, (b"SPAT", b"spat"), ((b"intersections", INTERSECTIONS), (b"timeStamp", SPAT_MOY))),
    INTERSECTIONS: (SPAT, (b"intersections",), ((b"IntersectionState", INTERSECTION),)),
    INTERSECTION: (
        INTERSECTIONS,
        (b"IntersectionState",),
        (
            (b"id", ID),
            (b"revision", REVISION),
            (b"status", STATUS),
            (b"moy", MOY),
            (b"timeStamp", TIME_STAMP),
            (b"states", STATES),
        ),
    ),
    ID: (INTERSECTION, (b"id",), ((b"region", REGION), (b"id", ID_NUMBER))),
    STATUS: (INTERSECTION, (b"status",), _NOTHING),
    STATES: (INTERSECTION, (b"states",), ((b"MovementState", MOVEMENT),)),
    MOVEMENT: (
        STATES,
        (b"MovementState",),
        (
            (b"movementName", MOVEMENT_NAME),
            (b"signalGroup", SIGNAL_GROUP),
            (b"state_time_speed", EVENTS),
            (b"state-time-speed", EVENTS),
        ),
    ),
    EVENTS: (MOVEMENT, (b"state_time_speed", b"state-time-speed"), ((b"MovementEvent", EVENT),)),
    EVENT: (EVENTS, (b"MovementEvent",), ((b"eventState", EVENT_STATE), (b"timing", TIMING), (b"regional", REGIONAL))),
    TIMING: (
        EVENT,
        (b"timing",),
        (
            (b"minEndTime", MIN_END),
            (b"maxEndTime", MAX_END),
            (b"likelyTime", LIKELY),
            (b"confidence", CONFIDENCE),
            (b"startTime", START),
            (b"nextTime", NEXT),
        ),
    ),
    REGIONAL: (EVENT, (b"regional",), ((b"stateChangeReason", REASON),)),
    SPAT_MOY: (SPAT, (b"timeStamp",), _NOTHING),
    REGION: (ID, (b"region",), _NOTHING),
    ID_NUMBER: (ID, (b"id",), _NOTHING),
    REVISION: (INTERSECTION, (b"revision",), _NOTHING),
    BIT: (STATUS, _NO_NAMES, _NOTHING),
    MOY: (INTERSECTION, (b"moy",), _NOTHING),
    TIME_STAMP: (INTERSECTION, (b"timeStamp",), _NOTHING),
    MOVEMENT_NAME: (MOVEMENT, (b"movementName",), _NOTHING),
    SIGNAL_GROUP: (MOVEMENT, (b"signalGroup",), _NOTHING),
    EVENT_STATE: (EVENT, (b"eventState",), _NOTHING),
    MIN_END: (TIMING, (b"minEndTime",), _NOTHING),
    MAX_END: (TIMING, (b"maxEndTime",), _NOTHING),
    LIKELY: (TIMING, (b"likelyTime",), _NOTHING),
    CONFIDENCE: (TIMING, (b"confidence",), _NOTHING),
    START: (TIMING, (b"startTime",), _NOTHING),
    NEXT: (TIMING, (b"nextTime",), _NOTHING),
    REASON: (REGIONAL, (b"stateChangeReason",), _NOTHING),
}

# Where a value goes: the field and its greatest value. What is above it counts as absent.
STATE_FIELDS = {REGION: ("region", 65535), MOY: ("moy", 527040), TIME_STAMP: ("time_stamp", 65535)}
EVENT_FIELDS = {
    MIN_END: ("min_end_time", 65535),
    MAX_END: ("max_end_time", 65535),
    LIKELY: ("likely_time", 65535),
    CONFIDENCE: ("confidence", 15),
    START: ("start_time", 65535),
    NEXT: ("next_time", 65535),
    REASON: ("state_change_reason", 12),
}

BIT_NAMES = tuple(name.encode() for name in STATUS_BITS)
BIT_PREFIX = b"IntersectionStatusObject."
PHASE_NAMES = tuple(name.encode() for name in MOVEMENT_PHASE_STATES)
