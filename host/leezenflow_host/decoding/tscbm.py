# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TSCBM datagrams into the normalised form: every phase, pedestrian signal and overlap that is in use."""

from copy import deepcopy

from leezenflow.spatem import DARK
from leezenflow_adapters.tscbm import OVERLAP, PEDESTRIAN, SHORTEST, Decoder, check
from leezenflow_host.decoding import normal_form
from leezenflow_host.decoding.normal_form import Message

_CHANNELS = ((0, "phase"), (PEDESTRIAN, "pedestrian"), (OVERLAP, "overlap"))


def recognises(payload: bytes) -> bool:
    """Whether `payload` begins as a TSCBM with its sixteen blocks."""
    return len(payload) >= SHORTEST and payload[:2] == b"\xcd\x10"


def decode(payload: bytes) -> Message:
    """Decode one datagram; dark groups without countdown are not in use and are left out. Raises SignalError."""
    check(payload, 0, len(payload))
    states, names = [], []
    for offset, name in _CHANNELS:
        for number in range(1, 17):
            decoder = Decoder(None, 0, offset + number)
            if decoder.decode(payload, 0, len(payload)):
                first = decoder.state.movement.events[0]
                if first.event_state != DARK or first.min_end_time is not None:
                    states.append(deepcopy(decoder.state))
                    names.append(f"{name} {number}")
    return normal_form.from_states(states, names)
