# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The payloads in a file or stream, whatever form they were saved in.

Recordings, packet captures, XML and JSON, texts with a hexadecimal or base64 message a line, and plain binary.
"""

import base64
import binascii
import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from leezenflow.errors import SignalError
from leezenflow_host.decoding import captures
from leezenflow_host.decoding.detect import PayloadDecoder
from leezenflow_host.errors import InputError
from leezenflow_host.packing import CutOffError, read_lines
from leezenflow_host.trace import DamagedLineError, TraceReader, parse_message

# Larger files than this are recordings or packet captures, which are read piece by piece.
MAX_BYTES = 256 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
# What some programs for Windows write, PowerShell's ">" among them.
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TRACE = re.compile(rb'\s*\{\s*"leezenflow_trace"')
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_HEX_LINE = re.compile(r"(?:0[xX])?[0-9a-fA-F]{2}(?:[\s:,]*(?:(?<=[\s:,])0[xX])?[0-9a-fA-F]{2})*[\s,]*")
_ODD_HEX_LINE = re.compile(r"(?:0[xX])?[0-9a-fA-F\s]+")
# A line of `xxd`, `hexdump -C` or Wireshark: the place, up to 16 octets, and what they are as text.
_DUMP_LINE = re.compile(
    r"([0-9a-fA-F]{4,8})[:\s]\s*((?:[0-9a-fA-F]{2}){1,2}(?: {1,2}(?:[0-9a-fA-F]{2}){1,2}){0,15})(?:\s{2,}.*)?"
)
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
# Logs of US tools: the arrival in Unix ms before the message. RSU "immediate forward" files: Payload=<hex>.
_TIME_BEFORE = re.compile(r"^(\d{13})\s*[:;,]?\s+")
_PAYLOAD_FIELD = re.compile(r"^\s*Payload\s*=\s*", re.IGNORECASE)
_OTHER_FIELD = re.compile(r"\s*(?!payload\s*=)[A-Za-z]\w*\s*=\s*(?:$|[^=\s])", re.IGNORECASE)
_MIN_ODD_DIGITS = 40
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f")) + b"\x7f"


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload, and where it stood ("line 3"); where that could not be read, `data` is empty and `error` says why.

    `adapter` is what a recording says its payloads are; `at_ms` the arrival (Unix ms), where it is known.
    """

    data: bytes
    where: str
    at_ms: int | None = None
    topic: str = ""
    adapter: str | None = None
    error: str | None = None


def read_file(path: Path) -> Iterator[Payload]:
    """The payloads in a file; InputError for one that is empty or too large, OSError where it cannot be read."""
    with open(path, "rb") as file:
        head = file.peek(4096)
        if head[:4] in _PACKED or head[:2] in _PACKED:
            try:
                first = next(read_lines(file), b"")
            except CutOffError as error:
                raise InputError(f"{path}: packed, but {error}. Copy or record it again.") from error
            file.seek(0)
            if _TRACE.match(first):
                yield from _read_trace(path)
            else:
                yield from read_bytes(_unpack(path, file))
        elif _TRACE.match(head):
            yield from _read_trace(path)
        elif captures.is_capture(head):
            yield from _read_capture(file)
        else:
            data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise InputError(f"{path}: larger than {MAX_BYTES >> 20} MB and no recording. Decode a part of it.")
            yield from read_bytes(data)


def read_stream(stream: BinaryIO) -> Iterator[Payload]:
    """The payloads of a pipe. Texts with a message a line are handed on line by line, as they come."""
    first = stream.readline(MAX_BYTES)
    if not _TRACE.match(first) and _is_text(first) and _is_whole(first):
        yield from _lines_of(first, stream)
        return
    data = first + stream.read(MAX_BYTES)
    if data[:4] in _PACKED or data[:2] in _PACKED or _TRACE.match(data):
        # A recording is read from a file only: it may be longer than memory.
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as copy:
            copy.write(data)
            copy.flush()
            yield from read_file(Path(copy.name))
        return
    yield from read_bytes(data)


