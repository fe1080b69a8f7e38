# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every adapter in the folder: its literals, and that no bytes whatever raise but a SignalError."""

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leezenflow.errors import SignalError
from leezenflow.spatem import IntersectionState
from leezenflow_host.drivers import adapter_runtimes, driver_names, driver_options
from leezenflow_host.trace import TraceReader

TRACES = Path(__file__).parents[1] / "traces"
ADAPTERS = driver_names("adapter")
# What an adapter cannot do without.
SITE_OPTIONS = {"fixed_time": {"plans": ["day red=30 red_amber=1 green=24 amber=2"]}}
# No message a step needs more than this many: the largest recording is done in 200.
MAX_STEPS = 20_000


def decoder_of(adapter: str, signal_group: int = 12) -> Any:
    return importlib.import_module(f"leezenflow_adapters.{adapter}").Decoder(
        None, 1090, signal_group, SITE_OPTIONS.get(adapter)
    )


@cache
def payloads_of(adapter: str) -> list[bytes]:
    with TraceReader(TRACES / f"{adapter}.jsonl.gz", strict=True) as trace:
        return [message.payload for message in trace]


def outcome(decoder: Any, payload: bytes | bytearray) -> bool | str:
    """The answer to one message, or the kind of its SignalError; anything else that is raised fails the test."""
    decoder.begin(payload, 0, len(payload))
    try:
        for _ in range(MAX_STEPS):
            answer = decoder.step()
            if answer is not None:
                assert answer in (True, False)
                return answer
    except SignalError as error:
        assert error.kind.isidentifier()
        assert str(error)
        return error.kind
    raise AssertionError(f"not done after {MAX_STEPS} steps")


def test_the_adapters_are_found():
    assert {"spatem_uper", "spatem_xml", "its_json", "tscbm", "rsmp", "udap", "sensorthings"} <= set(ADAPTERS)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_literals_and_interface(adapter: str):
    runtimes = adapter_runtimes(adapter)
    assert set(runtimes) <= {"device", "host"}
    assert "host" in runtimes
    for option in driver_options("adapter", adapter).values():
        assert option["help"] and "default" in option and option["type"] in ("int", "str", "bool", "list")
    decoder = decoder_of(adapter)
    assert isinstance(decoder.state, IntersectionState)
    assert decoder.decode(payloads_of(adapter)[0], 0, len(payloads_of(adapter)[0])) in (True, False)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_defaults_are_what_no_options_mean(adapter: str):
    module = importlib.import_module(f"leezenflow_adapters.{adapter}")
    defaults = {name: option["default"] for name, option in driver_options("adapter", adapter).items()}
    needed = SITE_OPTIONS.get(adapter, {})
    plain, spelled_out = decoder_of(adapter), module.Decoder(None, 1090, 12, {**defaults, **needed})
    for payload in payloads_of(adapter)[:20]:
        assert outcome(plain, payload) == outcome(spelled_out, payload)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_truncation(adapter: str):
    payload = payloads_of(adapter)[0]
    for end in range(0, len(payload), 1 if len(payload) < 3000 else 7):
        # A buffer that ends with the message, and one that goes on with something else.
        for buffer in (payload[:end], payload[:end] + b"\xff<\x00{" * 8):
            decoder = decoder_of(adapter)
            decoder.begin(buffer, 0, end)
            try:
                while decoder.step() is None:
                    pass
            except SignalError as error:
                assert error.kind.isidentifier()


@pytest.mark.parametrize("adapter", ADAPTERS)
@given(data=st.data())
def test_damage_anywhere(adapter: str, data: st.DataObject):
    payload = bytearray(data.draw(st.sampled_from(payloads_of(adapter))))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(payload) - 1))
        match data.draw(st.sampled_from(["flip", "set", "cut", "double"])):
            case "flip":
                payload[at] ^= 1 << data.draw(st.integers(0, 7))
            case "set":
                payload[at] = data.draw(st.integers(0, 255))
            case "cut":
                del payload[at : at + data.draw(st.integers(1, 40))]
            case _:
                payload[at:at] = payload[at : at + data.draw(st.integers(1, 40))]
        if not payload:
            break
    decoder = decoder_of(adapter)
    outcome(decoder, payload)
    # And it does not remember: sound messages are read as before.
    sound = [outcome(decoder, message) for message in payloads_of(adapter)[:5]]
    assert True in sound


@pytest.mark.parametrize("adapter", ADAPTERS)
@given(noise=st.binary(max_size=600))
def test_noise(adapter: str, noise: bytes):
    assert outcome(decoder_of(adapter), noise) is not True


KEYS = """
message_type message intersections states id signal_group state_time_speed event_state timing status min_end_time spat
SPAT mType type sS cId sTs sCI n s q result resultTime phenomenonTime value Datastream
"""
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("recent")
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=30,
)


@pytest.mark.parametrize("adapter", ["its_json", "rsmp", "sensorthings"])
@given(document=JSON)
def test_any_json(adapter: str, document: Any):
    outcome(decoder_of(adapter), json.dumps(document).encode())


def graft(document: Any, data: st.DataObject) -> Any:
    """The document with one value somewhere in it replaced by another."""
    if isinstance(document, dict) and document and data.draw(st.booleans() | st.just(True)):
        key = data.draw(st.sampled_from(sorted(document)))
        return {**document, key: graft(document[key], data)}
    if isinstance(document, list) and document and data.draw(st.booleans() | st.just(True)):
        index = data.draw(st.integers(0, len(document) - 1))
        return [*document[:index], graft(document[index], data), *document[index + 1 :]]
    return data.draw(JSON)


@pytest.mark.parametrize("adapter", ["its_json", "rsmp", "sensorthings"])
@given(data=st.data())
def test_one_odd_value_in_sound_json(adapter: str, data: st.DataObject):
    payload = data.draw(st.sampled_from(payloads_of(adapter)[:20]))
    document = json.loads(payload.split(b"\x0c")[0])
    outcome(decoder_of(adapter), json.dumps(graft(document, data)).encode())


@pytest.mark.parametrize("adapter", ["rsmp", "udap"])
@given(data=st.data())
def test_a_stream_may_be_cut_anywhere(adapter: str, data: st.DataObject):
    """In whatever pieces it comes: nothing is lost, and the last answer is the same."""
    stream = b"".join(payloads_of(adapter)[:12])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder = decoder_of(adapter)
    answers = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        answers.append(outcome(decoder, stream[start:end]))
    whole = decoder_of(adapter)
    assert outcome(whole, stream) is True
    assert True in answers
    assert (decoder.state.moy, decoder.state.time_stamp) == (whole.state.moy, whole.state.time_stamp)
    ours = [event.min_end_time for event in decoder.state.movement.events[: decoder.state.movement.event_count]]
    assert ours == [event.min_end_time for event in whole.state.movement.events[: whole.state.movement.event_count]]
