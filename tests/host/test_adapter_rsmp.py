# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSMP: characters of S0001, estimates of S0025, and how the two make one state."""

import json
from typing import Any

import pytest

from leezenflow.errors import SignalError
from leezenflow_adapters import rsmp
from leezenflow_host.decoding import rsmp as full

NOW = "2023-04-06T07:58:30.000Z"


def update(statuses: list[dict[str, Any]], component: str = "KK+AG1=001TC000", **more: Any) -> bytes:
    message = {"mType": "rSMsg", "type": "StatusUpdate", "cId": component, "sTs": NOW, "sS": statuses}
    return json.dumps(message | more).encode() + b"\x0c"


def colours(characters: str, quality: str = "recent", **more: Any) -> bytes:
    status = {"sCI": "S0001", "n": "signalgroupstatus", "s": characters, "q": quality}
    return update([{"sCI": "S0001", "n": "stage", "s": "1", "q": "recent"}, status], **more)


def estimates(component: str = "KK+AG1=001SG003", **values: str) -> bytes:
    return update([{"sCI": "S0025", "n": name, "s": value, "q": "recent"} for name, value in values.items()], component)


def decode(decoder: rsmp.Decoder, payload: bytes) -> bool:
    return decoder.decode(payload, 0, len(payload))


def events_of(decoder: rsmp.Decoder) -> list[tuple[int, int | None]]:
    movement = decoder.state.movement
    return [(event.event_state, event.likely_time) for event in movement.events[: movement.event_count]]


@pytest.mark.parametrize(
    ("characters", "expected"),
    [("abe", 1), ("c", 9), ("d", 2), ("gh", 3), ("ABCDEFGP", 3), ("0", 4), ("123456789", 5), ("NO", 7), ("fXz?", 0)],
)
def test_every_character(characters: str, expected: int):
    decoder = rsmp.Decoder(None, 7, 3)
    for character in characters:
        assert decode(decoder, colours("BB" + character)) is True
        assert decoder.state.movement.events[0].event_state == expected
    assert (decoder.state.id, decoder.state.moy, decoder.state.time_stamp) == (7, 95 * 1440 + 478, 30_000)


def test_groups_that_do_not_exist():
    assert decode(rsmp.Decoder(None, 7, 3), colours("BB-")) is False
    assert decode(rsmp.Decoder(None, 7, 4), colours("BBB")) is False
    assert decode(rsmp.Decoder(None, 7, 0), colours("BBB")) is False


def test_red_then_green_by_the_estimates():
    decoder = rsmp.Decoder(None, 7, 3)
    decode(decoder, colours("BBB"))
    assert decode(
        decoder,
        estimates(
            minToGEstimate="2023-04-06T07:58:40.000Z",
            maxToGEstimate="2023-04-06T07:59:00.000Z",
            likelyToGEstimate="2023-04-06T07:58:45.500Z",
            ToGConfidence="87",
            likelyToREstimate="2023-04-06T08:00:01.000Z",
        ),
    )
    assert events_of(decoder) == [(3, 35_255), (5, 10)]
    event = decoder.state.movement.events[0]
    assert (event.min_end_time, event.max_end_time, event.confidence) == (35_200, 35_400, 9)
    decode(decoder, colours("BB0"))
    assert events_of(decoder) == [(4, 35_255), (5, 10)]
    decode(decoder, colours("BB1"))
    # The green that was forecast is now; the estimate of its beginning says nothing about its end.
    assert events_of(decoder) == [(5, 10)]


def test_green_then_red():
    decoder = rsmp.Decoder(None, 7, 3)
    decode(decoder, colours("BB1"))
    decode(decoder, estimates(likelyToREstimate="2023-04-06T07:58:40Z", likelyToGEstimate="2023-04-06T07:59:20Z"))
    assert events_of(decoder) == [(5, 35_200), (3, 35_600)]
    decode(decoder, colours("BBN"))
    # When amber ends is not told.
    assert events_of(decoder) == [(7, None), (3, 35_600)]
    assert decoder.state.movement.events[0].min_end_time == 36_001


def test_without_colours_the_nearer_switch_tells():
    decoder = rsmp.Decoder(None, 7, 3)
    decode(decoder, estimates(likelyToGEstimate="2023-04-06T07:58:40Z", likelyToREstimate="2023-04-06T07:59:20Z"))
    assert events_of(decoder) == [(3, 35_200), (5, 35_600)]
    decode(decoder, estimates(likelyToGEstimate="2023-04-06T07:59:40Z"))
    assert events_of(decoder) == [(5, 35_600), (3, 35_800)]
    alone = rsmp.Decoder(None, 7, 3)
    decode(alone, estimates(likelyToGEstimate="2023-04-06T07:58:40Z"))
    assert events_of(alone) == [(0, None)]


def test_estimates_that_are_past_absent_or_a_day_away_are_unknown():
    decoder = rsmp.Decoder(None, 7, 3)
    decode(decoder, colours("BBB"))
    for text in ("2023-04-06T07:58:00Z", "", "2023-04-07T07:58:40Z", "soon"):
        decode(decoder, estimates(likelyToGEstimate="2023-04-06T07:58:40Z"))
        assert events_of(decoder) == [(3, 35_200)]
        decode(decoder, estimates(likelyToGEstimate=text))
        assert events_of(decoder) == [(3, 36_001)]


