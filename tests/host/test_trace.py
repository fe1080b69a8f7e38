# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings: what is written is read, at every moment and after every damage."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from leezenflow_host.errors import InputError
from leezenflow_host.packing import MAX_LINE_BYTES
from leezenflow_host.trace import MAX_PROBLEMS_KEPT, TraceHeader, TraceMessage, TraceReader, TraceWriter

HEADER = TraceHeader("spatem_xml", "mqtt://broker/spat/1090", "Grüße", {"station": 1090})
PAYLOADS = (b"<DATA/>", "Grün \u2028 \ud7ff".encode(), b"\x00\xff\x80", b"", b"line\nline\r\n", b'"\\', b"x" * 3000)
NAMES = ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst")
HEAD_LINE = '{"leezenflow_trace": 1, "adapter": "spatem_xml", "source": "s", "note": "n"}\n'
GOOD_LINE = '{"at_ms": 5, "topic": "t", "payload": "p"}\n'


def messages(count: int) -> list[TraceMessage]:
    return [TraceMessage(1_000 + i * 7, f"/spat/{i % 3}", PAYLOADS[i % len(PAYLOADS)], i + 2) for i in range(count)]


def write(path: Path, count: int) -> None:
    with TraceWriter(path, HEADER) as writer:
        for message in messages(count):
            writer.write(message.at_ms, message.topic, message.payload)


def read(path: Path, strict: bool = True) -> list[TraceMessage]:
    with TraceReader(path, strict=strict) as reader:
        return list(reader)


