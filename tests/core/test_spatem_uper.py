# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One signal group out of SPATEM and J2735 SPAT in UPER: fields, wrappers, oddities, damage."""

import gc

from bit_writer import encode_spat, message_frame, spatem
from leezenflow.errors import SignalError
from leezenflow_adapters import spatem_uper

# A public field message of a US intersection: no region, no moy, groups 2 4 6 8 1 5 with one event each.
FIELD_US = (
    "001338000817a780000089680500204642b342b34802021a15a955a940181190acd0acd20100868555c555c00104342aae2aae002821a15571"
    "5570"
)
# An ETSI message with a regional extension at every place that may have one.
REGIONAL = "0204000004420001801882210102000010c0530415500602840181808101a060e800000001500c1900555760"


def decoder(region=49, intersection_id=1090, signal_group=12):
    return spatem_uper.Decoder(region, intersection_id, signal_group)


def decode(payload, region=49, intersection_id=1090, signal_group=12):
    """Return (answer, state) of one message."""
    made = decoder(region, intersection_id, signal_group)
    return made.decode(payload, 0, len(payload)), made.state


def refused(payload, **wanted):
    """Return the kind of the SignalError that `payload` gives, or None."""
    try:
        decode(payload, **wanted)
    except SignalError as error:
        return error.kind
    return None


def times(event):
    return (
        event.start_time,
        event.min_end_time,
        event.max_end_time,
        event.likely_time,
        event.confidence,
        event.next_time,
    )


def group(signal_group, *events, **more):
    made = {"signal_group": signal_group, "events": list(events)}
    made.update(more)
    return made


def message(*movements, **more):
    made = {"id": 1090, "region": 49, "revision": 1, "status_value": 0x200, "moy": 203_635, "time_stamp_ms": 8_430}
    made.update(more)
    made["movements"] = list(movements)
    return {"intersections": [made]}


RED = {"state": 3, "min_end": 33_450, "max_end": 33_590, "likely": 33_530, "confidence": 15}
GREEN = {"state": 6, "start": 33_530, "min_end": 33_700, "next": 36_000}


def test_a_field_message_of_the_us():
    found, state = decode(bytes.fromhex(FIELD_US), None, 12_111, 2)
    assert found is True
    assert (state.region, state.id, state.revision, state.status) == (None, 12_111, 0, 0)
    assert (state.moy, state.time_stamp) == (None, 35_176)
    assert state.movement.signal_group == 2
    assert state.movement.event_count == 1
    assert state.movement.events[0].event_state == 6
    assert times(state.movement.events[0]) == (None, 22_120, 22_121, None, None, None)


def test_the_last_group_of_a_message():
    found, state = decode(bytes.fromhex(FIELD_US), None, 12_111, 5)
    assert found is True
    assert state.movement.events[0].event_state == 3
    assert times(state.movement.events[0]) == (None, 21_852, 21_852, None, None, None)


def test_regional_extensions_everywhere_and_the_reason_of_a_change():
    found, state = decode(bytes.fromhex(REGIONAL))
    assert found is True
    assert (state.region, state.id, state.revision, state.status) == (49, 1_090, 1, 0x200)
    event = state.movement.events[0]
    assert event.event_state == 3
    assert event.min_end_time == 33_450
    assert event.state_change_reason == 1


def test_every_time_and_several_events():
    for wrap in (spatem, message_frame):
        found, state = decode(wrap(message(group(3, {"state": 0}), group(12, RED, GREEN), group(14, {"state": 1}))))
        assert found is True
        assert (state.moy, state.time_stamp, state.status) == (203_635, 8_430, 0x200)
        assert state.movement.event_count == 2
        assert times(state.movement.events[0]) == (None, 33_450, 33_590, 33_530, 15, None)
        assert times(state.movement.events[1]) == (33_530, 33_700, None, None, None, 36_000)


def test_both_header_versions():
    for version in (1, 2):
        assert decode(spatem(message(group(12, RED)), version=version))[0] is True


def test_sixteen_events_and_a_reused_state():
    made = decoder()
    many = spatem(message(group(12, *[{"state": i % 10, "min_end": i} for i in range(16)])))
    assert made.decode(many, 0, len(many)) is True
    assert made.state.movement.event_count == 16
    assert [event.min_end_time for event in made.state.movement.events] == list(range(16))
    one = spatem(message(group(12, {"state": 3}), moy=None, time_stamp_ms=None, region=None))
    made = spatem_uper.Decoder(None, 1090, 12)
    assert made.decode(many, 0, len(many)) is True
    assert made.decode(one, 0, len(one)) is True
    assert (made.state.region, made.state.moy, made.state.time_stamp) == (None, None, None)
    assert made.state.movement.event_count == 1
    assert times(made.state.movement.events[0]) == (None,) * 6


