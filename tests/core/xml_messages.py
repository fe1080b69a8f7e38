# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM in XML for tests: the real message, and messages put together from groups and events."""

from leezenflow.errors import SignalError
from leezenflow_adapters.spatem_xml import Decoder

SAMPLE = __file__.replace("\\", "/").rsplit("/", 2)[0] + "/samples/spatem_xml/captured-spat-lf-ms-j.xml"

RED = (3, 33450, 33590, 33530, 15)
GREEN = (5, 33710, 33810, 33730, 3)


def read_sample():
    with open(SAMPLE, "rb") as file:
        return file.read()


def timing(minimum=None, maximum=None, likely=None, confidence=None):
    text = ""
    for name, value in (
        ("minEndTime", minimum),
        ("maxEndTime", maximum),
        ("likelyTime", likely),
        ("confidence", confidence),
    ):
        if value is not None:
            text += "<%s>%s</%s>\n" % (name, value, name)
    return "<timing>\n" + text + "</timing>"


def event(state, *times, **more):
    inner = "<eventState>%s</eventState>\n" % state
    if times:
        inner += timing(*times)
    return "<MovementEvent>\n" + inner + more.get("regional", "") + "</MovementEvent>\n"


def group(number, *events, **more):
    return (
        "<MovementState>\n<movementName>%s</movementName>\n<signalGroup>%s</signalGroup>\n" % (number, number)
        + "<state_time_speed>\n"
        + "".join(events)
        + "</state_time_speed>\n"
        + more.get("behind", "")
        + "</MovementState>\n"
    )


def intersection(*groups, **more):
    region = more.get("region", 49)
    return (
        "<IntersectionState>\n<name>Ms_01090</name>\n<id>\n"
        + ("" if region is None else "<region>%d</region>\n" % region)
        + "<id>%s</id>\n</id>\n<revision>1</revision>\n" % more.get("id", 1090)
        + "<status>\n%s</status>\n" % more.get("status", "")
        + more.get("times", "<moy>203635</moy>\n<timeStamp>8430</timeStamp>\n")
        + "<states>\n"
        + "".join(groups)
        + "</states>\n</IntersectionState>\n"
    )


def document(*intersections):
    return (
        '<?xml version="1.0"?>\n<DATA>\n<SPAT>\n<name>2.3.0</name>\n<intersections>\n'
        + "".join(intersections)
        + "</intersections>\n</SPAT>\n</DATA>\n"
    ).encode()


def decode(payload, region=49, intersection_id=1090, signal_group=12):
    """Return (answer, state): the same three times, because a decoder that knows a sender reads it another way."""
    decoder = Decoder(region, intersection_id, signal_group)
    seen = []
    for _ in range(3):
        answer = decoder.decode(payload, 0, len(payload))
        seen.append((answer, read_events(decoder.state) if answer else []))
    assert seen[0] == seen[1] == seen[2], seen
    return answer, decoder.state


def refused(payload, **wanted):
    """Return the kind of the SignalError that `payload` gives, or the answer."""
    try:
        return decode(payload, **wanted)[0]
    except SignalError as error:
        return error.kind


def read_events(state):
    movement = state.movement
    return [
        (e.event_state, e.min_end_time, e.max_end_time, e.likely_time, e.confidence)
        for e in movement.events[: movement.event_count]
    ]
