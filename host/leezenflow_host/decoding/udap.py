# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""UDAP streaming frames: their SPATEM and MAPEM payloads, one message each."""

from leezenflow.errors import SignalError
from leezenflow_adapters import udap
from leezenflow_host.decoding import spatem_uper
from leezenflow_host.decoding.normal_form import Message


def recognises(payload: bytes) -> bool:
    """Whether `payload` begins with a frame."""
    return payload[:2] == b"\xaa\xbb"


def split_stream(data: bytes) -> tuple[list[bytes], bytes]:
    """The frames of a stream that carry a payload, and the beginning of one that is not complete yet."""
    frames = []
    at = udap.find_frame(data, 0, len(data))
    while at < len(data):
        end = udap.frame_end(data, at, len(data))
        if not 0 <= end <= len(data):
            return frames, data[at:]
        if udap.payload_start(data, at, end) >= 0:
            frames.append(data[at:end])
        at = udap.find_frame(data, end, len(data))
    return frames, b""


def decode(payload: bytes) -> Message:
    """Decode the message inside one frame; raises SignalError "foreign" for a frame without one."""
    end = udap.frame_end(payload, 0, len(payload)) if recognises(payload) else -1
    if not 0 <= end <= len(payload):
        raise SignalError("truncated" if recognises(payload) else "foreign", "no whole UDAP frame")
    start = udap.payload_start(payload, 0, end)
    if start < 0:
        raise SignalError("foreign", "a UDAP frame without payload")
    return spatem_uper.decode(payload[start:end])
