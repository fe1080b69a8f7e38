# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there: nothing half-written, no device or link replaced, errors that name the file."""

import errno
import gzip
import os
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from leezenflow_host import cli
from leezenflow_host.atomic_file import beside, open_atomic, write_atomic


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may get longer than 64 kB: what a full disk is to a writer."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_a_file_appears_when_it_is_complete(tmp_path: Path):
    path = tmp_path / "a.json"
    with open_atomic(path) as file:
        file.write("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with open_atomic(tmp_path / "a.json.gz") as file:
        file.write("packed")
    with gzip.open(tmp_path / "a.json.gz", "rt") as packed:
        assert packed.read() == "packed"
    write_atomic(path, b"bytes")
    assert path.read_bytes() == b"bytes"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.json", "a.json.gz"]


def test_what_was_there_stays_when_the_work_fails(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(KeyError), open_atomic(path) as file:
        file.write("half")
        raise KeyError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_is_told_with_the_name_of_the_file(tmp_path: Path, small_disk: None):
    path = tmp_path / "a.json"
    with pytest.raises(OSError) as caught, open_atomic(path) as file:
        file.write("x" * 1_000_000)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    with pytest.raises(OSError) as caught:
        write_atomic(path, b"x" * 1_000_000)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told_with_the_name_that_was_given(tmp_path: Path):
    path = tmp_path / "none" / "a.json"
    with pytest.raises(FileNotFoundError) as caught, open_atomic(path):
        pass
    assert caught.value.filename == str(path)
    with pytest.raises(IsADirectoryError) as caught, open_atomic(tmp_path):
        pass
    assert caught.value.filename == str(tmp_path)


def test_errors_that_are_not_about_the_file_stay_what_they_are(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as caught, beside(tmp_path / "a"):
        (tmp_path / "other").read_bytes()
    assert caught.value.filename == str(tmp_path / "other")
    with pytest.raises(TimeoutError), beside(tmp_path / "a"):
        raise TimeoutError("the port is silent")


def test_a_link_stays_one(tmp_path: Path):
    (tmp_path / "real.json").write_text("old")
    link = tmp_path / "a.json"
    link.symlink_to("real.json")
    with open_atomic(link) as file:
        file.write("new")
    assert link.is_symlink() and (tmp_path / "real.json").read_text() == "new"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    with open_atomic(pipe) as file:
        file.write("through")
    reader.join()
    assert read == ["through"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_dev_null_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A root user could, and then the whole computer is broken.
    moved: list[Path] = []
    monkeypatch.setattr(Path, "replace", lambda path, target: moved.append(target))
    with open_atomic(Path("/dev/null")) as file:
        file.write("nothing")
    assert moved == []


def test_the_command_line_names_file_and_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], small_disk: None
):
    picture = tmp_path / "a.png"
    options = ("--look", "test_pattern", "--style", "panel", "--scale", "40", "--png", str(picture))
    assert cli.run(["preview", *options]) == cli.FAILED
    assert capsys.readouterr().err == f"Error: {picture}: File too large. Name a place where files may be that long.\n"
    assert list(tmp_path.iterdir()) == []