def test_the_region_decides():
    with_region = spatem(message(group(12, RED)))
    without = spatem(message(group(12, RED), region=None))
    assert decode(with_region, region=49)[0] is True
    assert decode(with_region, region=50)[0] is False
    assert decode(with_region, region=None)[0] is True
    assert decode(without, region=None)[0] is True
    assert decode(without, region=49)[0] is False
    assert decode(without, region=0)[0] is False


def test_another_intersection_or_group_is_sound_but_not_ours():
    payload = spatem(message(group(12, RED)))
    assert decode(payload, intersection_id=1091)[0] is False
    assert decode(payload, signal_group=13)[0] is False


def test_the_second_of_three_intersections():
    three = {"intersections": [], "spat_name": "corridor", "spat_time_stamp_moy": 7}
    for intersection_id in (1089, 1090, 1091):
        one = message(group(12, {"state": 5, "min_end": intersection_id}), id=intersection_id, moy=None)
        three["intersections"].append(one["intersections"][0])
    found, state = decode(spatem(three))
    assert found is True
    assert state.movement.events[0].min_end_time == 1090
    # The minute of the whole message stands in for that of the intersection.
    assert state.moy == 7


def test_a_group_that_is_sent_twice_counts_once():
    found, state = decode(spatem(message(group(12, RED), group(12, GREEN, GREEN))))
    assert found is True
    assert state.movement.event_count == 1
    assert state.movement.events[0].event_state == 3


def test_optional_parts_around_and_inside_are_stepped_over():
    entry = [{"region_id": 200, "content": b"\x01\x02\x03"}, {"region_id": 4, "content": b"x" * 200}]
    speeds = [
        {"type_code": 1, "speed": 500, "confidence_code": 7, "distance": 10_000, "class": 255, "regional": entry},
        {"type_code": 3, "additions": [b"\xff", None, b"yz"]},
    ]
    assist = [
        {"connection_id": 9, "queue_length": 16_383, "available_storage": 0, "wait_on_stop": True, "regional": entry},
        {"connection_id": 255, "ped_bicycle_detect": False, "additions": [None, b"q"]},
    ]
    rich = {"speeds": speeds, "regional": entry, "additions": [b"abc"] + [None] * 40}
    other = dict(RED)
    other.update(rich)
    ours = dict(GREEN)
    ours.update(rich)
    made = message(
        group(1, other, other, name="?" * 63, maneuver_assist=assist, regional=entry, additions=[b"a", b"b"]),
        group(12, ours, RED, name="12", maneuver_assist=assist, regional=entry, additions=[b"a", b"b"]),
        group(13, other),
        name="Ms_01090_V13_1_1",
        enabled_lanes=[1, 2, 255],
        maneuver_assist=assist,
        regional=entry,
        additions=[b"roadAuthorityID"],
    )
    made["spat_name"] = "2.3.0"
    made["spat_regional"] = entry
    made["additions"] = [b"\x00"]
    payload = spatem(made)
    found, state = decode(payload)
    assert found is True
    assert state.movement.event_count == 2
    assert times(state.movement.events[0]) == (33_530, 33_700, None, None, None, 36_000)
    assert times(state.movement.events[1]) == (None, 33_450, 33_590, 33_530, 15, None)
    for end in range(len(payload)):
        assert refused(payload[:end]) is not None


def test_the_reason_is_read_only_where_it_stands():
    def reason(content, region_id=3):
        event = dict(RED)
        event["regional"] = [{"region_id": region_id, "content": content}]
        return decode(spatem(message(group(12, event))))[1].movement.events[0].state_change_reason

    assert reason(b"\x40") == 0
    assert reason(b"\x56") == 11
    assert reason(b"\x58") == 12
    assert reason(b"\x5a") is None  # 13 is not in the standard
    assert reason(b"\x60") is None  # an addition to the enumeration
    assert reason(b"\x00") is None
    assert reason(b"\xd6\x01\x02") == 11  # with an extension of its own
    assert reason(b"") is None
    assert reason(b"\x56" + bytes(127)) is None  # so long it is something else
    assert reason(b"\x56", region_id=2) is None


