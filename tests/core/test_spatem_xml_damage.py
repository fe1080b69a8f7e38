# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM in XML that is cut off or damaged, read in steps of any size, and what it costs a board."""

import gc

from leezenflow.errors import SignalError
from leezenflow_adapters import spatem_xml
from leezenflow_adapters.spatem_xml import Decoder
from xml_messages import (
    GREEN,
    RED,
    document,
    event,
    group,
    intersection,
    read_events,
    read_sample,
)


def test_truncated_anywhere():
    payload = read_sample()
    roomy = bytearray(payload)
    decoder = Decoder(49, 1090, 12)
    for end in range(len(payload)):
        if end % 500 == 0:
            # Knowing the sender must not make it see what is not there.
            assert decoder.decode(payload, 0, len(payload)) is True
        try:
            # Behind `end` the buffer still holds the rest, as a reused buffer does.
            answer = decoder.decode(roomy, 0, end)
        except SignalError as error:
            answer = error.kind
        assert answer == "truncated", end


def read_outcome(decoder, payload):
    """The events of the group, none where there is no such group, or [kind] of the SignalError."""
    try:
        found = decoder.decode(payload, 0, len(payload))
    except SignalError as error:
        return [error.kind]
    return read_events(decoder.state) if found else []


def test_one_byte_that_is_no_text_never_passes_for_what_is_known():
    # 0xff is what noise on a line and erased memory give: no event more and none less may come of it.
    payload = read_sample()
    first = payload.index(b"<eventState>", payload.index(b"<signalGroup>12<"))
    last = payload.index(b"</MovementState>", first)
    knows = Decoder(49, 1090, 12)
    sound = read_outcome(knows, payload)
    assert len(sound) == 5
    for at in range(first, last):
        # Before and behind values, and within them.
        if payload[at - 1] in b"0123456789>":
            damaged = payload[:at] + b"\xff" + payload[at:]
            fresh = read_outcome(Decoder(49, 1090, 12), damaged)
            assert fresh == read_outcome(knows, damaged), at
            assert fresh == ["malformed"] or [event[0] for event in fresh] == [event[0] for event in sound], at
            if at % 200 == 0:
                assert read_outcome(knows, payload) == sound


def test_any_size_of_steps_gives_the_same():
    payload = bytearray(b"##") + read_sample() + b"##"
    usual = spatem_xml._STEP_US
    decoder = Decoder(49, 1090, 12)
    counts = []
    try:
        for work in (1, 100, 1000, usual, 1, 100, 1000, usual):
            spatem_xml._STEP_US = work
            decoder.begin(payload, 2, len(payload) - 2)
            steps = 1
            answer = decoder.step()
            while answer is None:
                steps += 1
                answer = decoder.step()
            counts.append(steps)
            assert answer is True
            assert len(read_events(decoder.state)) == 5
            assert decoder.step() is False
    finally:
        spatem_xml._STEP_US = usual
    assert counts[0] > 100 and counts[4] < counts[0]


def test_a_step_is_bounded():
    # Much of everything that has to be passed.
    payload = document(
        intersection(group(1, "<!--" + "x" * 5000 + "-->", event(0, "1" * 5000)), id=7),
        "<vendor>" + "<a>text</a>" * 200 + "</vendor>",
        intersection(*[group(n, event(*RED), event(*GREEN)) for n in range(17, 0, -1)]),
    )
    decoder = Decoder(49, 1090, 12)
    for _ in range(2):
        decoder.begin(payload, 0, len(payload))
        answer = None
        at = 0
        while answer is None:
            answer = decoder.step()
            # Half a microsecond a byte on an RP2040: 8 ms.
            assert decoder._at - at <= 16384
            at = decoder._at
        assert answer is True


def test_flipped_bits_give_an_answer_or_a_signal_error():
    payload = bytearray(document(intersection(group(1, event(0)), group(12, event(*RED), event(*GREEN)))))
    sound = bytes(payload)
    decoder = Decoder(49, 1090, 12)
    answers = {}
    for bit in range(len(payload) * 8):
        payload[bit >> 3] ^= 1 << (bit & 7)
        try:
            answer = decoder.decode(payload, 0, len(payload))
        except SignalError as error:
            answer = error.kind
        answers[answer] = True
        payload[bit >> 3] ^= 1 << (bit & 7)
    assert {True, False, "malformed", "no_signal_group"} <= set(answers)
    assert decoder.decode(sound, 0, len(sound)) is True
    assert read_events(decoder.state) == [RED, GREEN]


def test_nothing_is_allocated_for_a_known_sender():
    if not hasattr(gc, "mem_alloc"):
        return
    payload = bytearray(document(intersection(group(1, event(0)), group(14, event(*RED)), group(12, event(*GREEN)))))
    decoder = Decoder(49, 1090, 12)
    for _ in range(3):
        decoder.decode(payload, 0, len(payload))
    gc.collect()
    before = gc.mem_alloc()
    answer = decoder.decode(payload, 0, len(payload))
    after = gc.mem_alloc()
    assert answer is True
    assert after == before
