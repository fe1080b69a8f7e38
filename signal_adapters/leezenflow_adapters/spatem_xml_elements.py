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

# By context: what encloses it, the name of its element, and the contexts of the children that matter, in the order in
# which they usually come. All of it small: on a board it stays in memory.
PARENTS = bytes(
    (PROLOGUE, SEARCH, SEARCH, SPAT, INTERSECTIONS, INTERSECTION, INTERSECTION, INTERSECTION, STATES, MOVEMENT, EVENTS)
    + (EVENT, EVENT, SKIP, LEAP, LEAP)
    + (SPAT, ID, ID, INTERSECTION, STATUS, INTERSECTION, INTERSECTION, MOVEMENT, MOVEMENT, EVENT)
    + (TIMING, TIMING, TIMING, TIMING, TIMING, TIMING, REGIONAL)
)
NAMES = (
    (None, None, b"SPAT", b"intersections", b"IntersectionState", b"id", b"status", b"states", b"MovementState")
    + (b"state_time_speed", b"MovementEvent", b"timing", b"regional", None, None, None)
    + (b"timeStamp", b"region", b"id", b"revision", None, b"moy", b"timeStamp", b"movementName", b"signalGroup")
    + (b"eventState", b"minEndTime", b"maxEndTime", b"likelyTime", b"confidence", b"startTime", b"nextTime")
    + (b"stateChangeReason",)
)
OTHER_NAMES = {SPAT: b"spat", EVENTS: b"state-time-speed"}
_NO_CHILDREN = b""
CHILDREN = (
    _NO_CHILDREN,
    bytes((SPAT,)),
    bytes((INTERSECTIONS, SPAT_MOY)),
    bytes((INTERSECTION,)),
    bytes((ID, REVISION, STATUS, MOY, TIME_STAMP, STATES)),
    bytes((REGION, ID_NUMBER)),
    _NO_CHILDREN,
    bytes((MOVEMENT,)),
    bytes((MOVEMENT_NAME, SIGNAL_GROUP, EVENTS)),
    bytes((EVENT,)),
    bytes((EVENT_STATE, TIMING, REGIONAL)),
    bytes((MIN_END, MAX_END, LIKELY, CONFIDENCE, START, NEXT)),
    bytes((REASON,)),
)

# Where a value goes and how great it may be, from MIN_END on.
EVENT_FIELDS = (
    "min_end_time",
    "max_end_time",
    "likely_time",
    "confidence",
    "start_time",
    "next_time",
    "state_change_reason",
)
EVENT_LIMITS = (65535, 65535, 65535, 15, 65535, 65535, 12)

BIT_NAMES = tuple(name.encode() for name in STATUS_BITS)
BIT_PREFIX = b"IntersectionStatusObject."
PHASE_NAMES = tuple(name.encode() for name in MOVEMENT_PHASE_STATES)
