# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSMP status messages (S0001, S0025) into the normalised form."""

import json
import re
from collections.abc import Iterator
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_adapters.one_step import read_json
from leezenflow_adapters.rsmp import MAX_BYTES, Decoder
from leezenflow_host.decoding import normal_form
from leezenflow_host.decoding.normal_form import Message

_COMPONENT_GROUP = re.compile(r"SG(\d{1,5})$")


def recognises(payload: bytes) -> bool:
    """Whether `payload` is RSMP, to judge by its first message."""
    if payload.lstrip()[:1] != b"{":
        return False
    try:
        message = read_json(payload.split(b"\x0c")[0], 0, len(payload))
    except SignalError:
        return False
    return isinstance(message, dict) and message.get("mType") == "rSMsg"


def split_stream(data: bytes) -> tuple[list[bytes], bytes]:
    """The status messages of a stream, and the beginning of one that is not complete yet."""
    *texts, rest = data.split(b"\x0c")
    try:
        # Recordings and gateways may leave the form feed out.
        read_json(rest, 0, len(rest))
    except SignalError:
        pass
    else:
        texts.append(rest)
        rest = b""
    return [text for text in texts if b'"StatusUpdate"' in text or b'"StatusResponse"' in text], rest


def decode(payload: bytes) -> Message:
    """Decode one StatusUpdate or StatusResponse: the groups S0001 shows, or the one S0025 is about."""
    if len(payload) > MAX_BYTES:
        raise SignalError("oversized", f"{len(payload)} bytes, at most {MAX_BYTES}")
    payload = payload.strip(b"\x0c")
    message = read_json(payload, 0, len(payload))
    if not isinstance(message, dict) or message.get("mType") != "rSMsg":
        raise SignalError("foreign", "no RSMP message")
    states, names = [], []
    for group, name in _groups(message):
        decoder = Decoder(None, 0, group)
        if decoder.decode(payload, 0, len(payload)):
            states.append(decoder.state)
            names.append(name)
    return normal_form.from_states(states, names)


def _groups(message: dict[str, Any]) -> Iterator[tuple[int, str | None]]:
    """Numbers and names of the groups a message is about."""
    statuses = message.get("sS")
    characters = ""
    for status in statuses if isinstance(statuses, list) else ():
        if isinstance(status, dict) and status.get("n") == "signalgroupstatus" and isinstance(status.get("s"), str):
            characters = status["s"][:255]
    for number, character in enumerate(characters, 1):
        if character != "-":
            yield number, f"status {json.dumps(character)[1:-1]}"
    if not characters:
        component = message.get("cId")
        found = _COMPONENT_GROUP.search(component) if isinstance(component, str) else None
        if found:
            yield int(found.group(1)), component