def read_bytes(data: bytes) -> Iterator[Payload]:
    """The payloads in the contents of a file that is no recording."""
    if captures.is_capture(data):
        yield from _read_capture(io.BytesIO(data))
        return
    if not data.strip():
        return
    if data[:2] in _UTF16:
        data = _from_utf16(data)
    if not _is_text(data):
        yield Payload(data, "the file")
        return
    text = data.removeprefix(_BOM).lstrip()
    if text[:1] == b"<":
        yield Payload(data, "the file")
    elif text[:1] in (b"{", b"["):
        yield from _read_json(text)
    else:
        yield from _read_lines(data)


def _from_utf16(data: bytes) -> bytes:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        return data  # octets that happen to begin like it
    # XML may name the encoding that it no longer has.
    return re.sub(r"""^(<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']""", r"\1", text, count=1).encode(
        "utf-8", "replace"
    )


def _read_trace(path: Path) -> Iterator[Payload]:
    with TraceReader(path) as reader:
        reported = 0
        for message in reader:
            for problem in reader.problems[reported:]:
                yield Payload(b"", f"line {problem.line}", error=problem.text)
            reported = len(reader.problems)
            where = f"line {message.line}"
            yield Payload(message.payload, where, message.at_ms, message.topic, reader.header.adapter)
        for problem in reader.problems[reported:]:
            yield Payload(b"", f"line {problem.line}", error=problem.text)


def _read_capture(file: BinaryIO) -> Iterator[Payload]:
    try:
        for number, at_ms, data in captures.read_capture(file):
            yield Payload(data, f"packet {number}", at_ms)
    except captures.CaptureError as error:
        yield Payload(b"", "the capture", error=str(error))


def _unpack(path: Path, file: io.BufferedReader) -> bytes:
    data = bytearray()
    try:
        for line in read_lines(file):
            data += line
            if len(data) > MAX_BYTES:
                raise InputError(f"{path}: larger than {MAX_BYTES >> 20} MB when unpacked. Decode a part of it.")
    except CutOffError as error:
        if not data:
            raise InputError(f"{path}: {error}. Copy the file again.") from error
    return bytes(data)


def _read_json(text: bytes) -> Iterator[Payload]:
    """One document, a document a line, or documents one behind the other; RSMP divides its own."""
    with suppress(ValueError, RecursionError):
        json.loads(text)
        yield from _of_line(text.decode(), "the file")
        return
    if b"\x0c" in text:
        yield Payload(text, "the file")
        return
    lines = text.splitlines()
    if _is_whole(lines[0]):
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield from _of_line(line.decode(), f"line {number}")
        return
    decoder = json.JSONDecoder()
    document = text.decode()
    at, number = 0, 0
    while at < len(document):
        number += 1
        try:
            _, end = decoder.raw_decode(document, at)
        except (ValueError, RecursionError) as error:
            yield Payload(b"", f"document {number}", error=f"JSON: {error}")
            return
        yield Payload(document[at:end].encode(), f"document {number}")
        at = end
        while at < len(document) and document[at] in " \t\r\n,":
            at += 1


def _of_line(line: str, where: str) -> Iterator[Payload]:
    """The payload of one line, or those in the JSON list that it is."""
    payload = _line_payload(line, where)
    if payload.data[:1] != b"[" or _is_message(payload.data):
        yield payload
        return
    for number, item in enumerate(json.loads(payload.data), 1):
        # Messages as JSON, or as texts in one of the forms of a line.
        yield _line_payload(item if isinstance(item, str) else json.dumps(item), f"{where}, item {number}")


def _read_lines(data: bytes) -> Iterator[Payload]:
    lines = data.removeprefix(_BOM).decode().splitlines()
    dumped = _undump([line for line in lines if line.strip()])
    if dumped:
        yield Payload(dumped, "the file")
        return
    payloads = [_line_payload(line, f"line {number}") for number, line in enumerate(lines, 1) if _is_content(line)]
    if len(payloads) > 1 and not any(payload.error for payload in payloads) and not _is_message(payloads[0].data):
        # A single message broken into lines, as `xxd -p` and `base64` print it.
        joined = _line_payload("".join(line.strip() for line in lines if _is_content(line)), "the file")
        if joined.error is None and _is_message(joined.data):
            yield joined
            return
    yield from payloads