def unpack(path: Path) -> bytes:
    """The content as a tool that is not ours reads it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True).read()
    return path.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read(tmp_path: Path, name: str):
    write(tmp_path / name, 30)
    with TraceReader(tmp_path / name, strict=True) as reader:
        assert reader.header == HEADER
        assert list(reader) == messages(30)
        assert reader.message_count == 30
        assert reader.problems == []
    lines = unpack(tmp_path / name).decode().split("\n")
    assert len(lines) == 32
    assert json.loads(lines[0])["leezenflow_trace"] == 1
    assert json.loads(lines[3]) == {"at_ms": 1_014, "topic": "/spat/2", "payload_b64": "AP+A"}


@pytest.mark.parametrize("name", NAMES)
@given(payload=st.binary(max_size=300), topic=st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_payload_and_topic(tmp_path_factory: pytest.TempPathFactory, name: str, payload: bytes, topic: str):
    path = tmp_path_factory.mktemp("any") / name
    with TraceWriter(path, TraceHeader()) as writer:
        writer.write(1, topic, memoryview(payload))
    assert read(path) == [TraceMessage(1, topic, payload, 2)]


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_complete_after_every_line(tmp_path: Path, name: str):
    path = tmp_path / name
    writer = TraceWriter(path, HEADER)
    for count, message in enumerate(messages(20), 1):
        writer.write(message.at_ms, message.topic, message.payload)
        # Not closed: this is what a program that was killed leaves behind.
        assert read(path) == messages(count)
        assert unpack(path).count(b"\n") == count + 1
    writer.close()


def test_the_same_recording_is_the_same_file(tmp_path: Path):
    for name in NAMES:
        first, second = tmp_path / f"1{name}", tmp_path / f"2{name}"
        write(first, 10)
        write(second, 10)
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_cut_off_anywhere(tmp_path: Path, name: str):
    write(tmp_path / name, 6)
    whole = (tmp_path / name).read_bytes()
    cut = tmp_path / f"cut-{name}"
    before = 0
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        try:
            with TraceReader(cut) as reader:
                found = list(reader)
        except InputError as error:
            assert "line 1" in str(error) or "empty" in str(error)
            found = []
        else:
            # Without compression a cut between two lines cannot be seen.
            assert reader.problem_count == 1 or (name == "a.jsonl" and whole[size - 1 : size] in b"\n}")
            assert all("cut off" in problem.text for problem in reader.problems)
        assert found == messages(len(found))
        assert len(found) >= before
        before = len(found)
    assert before >= 5


@pytest.mark.parametrize("name", NAMES)
def test_recordings_one_behind_the_other(tmp_path: Path, name: str):
    write(tmp_path / name, 5)
    both = tmp_path / f"both-{name}"
    both.write_bytes((tmp_path / name).read_bytes() * 2)
    assert [m.payload for m in read(both)] == [m.payload for m in messages(5)] * 2


def test_padding_behind_gzip(tmp_path: Path):
    write(tmp_path / "a.jsonl.gz", 5)
    padded = tmp_path / "padded.jsonl.gz"
    padded.write_bytes((tmp_path / "a.jsonl.gz").read_bytes() + bytes(700))
    assert read(padded) == messages(5)


def test_damaged_compression_keeps_what_came_before(tmp_path: Path):
    for name in NAMES[1:]:
        path = tmp_path / name
        sizes = []
        with TraceWriter(path, HEADER) as writer:
            for message in messages(200):
                writer.write(message.at_ms, message.topic, message.payload)
                sizes.append(writer.size)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
        with TraceReader(path) as reader:
            found = list(reader)
        # 512 bytes are unpacked at once: what lies in the piece before the damaged one is there.
        before = sum(1 for size in sizes if size <= len(data) // 2 // 512 * 512)
        assert before > 50
        assert found[:before] == messages(before)
        # (gzip has a checksum. Without one, damage can go unnoticed.)
        if name.endswith(".gz"):
            assert reader.problem_count >= 1
            with pytest.raises(InputError, match=name):
                read(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no valid JSON"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "no valid JSON"),
        ('{"at_ms": 1.5, "payload": ""}', "at_ms is 1.5"),
        ('{"at_ms": true, "payload": ""}', "at_ms is True"),
        ('{"at_ms": -1, "payload": ""}', "at_ms is -1"),
        ('{"at_ms": 1680768300, "payload": ""}', None),
        ('{"at_ms": 99999999999999, "payload": ""}', "at_ms is 99999999999999"),
        ('{"payload": ""}', "at_ms is None"),
        ('{"at_ms": 1}', "either payload or payload_b64"),
        ('{"at_ms": 1, "payload": "", "payload_b64": ""}', "either payload or payload_b64"),
        ('{"at_ms": 1, "payload": 7}', "either payload or payload_b64"),
        ('{"at_ms": 1, "topic": 7, "payload": ""}', "topic is 7"),
        ('{"at_ms": 1, "payload": "\\ud800"}', "half a surrogate pair"),
        ('{"at_ms": 1, "payload_b64": "?"}', "no valid base64"),
        ('{"leezenflow_trace": 1, "adapter": "rsmp"}', "another adapter"),
        (HEAD_LINE.strip(), None),
        ("", None),
    ],
)
def test_a_damaged_line(tmp_path: Path, line: str, reason: str | None):
    path = tmp_path / "a.jsonl"
    path.write_text(HEAD_LINE + GOOD_LINE + line + "\n" + GOOD_LINE)
    seen = []
    with TraceReader(path, on_problem=seen.append) as reader:
        found = [message.line for message in reader if message.payload == b"p"]
    assert found == [2, 4]
    assert reader.problems == seen
    if reason is None:
        assert seen == []
        return
    assert [problem.line for problem in seen] == [3]
    assert reason in seen[0].text
    with pytest.raises(InputError, match=r"a\.jsonl, line 3: .*\. Remove the line"):
        read(path)


def test_a_file_that_is_damaged_throughout(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text(HEAD_LINE + "{\n" * 1000 + GOOD_LINE)
    with TraceReader(path) as reader:
        assert len(list(reader)) == 1
    assert reader.problem_count == 1000
    assert len(reader.problems) == MAX_PROBLEMS_KEPT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("hello\n", "not a Leezenflow recording"),
        ("[]\n", "not a Leezenflow recording"),
        ('{"at_ms": 1}\n', "not a Leezenflow recording"),
        ('{"leezenflow_trace": 2}\n', "Update leezenflow"),
        ('{"leezenflow_trace": "1"}\n', "write the number 1"),
        ('{"leezenflow_trace": true}\n', "write the number 1"),
        ('{"leezenflow_trace": 1, "adapter": 7}\n', "adapter is 7"),
        ('{"leezenflow_trace": 1, "note": null}\n', "note is None"),
        ("x" * (MAX_LINE_BYTES + 70_000), "longer than"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, content: str, reason: str):
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=reason) as raised:
        TraceReader(path)
    assert str(path) in str(raised.value)


def test_a_header_of_little(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"leezenflow_trace": 1}\n' + GOOD_LINE)
    with TraceReader(path) as reader:
        assert reader.header == TraceHeader()
        assert json.loads(reader.header.to_json()) == {"leezenflow_trace": 1, "source": "", "note": ""}


def test_a_line_that_would_fill_the_memory(tmp_path: Path):
    # 200 MB of zeros in 20 kB of zstd, 200 kB of gzip.
    zeros = bytes(1 << 20)
    bomb = zstandard.ZstdCompressor().compressobj()
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(
        bomb.compress(HEAD_LINE.encode()) + b"".join(bomb.compress(zeros) for _ in range(200)) + bomb.flush()
    )
    with TraceReader(path) as reader:
        assert list(reader) == []
    assert "longer than" in reader.problems[0].text
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(HEAD_LINE.encode() + zeros * 50))
    with TraceReader(packed) as reader:
        assert list(reader) == []
    assert "longer than" in reader.problems[0].text


def test_names_of_recordings(tmp_path: Path):
    for name in ("a.json", "a", "a.jsonl.bz2", "a.gz"):
        with pytest.raises(InputError, match="the name of a recording ends in"):
            TraceWriter(tmp_path / name, HEADER)
        assert not (tmp_path / name).exists()
    write(tmp_path / "A.JSONL.GZ", 3)
    # How a file is packed is seen from its content.
    os.rename(tmp_path / "A.JSONL.GZ", tmp_path / "renamed.jsonl")
    assert len(read(tmp_path / "renamed.jsonl")) == 3


def test_a_missing_file_is_an_oserror(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        TraceReader(tmp_path / "none.jsonl")


def test_from_a_pipe(tmp_path: Path):
    write(tmp_path / "a.jsonl.gz", 5)
    code = "from leezenflow_host.trace import TraceReader; print(len(list(TraceReader('/dev/stdin', strict=True))))"
    content = (tmp_path / "a.jsonl.gz").read_bytes()
    result = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert result.stdout == b"5\n"


def test_closed_in_the_middle(tmp_path: Path):
    write(tmp_path / "a.jsonl", 5)
    reader = TraceReader(tmp_path / "a.jsonl")
    assert next(iter(reader)).line == 2
    # Going on with another loop goes on behind the line that was read.
    assert next(iter(reader)).line == 3
    reader.close()
    assert list(reader) == []
