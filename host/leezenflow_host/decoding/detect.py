# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wire format a payload is in, and its messages in the normalised form.

Nothing is registered: the full decoder of an adapter is the module of this package with the adapter's name. It has
`decode(payload)` and may have `recognises(payload)`, and `split(payload)` for payloads that hold several messages or
`split_stream(data)` for byte streams, which gives the complete messages and the rest.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_adapters import v2x_wrappers
from leezenflow_host import decoding
from leezenflow_host.decoding.normal_form import Message
from leezenflow_host.errors import InputError

# The beginning of one message of a stream; an RSMP message with everything a controller knows has 20 kB.
MAX_REST_BYTES = 128 * 1024

_HEX = re.compile(rb"(?:0[xX])?[0-9a-fA-F]{2}(?:[\s:]*[0-9a-fA-F]{2})*")
# What US systems hand to a roadside unit over UDP ("immediate forward"): lines of Key=Value, one of them this.
_FORWARDED = re.compile(rb"^\s*Payload\s*=\s*([0-9a-fA-F]{6,})\s*$", re.IGNORECASE | re.MULTILINE)


def decoder_names() -> list[str]:
    """Names of the wire formats that can be decoded in full."""
    return [module.name for module in pkgutil.iter_modules(decoding.__path__) if hasattr(_load(module.name), "decode")]


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"{decoding.__name__}.{name}")


def find_decoder(name: str) -> ModuleType:
    """The full decoder of that name; InputError where there is none."""
    names = decoder_names()
    if name not in names:
        raise InputError(f"--adapter {name}: no messages of that name can be decoded. Known: {', '.join(names)}.")
    return _load(name)


class PayloadDecoder:
    """Decodes payloads one after the other; a message of a byte stream may begin in one and end in the next.

    A given adapter is a hint: a MAPEM among SPATEMs, or hexadecimal text around them, is decoded all the same.
    """

    def __init__(self, adapter: str | None = None) -> None:
        self._adapter = adapter
        self._stream: ModuleType | None = None
        self._rest = b""

    def decode(self, payload: bytes, adapter: str | None = None) -> Iterator[Message | SignalError]:
        """Every message that is complete with `payload`; one that cannot be read is its SignalError.

        `adapter` is the hint for this payload, where the object was made without one.
        """
        name = self._adapter or adapter
        decoder = find_decoder(name) if name is not None else None
        if self._rest:
            payload, decoder, self._rest = self._rest + payload, self._stream, b""
        else:
            recognises = getattr(decoder, "recognises", None)
            if recognises is None or not recognises(payload):
                payload, found = detect(payload)
                decoder = found or decoder
        if decoder is None:
            yield SignalError("foreign", f"no known message ({describe(payload)})")
            return
        for part in self._split(decoder, payload):
            try:
                yield decoder.decode(part)
            except SignalError as error:
                yield error
        if len(self._rest) > MAX_REST_BYTES:
            self._rest = b""
            yield SignalError("oversized", f"a message of more than {MAX_REST_BYTES} bytes")

    def close(self) -> Iterator[SignalError]:
        """What is still waiting for its end when there is no more."""
        if self._rest.strip():
            yield SignalError("truncated", f"the end is missing of {describe(self._rest)}")
        self._rest = b""

    def _split(self, decoder: ModuleType, payload: bytes) -> list[bytes]:
        split_stream = getattr(decoder, "split_stream", None)
        if split_stream is not None:
            self._stream = decoder
            parts, self._rest = split_stream(payload)
            return parts
        split = getattr(decoder, "split", None)
        return split(payload) if split else [payload]


def detect(payload: bytes) -> tuple[bytes, ModuleType | None]:
    """The payload without a text form around it, and the decoder for it (None where nothing knows it)."""
    for name in decoder_names():
        recognises = getattr(_load(name), "recognises", None)
        if recognises is not None and recognises(payload):
            return payload, _load(name)
    wrapping = v2x_wrappers.Wrapping()
    try:
        wrapping.open(payload, 0, len(payload))
    except SignalError as error:
        inner = unpack_text(payload)
        if inner is not None:
            return detect(inner)
        # A MessageFrame cut short is one all the same: its decoder says what is wrong.
        return payload, None if error.kind == "foreign" else _load("spatem_uper")
    return payload, _load("mapem_uper" if wrapping.message == v2x_wrappers.MAP else "spatem_uper")


def unpack_text(payload: bytes) -> bytes | None:
    """The octets in a hexadecimal text, or in an object that carries one (the ODE's `asn1`, `hex`); else None."""
    text = payload.strip()
    forwarded = _FORWARDED.search(text)
    if forwarded:
        text = forwarded.group(1)
    if _HEX.fullmatch(text):
        return bytes.fromhex(re.sub(r"^0[xX]|:", "", text.decode("ascii")))
    if text[:1] != b"{":
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for value in _hex_members(document):
        if isinstance(value, str) and value.isascii() and _HEX.fullmatch(value.strip().encode()):
            return unpack_text(value.encode())
    return None


def _hex_members(document: Any) -> Iterator[Any]:
    if isinstance(document, dict):
        yield document.get("hex")
        yield document.get("asn1")
        metadata = document.get("metadata")
        if isinstance(metadata, dict):
            yield metadata.get("asn1")
        payload = document.get("payload")
        data = payload.get("data") if isinstance(payload, dict) else None
        if isinstance(data, dict):
            yield data.get("bytes")


def describe(payload: bytes) -> str:
    """The beginning of a payload, for an error message."""
    head = payload[:12]
    shown = repr(head.decode()) if head.isascii() and head.decode().isprintable() else head.hex(" ")
    return f"{len(payload)} bytes beginning with {shown}" if payload else "it is empty"