def _undump(lines: list[str]) -> bytes:
    """The octets of a dump whose places follow one another from 0; b"" for any other text."""
    data = bytearray()
    for line in lines:
        found = _DUMP_LINE.fullmatch(line.rstrip())
        if found is None or int(found.group(1), 16) != len(data):
            # `hexdump` ends with the length on a line of its own.
            ends = line is lines[-1] and re.fullmatch(r"[0-9a-fA-F]{7,8}", line.strip())
            return bytes(data) if data and ends and int(line, 16) == len(data) else b""
        data += bytes.fromhex(found.group(2))
    return bytes(data)


def _lines_of(first: bytes, stream: BinaryIO) -> Iterator[Payload]:
    number = 1
    line = first
    while line:
        text = line.decode("utf-8", "replace")
        if _is_content(text):
            yield from _of_line(text, f"line {number}")
        line = stream.readline(MAX_BYTES)
        number += 1


def _is_content(line: str) -> bool:
    if not line.strip() or line.lstrip().startswith("#"):
        return False
    # "Version=0.7" and the like around a Payload=; base64 may end in "=", too, but is longer than such a name.
    return not _OTHER_FIELD.match(line) or _BASE64_LINE.fullmatch(line.strip()) is not None


def _line_payload(line: str, where: str) -> Payload:
    """One line of a text as a payload: JSON, hexadecimal or base64, with a time or `Payload=` before it."""
    text = line.strip().removeprefix("\ufeff")
    at_ms = None
    time = _TIME_BEFORE.match(text)
    if time:
        at_ms = int(time.group(1))
        text = text[time.end() :]
    text = _PAYLOAD_FIELD.sub("", text)
    if text[:1] in ("{", "["):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            return Payload(b"", where, at_ms, error=f"JSON: {error}")
        return _recorded(document, where) or Payload(text.encode(), where, at_ms)
    text = text.strip("\"', ")
    if _HEX_LINE.fullmatch(text):
        return Payload(bytes.fromhex(re.sub(r"0[xX]|[:,]", "", text)), where, at_ms)
    if len(text) >= _MIN_ODD_DIGITS and _ODD_HEX_LINE.fullmatch(text):
        # Base64 of such a length has other letters, too.
        return Payload(b"", where, at_ms, error=f"an odd number of hexadecimal digits ({text[:20]!r})")
    if _BASE64_LINE.fullmatch(text):
        with suppress(binascii.Error):
            standard = text.replace("-", "+").replace("_", "/").rstrip("=")
            return Payload(base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True), where, at_ms)
    problem = "an odd number of hexadecimal digits" if re.fullmatch(r"[0-9a-fA-F\s]+", text) else "no known text form"
    return Payload(b"", where, at_ms, error=f"{problem} ({text[:20]!r})")


def _recorded(document: Any, where: str) -> Payload | None:
    """A line of a recording without its header; None for other JSON."""
    if not isinstance(document, dict) or "at_ms" not in document:
        return None
    try:
        message = parse_message(document)
    except DamagedLineError as error:
        return Payload(b"", where, error=str(error))
    return Payload(message.payload, where, message.at_ms, message.topic)


def _is_text(data: bytes) -> bool:
    if data.translate(None, _CONTROL) != data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_whole(line: bytes) -> bool:
    """Whether a line is a message by itself: a JSON document, or a text whose octets are a message."""
    payload = _line_payload(line.decode("utf-8", "replace"), "")
    if payload.error is not None:
        return False
    return payload.data[:1] in (b"{", b"[") or _is_message(payload.data)


def _is_message(data: bytes) -> bool:
    first = next(PayloadDecoder().decode(data), None)
    return first is not None and not isinstance(first, SignalError)
