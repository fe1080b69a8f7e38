# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lamps as they are sampled: flicker of the mains, overlaps, flashing, lamps that fail."""

from leezenflow.engine import Engine
from leezenflow.errors import SignalError
from leezenflow_adapters.lamp_sense import AMBER, GREEN, RED, Decoder
from signals import Site

INTERVAL_MS = 17


class Lamps:
    """Writes samples into messages and follows what the decoder makes of them."""

    def __init__(self, options=None, counter=0):
        self.decoder = Decoder(None, 1090, 12, options)
        self.counter = counter

    def message(self, masks):
        counter = self.counter
        self.counter = (counter + INTERVAL_MS * len(masks)) & 0x3FFFFFFF
        head = bytearray(5)
        for i in range(4):
            head[i] = counter >> (8 * i) & 255
        head[4] = INTERVAL_MS
        return bytes(head) + bytes(masks)

    def show(self, *stretches):
        """The event states seen over stretches of (mask, ms), each once."""
        seen = []
        for mask, ms in stretches:
            for _ in range(ms // (4 * INTERVAL_MS)):
                payload = self.message([mask] * 4)
                assert self.decoder.decode(payload, 0, len(payload)) is True
                state = self.decoder.state.movement.events[0].event_state
                if not seen or seen[-1] != state:
                    seen.append(state)
        return seen


def refused(payload):
    try:
        Decoder(None, 1090, 12).decode(payload, 0, len(payload))
    except SignalError as error:
        return error.kind
    return None


def test_a_cycle():
    lamps = Lamps()
    seen = lamps.show((RED, 3_000), (RED | AMBER, 1_000), (GREEN, 5_000), (AMBER, 3_000), (RED, 1_000))
    assert seen == [0, 3, 4, 6, 8, 3]
    state = lamps.decoder.state
    assert (state.id, state.movement.signal_group, state.movement.event_count) == (1090, 12, 1)
    assert state.movement.events[0].min_end_time is None
    assert state.moy == 0
    assert 12_500 < state.time_stamp <= 13_000


def test_the_mains_may_flicker():
    lamps = Lamps()
    lamps.show((RED, 500))
    for masks in ([RED, 0, 0, 0], [0, RED, 0, 0], [RED, RED, RED, 0]) * 20:
        payload = lamps.message(masks)
        lamps.decoder.decode(payload, 0, len(payload))
        assert lamps.decoder.state.movement.events[0].event_state == 3


def test_an_overlap_while_lamps_change_is_no_state():
    lamps = Lamps()
    assert lamps.show((GREEN, 1_000), (GREEN | AMBER, 70), (AMBER, 1_000)) == [0, 6, 8]


def test_what_is_no_signal_is_unavailable():
    lamps = Lamps()
    assert lamps.show((RED, 1_000), (RED | GREEN, 1_000)) == [0, 3, 0]
    assert lamps.show((RED, 1_000), (0, 2_000)) == [0, 3, 0]
    assert lamps.show((GREEN | AMBER, 1_000)) == [0]


def test_flashing_amber():
    lamps = Lamps()
    lamps.show((RED, 2_000))
    seen = lamps.show(*((AMBER, 500), (0, 500)) * 6)
    # At first it looks like amber; from the second return on it is flashing.
    assert seen[:2] == [3, 8]
    assert seen[-1] == 9
    assert lamps.show(*((AMBER, 500), (0, 500)) * 3) == [9]
    assert lamps.show((AMBER, 3_000)) == [9, 8]
    assert lamps.show((RED, 1_000)) == [8, 3]


def test_flashing_red_and_green():
    lamps = Lamps()
    assert lamps.show(*((RED, 500), (0, 500)) * 5)[-1] == 2
    assert lamps.show((GREEN, 1_000))[-1] == 6
    # Four blinks of green before amber, as in Austria.
    assert lamps.show(*(((GREEN, 500), (0, 500)) * 4 + ((AMBER, 3_000),))) == [6, 8]


def test_pauses_that_are_no_flashes():
    lamps = Lamps()
    lamps.show((RED, 2_000))
    assert lamps.show(*((RED, 2_000), (0, 170)) * 4) == [3]
    # Flashes with a colour between them do not add up.
    seen = lamps.show((AMBER, 500), (0, 500), (AMBER, 500), (RED, 2_000), (0, 500), (AMBER, 500), (RED, 2_000))
    assert 9 not in seen
    assert 2 not in seen


def test_without_a_wire_to_amber_dark_after_green_is_amber():
    lamps = Lamps({"amber": False})
    assert lamps.show((GREEN, 3_000), (0, 3_000), (RED, 2_000)) == [0, 6, 8, 3]
    assert lamps.show((0, 3_000)) == [3, 0]
    assert lamps.show((GREEN, 3_000), (0, 8_000)) == [0, 6, 8, 0]


def test_after_a_pause_nothing_is_known():
    lamps = Lamps({"settle_ms": 300})
    lamps.show((GREEN, 1_000))
    lamps.counter += 600
    assert lamps.show((GREEN, 200)) == [0]
    # A unit that was restarted counts from the beginning; its messages go on.
    before = lamps.decoder.state.time_stamp
    lamps.counter = 5
    lamps.show((GREEN, 200))
    assert (lamps.decoder.state.moy, lamps.decoder.state.time_stamp >= before) == (1, True)


def test_the_counter_wraps():
    lamps = Lamps(counter=(1 << 30) - 1_000)
    assert lamps.show((RED, 3_000)) == [0, 3]
    assert 2_900 <= lamps.decoder.state.time_stamp <= 3_000


def test_what_is_no_run_of_samples():
    assert refused(b"") == "truncated"
    assert refused(b"\0\0\0\0\x11") == "truncated"
    assert refused(b"\0\0\0\x40\x11\0") == "malformed"
    assert refused(b"\0\0\0\0\0\0") == "malformed"
    assert refused(b"\0\0\0\0\x65\0") == "malformed"
    assert refused(b"\0\0\0\0\x11\x08") == "malformed"
    assert refused(bytes(406)) == "oversized"


def test_the_engine_learns_its_forecast():
    lamps = Lamps()
    engine = Engine(Site(5_000), lamps.decoder)
    now = 0
    kinds = []
    for _ in range(13):
        for mask, ms in ((RED, 19_992), (RED | AMBER, 1_020), (GREEN, 14_960), (AMBER, 2_992)):
            for _ in range(ms // 136):
                payload = lamps.message([mask] * 8)
                now += 136
                assert engine.message(payload, 0, len(payload), now)
                kinds.append(engine.frame(now).kind)
                if len(kinds) > 290:
                    del kinds[0]
    # All of the last cycle but what lies round the switches.
    assert kinds.count("green") + kinds.count("red") > 170
    assert {"green", "red"} <= set(kinds)
