# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SensorThings observations of a signal head into the normalised form."""

from leezenflow.errors import SignalError
from leezenflow_adapters.one_step import read_json
from leezenflow_adapters.sensorthings import Decoder, newest_observation, result_code
from leezenflow_host.decoding import normal_form
from leezenflow_host.decoding.normal_form import Message


def recognises(payload: bytes) -> bool:
    """Whether `payload` is an Observation or a list of them."""
    try:
        return newest_observation(read_json(payload, 0, len(payload))) is not None
    except SignalError:
        return False


def decode(payload: bytes) -> Message:
    """Decode the (newest) Observation; the group has no number, its name is the stream's own code."""
    decoder = Decoder(None, 0, 0)
    if not decoder.decode(payload, 0, len(payload)):
        raise SignalError("foreign", "no Observation in the list")
    observation = newest_observation(read_json(payload, 0, len(payload)))
    assert observation is not None
    return normal_form.from_states([decoder.state], [f"code {result_code(observation)}"])