def test_one_odd_group_does_not_blind_another():
    odd = {"state": 12, "min_end": 65_535, "max_end": 40_000, "confidence": 0}
    payload = spatem(message(group(3, odd), group(12, RED), group(255, odd)))
    assert decode(payload)[0] is True
    assert refused(payload, signal_group=3) == "malformed"
    assert decode(payload, signal_group=12)[0] is True


def test_odd_numbers_are_passed_on_or_absent():
    event = {"state": 3, "min_end": 65_535, "max_end": 36_111, "likely": 36_001}
    found, state = decode(spatem(message(group(12, event), moy=1_048_575, time_stamp_ms=65_535)))
    assert found is True
    assert state.moy is None
    assert state.time_stamp == 65_535
    assert times(state.movement.events[0]) == (None, 65_535, 36_111, 36_001, None, None)


def test_illegal_lengths():
    fragment = b"\x00\x13\xc1" + bytes(20)
    assert refused(fragment) == "malformed"
    assert refused(b"\x00\x13\x38" + bytes(20)) == "truncated"
    # 256 movement states: the count is the last octet of an intersection without options.
    none = encode_spat(message(group(12, {"state": 0}), region=None, moy=None, time_stamp_ms=None))
    many = bytearray(b"\x02\x04\x00\x00\x00\x01" + none)
    for bit in range(56, 64):
        many[6 + (bit >> 3)] |= 0x80 >> (bit & 7)
    assert refused(bytes(many)) == "malformed"


def test_truncated_anywhere_is_an_error():
    for payload, region, intersection_id, signal_group in (
        (bytes.fromhex(FIELD_US), None, 12_111, 2),
        (bytes.fromhex(REGIONAL), 49, 1090, 12),
        (spatem(message(group(12, RED, GREEN), group(1, RED))), 49, 1090, 12),
    ):
        roomy = payload + b"\xff" * 8
        made = decoder(region, intersection_id, signal_group)
        for end in range(len(payload)):
            for buffer in (payload[:end], roomy):
                try:
                    made.decode(buffer, 0, end)
                    kind = "none"
                except SignalError as error:
                    kind = error.kind
                assert kind in ("truncated", "foreign"), "%s after %d of %d bytes" % (kind, end, len(payload))


def test_flipped_bits_give_an_answer_or_a_signal_error():
    payload = bytearray(spatem(message(group(1, GREEN), group(12, RED, GREEN, name="12"), name="Ms_01090")))
    made = decoder()
    answers = set()
    for bit in range(len(payload) * 8):
        payload[bit >> 3] ^= 0x80 >> (bit & 7)
        try:
            answers.add(made.decode(payload, 0, len(payload)))
        except SignalError as error:
            answers.add(error.kind)
        payload[bit >> 3] ^= 0x80 >> (bit & 7)
    assert True in answers and False in answers and "truncated" in answers
    assert made.decode(payload, 0, len(payload)) is True


def test_a_message_in_the_middle_of_a_buffer():
    payload = spatem(message(group(12, RED)))
    buffer = bytearray(b"\xaa" * 5 + payload + b"\xaa" * 5)
    made = decoder()
    assert made.decode(buffer, 5, 5 + len(payload)) is True
    assert made.state.movement.events[0].likely_time == 33_530


def test_work_is_divided_into_bounded_steps():
    payload = spatem(message(*[group(i, RED, GREEN) for i in range(1, 101)]))
    made = decoder(signal_group=100)
    made.begin(payload, 0, len(payload))
    steps = 1
    answer = made.step()
    while answer is None:
        steps += 1
        answer = made.step()
    assert answer is True
    assert steps > 10
    assert made.step() is False


def test_after_an_error_the_decoder_takes_the_next_message():
    payload = spatem(message(group(12, RED)))
    made = decoder()
    for bad in (payload[:20], b"nothing", payload[:-1]):
        try:
            made.decode(bad, 0, len(bad))
            answer = "none"
        except SignalError as error:
            answer = error.kind
        assert answer in ("truncated", "foreign")
        assert made.step() is False
        assert made.decode(payload, 0, len(payload)) is True


def test_nothing_is_allocated_for_a_message_with_room_behind_it():
    if not hasattr(gc, "mem_alloc"):
        return
    payload = bytearray(spatem(message(*[group(i, RED, GREEN, name="12") for i in range(1, 21)])) + b"\0\0")
    end = len(payload) - 2
    made = decoder()
    made.decode(payload, 0, end)
    gc.collect()
    before = gc.mem_alloc()
    made.decode(payload, 0, end)
    assert gc.mem_alloc() == before
