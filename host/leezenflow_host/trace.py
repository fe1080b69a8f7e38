# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording format: raw messages with the instant each one arrived, one JSON line a message.

`.jsonl`, `.jsonl.gz` and `.jsonl.zst` hold the same lines (docs/reference/trace-format.md). Nothing decoded is stored,
so a corrected decoder can be run again on an old recording. The reader survives damage: a line that cannot be read is
reported and skipped, and a file that was cut off still gives every complete line before the cut.
"""

import base64
import io
import json
import os
import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leezenflow_host.closing import Closing
from leezenflow_host.errors import InputError
from leezenflow_host.packing import CutOffError, Packer, packer_for, read_lines

TRACE_VERSION = 1

# An arrival instant beyond this (year 2255) is no Unix time in milliseconds.
MAX_AT_MS = 9_000_000_000_000

# After this many the problems are only counted: a file that is damaged throughout must not fill the memory either.
MAX_PROBLEMS_KEPT = 100


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """The first line of a recording: which adapter reads its payloads, where they come from, and remarks.

    `extra` keeps whatever else the header holds, so that a program that rewrites a recording loses nothing.
    """

    adapter: str | None = None
    source: str = ""
    note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The header as its line, without the line end."""
        known: dict[str, Any] = {"leezenflow_trace": TRACE_VERSION}
        if self.adapter is not None:
            known["adapter"] = self.adapter
        known["source"] = self.source
        known["note"] = self.note
        return json.dumps({**known, **self.extra}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class TraceMessage:
    """One recorded message: arrival in Unix ms, its topic ("" where the transport has none), the raw payload.

    `line` is the line of the file it stands in (the header is line 1).
    """

    at_ms: int
    topic: str
    payload: bytes
    line: int = 0


@dataclass(frozen=True, slots=True)
class TraceProblem:
    """Something in a recording that could not be read: the line it concerns and what is wrong, in words."""

    line: int
    text: str


class TraceReader(Closing):
    """Reads a recording line by line in constant memory; a context manager, and an iterable of `TraceMessage`.

    `header` is there at once. A damaged line, or a file cut off in the middle, is remembered in `problems`, counted
    in `problem_count` and handed to `on_problem`, and the reading goes on; with `strict` it raises `InputError`
    instead. A file without a valid header always raises `InputError`, one that cannot be opened `OSError`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        strict: bool = False,
        on_problem: Callable[[TraceProblem], None] | None = None,
    ) -> None:
        self.path = Path(path)
        self.strict = strict
        self.problems: list[TraceProblem] = []
        self.problem_count = 0
        self.message_count = 0
        self._on_problem = on_problem
        self._line = 1
        self._file: io.BufferedReader = open(self.path, "rb")  # noqa: SIM115 (closed by close())
        try:
            self._lines = read_lines(self._file)
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file; iterating afterwards gives nothing more."""
        self._file.close()

    def __iter__(self) -> Iterator[TraceMessage]:
        while not self._file.closed:
            self._line += 1
            try:
                text = next(self._lines, None)
            except CutOffError as error:
                self._report(f"{error} here; the {self.message_count} messages before were read")
                return
            if text is None:
                return
            if not text.strip():
                continue
            try:
                message = self._parse_message(text)
            except DamagedLineError as error:
                if text.endswith(b"\n"):
                    self._report(f"{error}; this line was skipped")
                else:
                    self._report(f"the file is cut off here; the {self.message_count} messages before were read")
                continue
            if message is not None:
                self.message_count += 1
                yield message

    def _read_header(self) -> TraceHeader:
        not_a_trace = (
            f'{self.path}, line 1: not a Leezenflow recording (it should start with {{"leezenflow_trace": 1, ...}}). '
            "For single messages use `leezenflow decode`."
        )
        try:
            text = next(self._lines, None)
        except CutOffError as error:
            raise InputError(
                f"{self.path}, line 1: {error} before the header was complete. Record it again."
            ) from error
        if text is None:
            raise InputError(f"{self.path}: the file is empty. Record it again, or name another file.")
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(not_a_trace) from error
        if not isinstance(values, dict) or "leezenflow_trace" not in values:
            raise InputError(not_a_trace)
        version = values.pop("leezenflow_trace")
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise InputError(f"{self.path}, line 1: leezenflow_trace is {version!r}; write the number {TRACE_VERSION}.")
        if version > TRACE_VERSION:
            raise InputError(
                f"{self.path}, line 1: recording format {version} is newer than this program, which reads up to "
                f"{TRACE_VERSION}. Update leezenflow."
            )
        adapter = values.pop("adapter", None)
        source = values.pop("source", "")
        note = values.pop("note", "")
        for name, value in (("adapter", adapter), ("source", source), ("note", note)):
            if not isinstance(value, str) and not (name == "adapter" and value is None):
                raise InputError(f"{self.path}, line 1: {name} is {value!r}; it must be a text. Correct the header.")
        return TraceHeader(adapter, source, note, values)

    def _parse_message(self, text: bytes) -> TraceMessage | None:
        """One line as a message; None for the header of a continued recording; raises `DamagedLineError`."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DamagedLineError(f"no valid JSON ({error})") from error
        if not isinstance(values, dict):
            raise DamagedLineError("not a JSON object")
        if "leezenflow_trace" in values:
            # Recordings put one behind the other, as by `cat`.
            if values.get("adapter") != self.header.adapter:
                raise DamagedLineError(
                    f"a recording for another adapter begins ({reprlib.repr(values.get('adapter'))})"
                )
            return None
        return parse_message(values, self._line)

    def _report(self, text: str) -> None:
        if self.strict:
            raise InputError(
                f"{self.path}, line {self._line}: {text}. Remove the line, or read the file without strictness."
            )
        problem = TraceProblem(self._line, text)
        self.problem_count += 1
        if self.problem_count <= MAX_PROBLEMS_KEPT:
            self.problems.append(problem)
        if self._on_problem is not None:
            self._on_problem(problem)


def parse_message(values: dict[str, Any], line: int = 0) -> TraceMessage:
    """The message in a line of a recording that was read as JSON; `DamagedLineError` says what is wrong with it."""
    at_ms = values.get("at_ms")
    if isinstance(at_ms, bool) or not isinstance(at_ms, int) or not 0 <= at_ms <= MAX_AT_MS:
        raise DamagedLineError(f"at_ms is {reprlib.repr(at_ms)}, not an arrival time in Unix milliseconds")
    topic = values.get("topic", "")
    if not isinstance(topic, str):
        raise DamagedLineError(f"topic is {reprlib.repr(topic)}, not a text")
    return TraceMessage(at_ms, topic, _parse_payload(values), line)


class DamagedLineError(Exception):
    """One line cannot be read; the text says why."""


def _parse_payload(values: dict[str, Any]) -> bytes:
    text, encoded = values.get("payload"), values.get("payload_b64")
    if isinstance(text, str) and encoded is None:
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise DamagedLineError("payload holds half a surrogate pair; binary belongs into payload_b64") from error
    if isinstance(encoded, str) and text is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise DamagedLineError(f"payload_b64 is no valid base64 ({error})") from error
    raise DamagedLineError("it must have either payload or payload_b64, as a text")


class TraceWriter(Closing):
    """Writes a recording that is complete at every moment: after each `write` the file on disk can be read whole.

    How it is packed follows from the name: `.jsonl`, `.jsonl.gz` or `.jsonl.zst` (anything else: `InputError`).
    Each line is handed to the operating system at once, with the end mark of the compression behind it, which the
    next line overwrites: a program that is killed leaves a file that every tool can unpack.

    With `append` the file goes on where it ends, with its own header; it must be whole (nothing is checked here).
    `size` is the file's length in bytes.
    """

    def __init__(self, path: str | os.PathLike[str], header: TraceHeader, append: bool = False) -> None:
        self.path = Path(path)
        packer = packer_for(self.path)
        self.message_count = 0
        self._packer: Packer = packer
        self._file: io.FileIO = open(self.path, "r+b" if append else "wb", buffering=0)  # noqa: SIM115 (see close)
        self._end = self._file.seek(0, os.SEEK_END)
        self._end_mark = b""
        if not append:
            self._append((header.to_json() + "\n").encode())

    @property
    def size(self) -> int:
        """The length of the file in bytes."""
        return self._end + len(self._end_mark)

    def sync(self) -> None:
        """Wait until what was written would survive a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; it is complete without this, too."""
        self._file.close()

    def write(self, at_ms: int, topic: str, payload: bytes | bytearray | memoryview) -> None:
        """Add one message: arrival in Unix ms, its topic ("" for none), the payload exactly as it came."""
        self._append((format_message(at_ms, topic, payload) + "\n").encode())
        self.message_count += 1

    def _append(self, line: bytes) -> None:
        body, end_mark = self._packer.pack(line)
        self._file.seek(self._end)
        try:
            _write_all(self._file, body + end_mark)
        except OSError:
            # A full disk: half a line must not stand where the end mark stood.
            self._file.truncate(self._end)
            self._file.seek(self._end)
            _write_all(self._file, self._end_mark)
            self._file.close()
            raise
        self._end += len(body)
        self._end_mark = end_mark


def format_message(at_ms: int, topic: str, payload: bytes | bytearray | memoryview) -> str:
    """One message as its line of a recording, without the line end; what is no UTF-8 goes into `payload_b64`."""
    values: dict[str, Any] = {"at_ms": at_ms, "topic": topic}
    raw = bytes(payload)
    try:
        values["payload"] = raw.decode()
    except UnicodeDecodeError:
        values["payload_b64"] = base64.b64encode(raw).decode("ascii")
    return json.dumps(values, ensure_ascii=False)


def _write_all(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]
