# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies for SPAT messages with every optional part, in the normalised form `bit_writer` encodes."""

import string
from typing import Any

from hypothesis import strategies as st

NAMES = st.text(string.printable[:95], min_size=1, max_size=63)
MARKS = st.integers(0, 65_535)
# The longest list, and a content that needs the long form of a length, are rare but there.
ADDITIONS = st.none() | st.sampled_from([[b"a"], [None, b"bc"], [b"q"] * 64, [bytes(140), None]])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def entries(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


REGIONAL = st.lists(
    st.builds(
        lambda region_id, content: {"region_id": region_id, "content": content},
        st.integers(0, 255),
        st.binary(max_size=20),
    )
    # The EU's own content, empty or with a reason, as it should be.
    | st.sampled_from([{"region_id": 3, "content": bytes([octet])} for octet in (0x00, 0x40, 0x42, 0x58)]),
    max_size=2,
)
SPEEDS = st.lists(
    entries(
        type_code=st.integers(0, 3),
        speed=maybe(st.integers(0, 511)),
        confidence_code=maybe(st.integers(0, 7)),
        distance=maybe(st.integers(0, 16_383)),
        **{"class": maybe(st.integers(0, 255))},
        regional=REGIONAL,
        additions=ADDITIONS,
    ),
    max_size=2,
)
ASSIST = st.lists(
    entries(
        connection_id=st.integers(0, 255),
        queue_length=maybe(st.integers(0, 16_383)),
        available_storage=maybe(st.integers(0, 16_383)),
        wait_on_stop=maybe(st.booleans()),
        ped_bicycle_detect=maybe(st.booleans()),
        regional=REGIONAL,
        additions=ADDITIONS,
    ),
    max_size=2,
)
PLAIN_EVENTS = entries(
    state=st.integers(0, 9),
    min_end=maybe(MARKS),
    max_end=maybe(MARKS),
    likely=maybe(MARKS),
    confidence=maybe(st.integers(0, 15)),
)
EVENTS = entries(
    state=st.integers(0, 9),
    start=maybe(MARKS),
    min_end=maybe(MARKS),
    max_end=maybe(MARKS),
    likely=maybe(MARKS),
    confidence=maybe(st.integers(0, 15)),
    next=maybe(MARKS),
    speeds=SPEEDS,
    regional=REGIONAL,
    additions=ADDITIONS,
)
MOVEMENTS = entries(
    name=maybe(NAMES),
    signal_group=st.integers(0, 255),
    events=st.lists(PLAIN_EVENTS | EVENTS, min_size=1, max_size=4),
    maneuver_assist=ASSIST,
    regional=REGIONAL,
    additions=ADDITIONS,
)
INTERSECTIONS = entries(
    name=maybe(NAMES),
    region=maybe(st.integers(0, 65_535)),
    id=st.integers(0, 65_535),
    revision=st.integers(0, 127),
    status_value=st.integers(0, 0xFFFF),
    moy=maybe(st.integers(0, 1_048_575)),
    time_stamp_ms=maybe(st.integers(0, 65_535)),
    enabled_lanes=st.lists(st.integers(0, 255), max_size=16),
    movements=st.lists(MOVEMENTS, min_size=1, max_size=3),
    maneuver_assist=ASSIST,
    regional=REGIONAL,
    additions=ADDITIONS,
)
MESSAGES = entries(
    spat_name=maybe(NAMES),
    spat_time_stamp_moy=maybe(st.integers(0, 527_040)),
    intersections=st.lists(INTERSECTIONS, min_size=1, max_size=2),
    spat_regional=REGIONAL,
    additions=ADDITIONS,
)