def test_the_year_ends():
    decoder = rsmp.Decoder(None, 7, 3)
    eve = "2023-12-31T23:59:50.000Z"
    decode(decoder, colours("BBB", sTs=eve))
    new_year = [{"sCI": "S0025", "n": "likelyToGEstimate", "s": "2024-01-01T00:00:05Z", "q": "recent"}]
    decode(decoder, update(new_year, "SG3", sTs=eve))
    assert events_of(decoder) == [(3, 50)]


@pytest.mark.parametrize(
    ("component", "ours"),
    [("KK+AG1=001SG003", True), ("X SG3", True), ("KK+AG1=001SG013", False), ("SG", False), ("KK SG3x", False)],
)
def test_which_component_is_ours(component: str, ours: bool):
    decoder = rsmp.Decoder(None, 7, 3)
    assert decode(decoder, estimates(component, likelyToGEstimate=NOW)) is ours


def test_the_component_named_in_the_options():
    decoder = rsmp.Decoder(None, 7, 3, {"component": "A=B"})
    assert decode(decoder, estimates("A=B", likelyToGEstimate=NOW)) is True
    assert decode(decoder, estimates("KK+AG1=001SG003", likelyToGEstimate=NOW)) is False


def test_old_and_guessed_statuses_do_not_count():
    decoder = rsmp.Decoder(None, 7, 3)
    for quality in ("old", "undefined", "unknown", ""):
        assert decode(decoder, colours("111", quality)) is False


def test_a_colour_that_is_no_longer_known_does_not_live_on():
    decoder = rsmp.Decoder(None, 7, 3)
    times = {"likelyToREstimate": "2023-04-06T07:58:40Z", "likelyToGEstimate": "2023-04-06T07:59:20Z"}
    for quality, shown in (("old", (5, 35_200)), ("unknown", (0, None)), ("undefined", (0, None))):
        decode(decoder, colours("BB1"))
        assert decode(decoder, colours("BB1", quality)) is False
        assert decode(decoder, estimates(**times)) is True
        assert events_of(decoder)[0] == shown


def test_an_estimate_that_is_no_longer_known_is_none():
    decoder = rsmp.Decoder(None, 7, 3)
    decode(decoder, colours("BBB"))
    decode(decoder, estimates(likelyToGEstimate="2023-04-06T07:58:40Z"))
    lost = {"sCI": "S0025", "n": "likelyToGEstimate", "s": None, "q": "unknown"}
    assert decode(decoder, update([lost], "KK+AG1=001SG003")) is False
    decode(decoder, colours("BBB"))
    assert events_of(decoder) == [(3, 36_001)]


def test_other_messages_are_nothing_of_ours():
    decoder = rsmp.Decoder(None, 7, 3)
    for kind in ("Version", "Watchdog", "MessageAck", "Alarm"):
        assert decode(decoder, json.dumps({"mType": "rSMsg", "type": kind}).encode() + b"\x0c") is False
    assert decode(decoder, b"\x0c\x0c") is False
    assert decode(decoder, b"") is False


def test_damaged_messages():
    decoder = rsmp.Decoder(None, 7, 3)
    for payload, kind in (
        (b"{}\x0c", "foreign"),
        (b"[1]\x0c", "foreign"),
        (b"{\x0c", "malformed"),
        (update([], sS=5), "malformed"),
        (colours("BBB", sTs=5), "malformed"),
        (colours("BBB", sTs="now"), "malformed"),
    ):
        with pytest.raises(SignalError, match=kind):
            decode(decoder, payload)
        # A sound message in the same piece makes up for it.
        assert decode(decoder, payload + colours("BBB")) is True


def test_a_whole_object_need_not_wait_for_its_form_feed():
    decoder = rsmp.Decoder(None, 7, 3)
    assert decode(decoder, colours("BBB")[:-1]) is True
    assert decode(decoder, colours("BB1")[:40]) is False
    assert decode(decoder, colours("BB1")[40:-1]) is True
    assert decoder.state.movement.events[0].event_state == 5


def test_memory_stays_bounded():
    decoder = rsmp.Decoder(None, 7, 3)
    with pytest.raises(SignalError, match="oversized"):
        for _ in range(100):
            decode(decoder, b'{"' + b"x" * 1000)
    with pytest.raises(SignalError, match="oversized"):
        decode(decoder, b"\x0c" + b"x" * (rsmp.MAX_BYTES + 1) + b"\x0c")
    assert decode(decoder, b"\x0c" + colours("BBB")) is True


def test_confidence_promises_no_more_than_the_per_cent():
    assert [rsmp.confidence_code(percent) for percent in (0, 21, 35, 36, 99, 100)] == [0, 0, 0, 1, 14, 15]


def test_full_decode():
    message = full.decode(colours("B-1\n"))
    assert [(item["signal_group"], item["events"][0]["state"]) for item in message["movements"]] == [
        (1, 3),
        (3, 5),
        (4, 0),
    ]
    assert message["intersections"][0]["movements"][2]["name"] == r"status \n"
    message = full.decode(estimates(likelyToGEstimate="2023-04-06T07:58:40Z", likelyToREstimate="2023-04-06T07:59:20Z"))
    assert message["movements"][0]["signal_group"] == 3
    for payload in (update([]), update([], sS=7), b"[]"):
        with pytest.raises(SignalError):
            full.decode(payload)
