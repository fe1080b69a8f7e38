# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TSCBM datagrams: countdowns become TimeMarks, three kinds of group, days, and what is odd."""

from leezenflow.errors import SignalError
from leezenflow_adapters.tscbm import Decoder


def datagram(second=41_244, millisecond=500, blocks=None, colours=(0,) * 9, flashing=(0, 0), status=0, length=245):
    """A TSCBM: `blocks` {number: six countdowns}, `colours` three words each of phases, pedestrians and overlaps."""
    made = bytearray(245)
    made[0:2] = b"\xcd\x10"
    for number in range(1, 17):
        at = 2 + 13 * (number - 1)
        made[at] = number
        for i, countdown in enumerate((blocks or {}).get(number, (0,) * 6)):
            made[at + 1 + 2 * i : at + 3 + 2 * i] = countdown.to_bytes(2, "big")
    for i, word in enumerate(tuple(colours) + tuple(flashing)):
        made[210 + 2 * i : 212 + 2 * i] = word.to_bytes(2, "big")
    made[232] = status
    made[236:239] = second.to_bytes(3, "big")
    made[239:241] = millisecond.to_bytes(2, "big")
    return bytes(made[:length])


def decode(payload, signal_group, decoder=None):
    decoder = decoder or Decoder(None, 7, signal_group)
    return decoder.decode(payload, 0, len(payload)), decoder.state


def refused(payload, signal_group=2):
    try:
        decode(payload, signal_group)
    except SignalError as error:
        return error.kind
    return None


def test_a_phase_with_its_countdown():
    payload = datagram(blocks={2: (12, 50, 0, 0, 0, 0)}, colours=(0, 0, 2, 0, 0, 0, 0, 0, 0))
    found, state = decode(payload, 2)
    assert found is True
    assert (state.id, state.region, state.moy, state.time_stamp) == (7, None, 687, 24_500)
    assert state.movement.signal_group == 2
    assert state.movement.event_count == 1
    event = state.movement.events[0]
    # 41 244.5 s is 27:24.5 of its hour, mark 16 445.
    assert (event.event_state, event.min_end_time, event.max_end_time) == (6, 16_457, 16_495)
    assert event.likely_time is None


def test_colours_of_phases_pedestrians_and_overlaps():
    for offset, at, states in ((0, 0, (3, 8, 6)), (100, 3, (3, 8, 5)), (200, 6, (3, 8, 6))):
        for i, expected in enumerate(states):
            colours = [0] * 9
            colours[at + i] = 1 << 15
            assert decode(datagram(colours=colours), offset + 16)[1].movement.events[0].event_state == expected
            # None of the others is meant by that bit.
            assert decode(datagram(colours=colours), offset + 15)[1].movement.events[0].event_state == 1


def test_each_kind_has_its_own_countdown():
    payload = datagram(blocks={4: (10, 11, 20, 21, 30, 31)}, colours=(8, 0, 0, 8, 0, 0, 8, 0, 0))
    for signal_group, first in ((4, 10), (104, 20), (204, 30)):
        event = decode(payload, signal_group)[1].movement.events[0]
        assert (event.min_end_time, event.max_end_time) == (16_445 + first, 16_446 + first)


def test_unknown_and_missing_countdowns():
    payload = datagram(blocks={1: (65_535, 90, 0, 0, 0, 0)}, colours=(3, 0, 0, 0, 0, 0, 0, 0, 0))
    event = decode(payload, 1)[1].movement.events[0]
    assert (event.min_end_time, event.max_end_time) == (36_001, 16_535)
    event = decode(payload, 2)[1].movement.events[0]
    assert (event.event_state, event.min_end_time, event.max_end_time) == (3, None, None)


def test_marks_go_on_in_the_next_hour():
    payload = datagram(second=3_599, millisecond=900, blocks={1: (3, 10, 0, 0, 0, 0)}, colours=(1,) + (0,) * 8)
    event = decode(payload, 1)[1].movement.events[0]
    assert (event.min_end_time, event.max_end_time) == (2, 9)


def test_flashing():
    red, yellow = (1,) + (0,) * 8, (0, 1) + (0,) * 7
    assert decode(datagram(colours=red, flashing=(1, 0)), 1)[1].movement.events[0].event_state == 2
    assert decode(datagram(colours=yellow, flashing=(1, 0)), 1)[1].movement.events[0].event_state == 9
    assert decode(datagram(colours=red, flashing=(2, 1)), 1)[1].movement.events[0].event_state == 3
    assert decode(datagram(colours=yellow, status=0x80), 1)[1].movement.events[0].event_state == 9
    overlap = (0,) * 6 + (1, 0, 0)
    assert decode(datagram(colours=overlap, flashing=(0, 1)), 201)[1].movement.events[0].event_state == 2


def test_the_short_variant_and_shorter_ones():
    assert decode(datagram(length=241), 1)[0] is True
    for length in range(2, 241):
        assert refused(datagram(length=length)) == "truncated"
    assert refused(b"") == "foreign"
    assert refused(b"\xcd") == "foreign"
    assert refused(b"\xce" + bytes(300)) == "foreign"
    assert refused(b"\xcd\x0f" + bytes(300)) == "malformed"
    assert refused(bytes(1501)) == "oversized"


def test_a_time_that_is_none():
    assert refused(datagram(second=86_400)) == "malformed"
    assert refused(datagram(millisecond=1_000)) == "malformed"


def test_numbers_that_mean_no_group():
    for signal_group in (0, 17, 100, 117, 200, 217, 255, 301):
        assert decode(datagram(), signal_group)[0] is False


def test_a_block_out_of_order_is_found_by_its_number():
    swapped = bytearray(datagram(blocks={1: (5, 5, 0, 0, 0, 0)}, colours=(1,) + (0,) * 8))
    swapped[2:15], swapped[15:28] = swapped[15:28], swapped[2:15]
    assert decode(bytes(swapped), 1)[1].movement.events[0].min_end_time == 16_450
    missing = bytearray(datagram())
    missing[2] = 99
    assert decode(bytes(missing), 1)[0] is False


def test_midnight_is_the_next_day_and_a_clock_that_is_set_is_not():
    decoder = Decoder(None, 7, 2)
    assert decode(datagram(second=86_399), 2, decoder)[1].moy == 1_439
    assert decode(datagram(second=0), 2, decoder)[1].moy == 1_440
    assert decode(datagram(second=60), 2, decoder)[1].moy == 1_441
    assert decode(datagram(second=0), 2, decoder)[1].moy == 1_440
