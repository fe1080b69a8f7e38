# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UPER: what is written is read, the two decoders agree, and damage gives a SignalError and nothing else."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spat_strategies import MESSAGES

from bit_writer import message_frame, spatem
from leezenflow.errors import SignalError
from leezenflow_adapters import spatem_uper
from leezenflow_host.decoding import spatem_uper as full

SAMPLES = Path(__file__).parents[1] / "samples/spat_uper"


def read_samples() -> list[Any]:
    samples = []
    for path in sorted(SAMPLES.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                row = json.loads(line)
                name = row.get("name", f"{path.name.split('.')[0]}-{number}")
                samples.append(pytest.param(bytes.fromhex(row["hex"]), row["expected"], id=name))
    return samples


ALL_SAMPLES = read_samples()


def test_no_sample_is_missing():
    assert len(ALL_SAMPLES) == 60 + 11 + 1


@pytest.mark.parametrize(("payload", "expected"), ALL_SAMPLES)
def test_full_decode_of_the_samples(payload: bytes, expected: dict[str, Any]):
    assert full.decode(payload) == expected


@pytest.mark.parametrize(("payload", "expected"), ALL_SAMPLES)
def test_one_group_of_the_samples(payload: bytes, expected: dict[str, Any]):
    check_every_group(payload, expected)


def check_every_group(payload: bytes, message: dict[str, Any]) -> None:
    """Each group, asked for alone, is what the full decode says; the first counts where one comes twice."""
    seen = set()
    for intersection in message["intersections"]:
        for movement in intersection["movements"]:
            key = (intersection["region"], intersection["id"], movement["signal_group"])
            if key not in seen:
                check_group(payload, message, intersection, movement)
            seen.add(key)


def check_group(
    payload: bytes, message: dict[str, Any], intersection: dict[str, Any], movement: dict[str, Any]
) -> None:
    decoder = spatem_uper.Decoder(
        # None would take any region: another one of the same id might come first.
        intersection["region"],
        intersection["id"],
        movement["signal_group"],
    )
    if intersection["region"] is None and len(message["intersections"]) > 1:
        return
    assert decoder.decode(payload, 0, len(payload)) is True
    state = decoder.state
    minute = intersection["moy"] if intersection["moy"] is not None else message["spat_time_stamp_moy"]
    assert state.region == intersection["region"]
    assert state.id == intersection["id"]
    assert state.revision == intersection["revision"]
    assert state.status == intersection["status_value"]
    assert state.moy == (minute if minute is not None and minute <= 527_040 else None)
    assert state.time_stamp == intersection["time_stamp_ms"]
    assert state.movement.signal_group == movement["signal_group"]
    assert state.movement.event_count == len(movement["events"])
    for event, expected in zip(state.movement.events, movement["events"], strict=False):
        assert event.event_state == expected["state"]
        assert event.start_time == expected["start"]
        assert event.min_end_time == expected["min_end"]
        assert event.max_end_time == expected["max_end"]
        assert event.likely_time == expected["likely"]
        assert event.confidence == expected["confidence"]
        assert event.next_time == expected["next"]
        reasons = [entry["value"].get("stateChangeReason") for entry in expected["regional"] if "type" in entry]
        reason = event.state_change_reason
        names = [None if reason is None else full.STATE_CHANGE_REASONS[reason]]
        assert names == [reason for reason in reasons if reason][-1:] or (reason is None and not any(reasons))


def compare(given_part: dict[str, Any], decoded: dict[str, Any]) -> None:
    for key, value in given_part.items():
        if key in ("additions", "type_code", "confidence_code"):
            continue
        if key in ("regional", "spat_regional"):
            if key in decoded:
                assert [entry["region_id"] for entry in decoded[key]] == [entry["region_id"] for entry in value]
                for entry, got in zip(value, decoded[key], strict=True):
                    assert got.get("hex", entry["content"].hex()) == entry["content"].hex()
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            assert len(value) == len(decoded[key])
            for item, got in zip(value, decoded[key], strict=True):
                compare(item, got)
        elif key in ("start", "max_end", "likely", "confidence", "next") and given_part.get("min_end") is None:
            assert decoded[key] is None
        else:
            assert decoded[key] == value


@given(MESSAGES, st.sampled_from([spatem, message_frame]))
def test_what_is_written_is_read(message: dict[str, Any], wrap: Any):
    payload = wrap(message)
    if len(payload) > spatem_uper.MAX_BYTES:
        return
    decoded = full.decode(payload)
    compare(message, decoded)
    check_every_group(payload, decoded)


def outcome(payload: bytes, message: dict[str, Any]) -> Any:
    first = message["intersections"][0]
    decoder = spatem_uper.Decoder(None, first["id"], first["movements"][-1]["signal_group"])
    try:
        return decoder.decode(payload, 0, len(payload))
    except SignalError as error:
        return error.kind


@given(MESSAGES, st.data())
def test_every_truncation_is_refused(message: dict[str, Any], data: st.DataObject):
    payload = spatem(message)
    cut = payload[: data.draw(st.integers(0, len(payload) - 1))]
    assert outcome(cut, message) in ("truncated", "foreign", "oversized")
    with pytest.raises(SignalError):
        full.decode(cut)


@given(MESSAGES, st.data())
def test_flipped_bits_give_an_answer_or_a_signal_error(message: dict[str, Any], data: st.DataObject):
    payload = bytearray(spatem(message))
    for bit in data.draw(st.lists(st.integers(0, len(payload) * 8 - 1), min_size=1, max_size=8)):
        payload[bit >> 3] ^= 0x80 >> (bit & 7)
    answer = outcome(bytes(payload), message)
    assert answer in (True, False, "truncated", "malformed", "foreign", "oversized")
    try:
        decoded = full.decode(bytes(payload))
    except SignalError:
        return
    if len(payload) <= spatem_uper.MAX_BYTES:
        check_every_group(bytes(payload), decoded)


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x02\x04\0\0\0\1", b"\x00\x13", b"\x07\xd4\0\0", b"\x03\x81"]))
def test_noise_gives_an_answer_or_a_signal_error(noise: bytes, head: bytes):
    payload = head + noise
    decoder = spatem_uper.Decoder(None, 1090, 12)
    for buffer, end in ((payload, len(payload)), (bytearray(payload + b"\xff\xff"), len(payload))):
        try:
            assert decoder.decode(buffer, 0, end) in (True, False)
        except SignalError as error:
            assert error.kind in ("truncated", "malformed", "foreign")
    try:
        decoded = full.decode(payload)
    except SignalError:
        return
    check_every_group(payload, decoded)
