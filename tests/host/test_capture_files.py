# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings over hours: rotation, going on, repair, disk budget, a disk that is full."""

import datetime
import os
import subprocess
import sys
from pathlib import Path

import pytest
from capturing import payloads, read

from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.capture.output import BudgetSpentError, Output
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.trace import TraceHeader, TraceReader, TraceWriter

NAMES = ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst")
HEADER = TraceHeader("spatem_xml", "mqtt://broker/a", "a note")
HOUR_MS = 3_600_000
# 2026-03-29T00:59:59.999Z: the last moment before the clocks of Europe are put forward.
BEFORE_ONE_MS = int(datetime.datetime(2026, 3, 29, 1, tzinfo=datetime.UTC).timestamp() * 1000) - 1


def write(output: Output, *arrivals: tuple[int, bytes]) -> None:
    for at_ms, payload in arrivals:
        output.write(Arrival(at_ms, "t", payload))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_a_new_file_at_the_hour_boundary(tmp_path: Path, suffix: str):
    said: list[str] = []
    output = Output(f"{tmp_path}/spat{suffix}", HEADER, "hour", say=said.append)
    write(output, (BEFORE_ONE_MS - 5, b"1"), (BEFORE_ONE_MS, b"2"), (BEFORE_ONE_MS + 1, b"3"))
    first, second = tmp_path / f"spat-20260329T00{suffix}", tmp_path / f"spat-20260329T01{suffix}"
    # Without close: both are complete while the recorder runs.
    assert payloads(first) == [b"1", b"2"]
    assert payloads(second) == [b"3"]
    assert names(tmp_path) == [first.name, second.name]
    output.close()
    for path in (first, second):
        with TraceReader(path) as reader:
            assert reader.header == HEADER
    assert said == [f"recording into {first}", f"recording into {second}"]


def test_days_in_folders_of_their_own(tmp_path: Path):
    output = Output(f"{tmp_path}/%Y/%m/spat-%d.jsonl", HEADER, "day")
    write(output, (BEFORE_ONE_MS, b"1"), (BEFORE_ONE_MS + 23 * HOUR_MS + 1, b"2"))
    output.close()
    assert names(tmp_path) == ["2026/03/spat-29.jsonl", "2026/03/spat-30.jsonl"]


def test_a_clock_that_is_set_back_goes_on_with_the_hour_before(tmp_path: Path):
    output = Output(f"{tmp_path}/s.jsonl.zst", HEADER, "hour")
    write(output, (BEFORE_ONE_MS, b"1"), (BEFORE_ONE_MS + 1, b"2"), (BEFORE_ONE_MS, b"3"), (BEFORE_ONE_MS + 1, b"4"))
    output.close()
    assert payloads(tmp_path / "s-20260329T00.jsonl.zst") == [b"1", b"3"]
    assert payloads(tmp_path / "s-20260329T01.jsonl.zst") == [b"2", b"4"]


@pytest.mark.parametrize(
    ("pattern", "rotate", "complaint"),
    [
        ("a-%H.jsonl", None, "--rotate"),
        ("a-%d.jsonl", "hour", "does not differ for each hour; put %Y%m%dT%H"),
        ("a-%H.jsonl", "hour", "does not differ for each hour"),
        ("a-%d.jsonl", "day", "does not differ for each day; put %Y%m%d"),
        ("a.json", None, "ends in .jsonl"),
        ("a-%Y%m%d.csv", "day", "ends in .jsonl"),
    ],
)
def test_names_that_would_not_do(pattern: str, rotate: str | None, complaint: str):
    with pytest.raises(InputError) as error:
        Output(pattern, HEADER, rotate)
    assert complaint in str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_going_on_with_a_recording(tmp_path: Path, name: str):
    path = tmp_path / name
    for number in range(3):
        output = Output(str(path), HEADER)
        write(output, (number, b"%d" % number), (number, b"again"))
        output.close()
    assert payloads(path) == [b"0", b"again", b"1", b"again", b"2", b"again"]
    with TraceReader(path) as reader:
        assert reader.header == HEADER


@pytest.mark.parametrize("name", NAMES)
def test_the_adapter_of_a_recording_that_goes_on(tmp_path: Path, name: str):
    TraceWriter(tmp_path / name, HEADER).close()
    output = Output(str(tmp_path / name), TraceHeader(None, HEADER.source))
    output.check(0)
    assert output.adapter == "spatem_xml"


