# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM in XML means to our decoder what it means to ElementTree, and damage never does more than a SignalError."""

from random import Random

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from xml_documents import Style, document, flatten, mean

from leezenflow.errors import SignalError
from leezenflow_adapters import spatem_xml, spatem_xml_events
from leezenflow_adapters.spatem_xml import Decoder

KINDS = {"truncated", "foreign", "malformed", "oversized", "no_signal_group"}
GROUPS = ([12], [1, 12], [13, 11, 12, 14], [12, 12, 5], [300, 0, 12])
# Pieces that change what is around them.
PIECES = (
    b"<",
    b">",
    b"<!--",
    b"-->",
    b"]]>",
    b"<![CDATA[",
    b"</MovementState>",
    b"&",
    b"'",
    b'"',
    b"<x>",
    b"</",
    b"9" * 30,
)


def read(decoder: Decoder, payload: bytes | bytearray, size: int) -> object:
    """What the decoder says of `payload[:size]`, in the form of `mean`."""
    try:
        return flatten(decoder.state) if decoder.decode(payload, 0, size) else "other"
    except SignalError as error:
        assert error.kind in KINDS
        assert error.offset is not None and 0 <= error.offset <= size
        return error.kind


def read_in_steps(decoder: Decoder, payload: bytes, work: int, monkeypatch: pytest.MonkeyPatch) -> object:
    """The same in steps of `work`."""
    with monkeypatch.context() as patch:
        patch.setattr(spatem_xml, "_STEP_US", work)
        decoder.begin(payload, 0, len(payload))
        answer = None
        try:
            for _ in range(100 + 40 * len(payload)):
                answer = decoder.step()
                if answer is not None:
                    break
        except SignalError as error:
            return error.kind
    assert answer is not None, "it does not come to an end"
    return flatten(decoder.state) if answer else "other"


# (The random numbers are not Hypothesis's own: a document of a thousand choices is beyond what it can shrink.)
@given(st.integers(0, 2**32), st.sampled_from([49, 49, 49, None, 7]), st.sampled_from([12, 12, 12, 99]))
def test_a_document_means_what_elementtree_reads(seed: int, region: int | None, group: int):
    random = Random(seed)
    styles = [Style(random), Style(random)]
    groups = random.choice(GROUPS)
    decoder = Decoder(region, 1090, group)
    with pytest.MonkeyPatch.context() as monkeypatch:
        # As on a board, or as on a laptop.
        monkeypatch.setattr(spatem_xml_events, "_REMEMBERS", random.random() < 0.5)
        for _ in range(8):
            # One decoder sees them all: what it has learned from one message must not change what it reads in another.
            payload = document(random, styles[random.random() < 0.2], list(groups), random.choice((0, 0, 0, 1, 2)))
            wanted = mean(payload, region, 1090, group)
            event(wanted if isinstance(wanted, str) else "read")
            if random.random() < 0.5:
                buffer = bytearray(payload) + b"</MovementState>99"
                assert read(decoder, buffer, len(payload)) == wanted
            else:
                work = random.choice((1, 500, 12000))
                assert read_in_steps(decoder, payload, work, monkeypatch) == wanted


@given(st.integers(0, 2**32))
def test_damage_is_a_signal_error_or_an_answer(seed: int):
    random = Random(seed)
    sound = document(random, Style(random), [1, 12, 14], random.choice((0, 1)))
    decoder = Decoder(49, 1090, 12)
    read(decoder, sound, len(sound))
    for _ in range(8):
        damaged = damage(random, bytearray(sound))
        found = read(decoder, damaged, len(damaged))
        event(found if isinstance(found, str) else "read")
        # A decoder that has learned nothing answers as well; where damage makes a message mean two things, not
        # always the same.
        fresh = read(Decoder(49, 1090, 12), damaged, len(damaged))
        assert isinstance(found, (str, tuple)) and isinstance(fresh, (str, tuple))
        assert decoder.step() is False


def damage(random: Random, payload: bytearray) -> bytearray:
    for _ in range(random.choice((1, 1, 2, 5, 30))):
        if not payload:
            break
        kind = random.randrange(5)
        at = random.randrange(len(payload))
        behind = at + random.choice((1, 2, 10, 500))
        if kind == 0:
            payload[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            del payload[at:behind]
        elif kind == 2:
            payload[at:at] = payload[random.randrange(len(payload)) :][: behind - at]
        elif kind == 3:
            payload[at:at] = random.choice(PIECES)
        else:
            del payload[at:]
    return payload