def test_a_recording_of_something_else_is_left_alone(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    TraceWriter(path, HEADER).close()
    content = path.read_bytes()
    for header, complaint in (
        (TraceHeader("spatem_xml", "udp://0.0.0.0:1"), "not of udp://0.0.0.0:1"),
        (TraceHeader("tscbm", HEADER.source), "the adapter spatem_xml, not tscbm"),
    ):
        output = Output(str(path), header)
        with pytest.raises(InputError, match=complaint):
            output.check(0)
        with pytest.raises(InputError, match=complaint):
            write(output, (1, b"x"))
        output.close()
    path.write_bytes(content + b"x")
    (tmp_path / "b.jsonl").write_text("notes\n")
    with pytest.raises(InputError, match="not a Leezenflow recording"):
        Output(str(tmp_path / "b.jsonl"), HEADER).check(0)
    assert (tmp_path / "b.jsonl").read_text() == "notes\n"


def test_places_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(InputError, match="there is no folder"):
        Output(f"{tmp_path}/no/a.jsonl", HEADER).check(0)
    Output(f"{tmp_path}/no/a.jsonl", HEADER, "day").check(0)  # rotation makes folders
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_that_was_cut_off_anywhere_goes_on(tmp_path: Path, name: str):
    whole = tmp_path / name
    output = Output(str(whole), HEADER)
    write(output, *((number, b"payload %d" % number * 3) for number in range(4)))
    output.close()
    content = whole.read_bytes()
    expected = payloads(whole)
    header_end = next(
        size for size in range(1, len(content) + 1) if _has_header(tmp_path / f"h-{name}", content[:size])
    )
    kept_most = 0
    for size in range(header_end, len(content)):
        path = tmp_path / f"cut-{name}"
        path.write_bytes(content[:size])
        with TraceReader(path) as reader:
            before = [message.payload for message in reader]
        output = Output(str(path), HEADER, say=lambda text: None)
        write(output, (99, b"new"))
        output.close()
        assert payloads(path) == [*before, b"new"]
        assert before == expected[: len(before)]
        kept_most = max(kept_most, len(before))
        assert sorted(names(tmp_path)) == sorted({f"cut-{name}", f"h-{name}", name})
    assert kept_most >= 3


def _has_header(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    try:
        with TraceReader(path) as reader:
            return reader.header == HEADER
    except InputError:
        return False


def test_two_recorders_do_not_share_a_file(tmp_path: Path):
    one, two = (Output(str(tmp_path / "a.jsonl"), HEADER) for _ in range(2))
    write(one, (1, b"1"))
    with pytest.raises(LeezenflowError, match="another program is recording into this file"):
        write(two, (2, b"2"))
    write(one, (3, b"3"))
    one.close()
    write(two, (4, b"4"))
    two.close()
    assert payloads(tmp_path / "a.jsonl") == [b"1", b"3", b"4"]


def test_the_budget_deletes_the_oldest_of_ours_only(tmp_path: Path):
    foreign = {
        "spat-20200101T00.jsonl": TraceHeader("spatem_xml", "another source").to_json() + "\n",
        "spat-20200101T01.jsonl": "notes\n",
        "spat-old.jsonl": HEADER.to_json() + "\n",
        "else-20200101T00.jsonl": HEADER.to_json() + "\n",
    }
    for name, text in foreign.items():
        (tmp_path / name).write_text(text)
    said: list[str] = []
    output = Output(f"{tmp_path}/spat.jsonl", HEADER, "hour", max_bytes=2500, say=said.append)
    for hour in range(6):
        write(output, (hour * HOUR_MS, b"x" * 600))
        total = sum((tmp_path / name).stat().st_size for name in names(tmp_path) if name.startswith("spat-1970"))
        assert total <= 2500
    output.close()
    kept = [name for name in names(tmp_path) if name.startswith("spat-1970")]
    assert kept == [f"spat-19700101T0{hour}.jsonl" for hour in (3, 4, 5)]
    assert set(names(tmp_path)) == set(kept) | set(foreign)
    assert len([text for text in said if text.startswith("deleted")]) == 3


def test_the_budget_of_a_single_file_ends_the_recording(tmp_path: Path):
    output = Output(str(tmp_path / "a.jsonl"), HEADER, max_bytes=1000)
    with pytest.raises(BudgetSpentError, match=r"0\.001 MB"):
        for number in range(100):
            write(output, (number, b"x" * 100))
    output.close()
    assert len(payloads(tmp_path / "a.jsonl")) == 7


FILL_UP = """
import resource, sys
from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.capture.output import Output
from leezenflow_host.trace import TraceHeader
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
output = Output(sys.argv[1], TraceHeader("tscbm", "s"), say=lambda text: None)
import os
try:
    for number in range(10_000):
        output.write(Arrival(number, "", os.urandom(300)))
        print(number)
except OSError as error:
    sys.exit(f"{error.filename}: {error.strerror}")
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_is_full(tmp_path: Path, name: str):
    path = tmp_path / name
    child = subprocess.run([sys.executable, "-c", FILL_UP, str(path)], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert str(path) in child.stderr
    written = len(child.stdout.split())
    assert written > 10
    assert len(read(path)) == written
    assert os.path.getsize(path) <= 20_000
