# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow capture` as people and systemd run it: ends, exit codes, messages, and the way there and back."""

import contextlib
import os
import pty
import signal
import socket
import subprocess
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from capturing import XML, capturing, free_port, payloads, payloads_so_far, read, start_command
from waiting import wait_until

from leezenflow_host.broker import EmbeddedBroker
from leezenflow_host.cli import run
from leezenflow_host.trace import TraceHeader, TraceReader, TraceWriter


@contextlib.contextmanager
def running_command(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    child = start_command(*arguments)
    try:
        yield child
    finally:
        child.kill()
        child.wait(20)


class Sender:
    """Sends numbered messages to a UDP port until it is told to stop; `sent` counts them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(20)

    def _run(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            number = 0
            while not self._stopping.wait(0.01):
                # Few and short: the system's buffer must hold what comes while a busy computer lets the recorder wait.
                sender.sendto(b"<DATA/><!--%08d-->" % number, ("127.0.0.1", self._port))
                number += 1


def assert_no_gaps(path: Path) -> None:
    """What was recorded is one row of messages, none missing inside."""
    numbers = [int(payload[-11:-3]) for payload in payloads(path)]
    assert len(numbers) > 20
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_ended_by_a_signal(tmp_path: Path, number: signal.Signals, suffix: str):
    out = tmp_path / f"a{suffix}"
    port = free_port(socket.SOCK_DGRAM)
    with Sender(port), running_command(f"udp://127.0.0.1:{port}", "--out", str(out)) as child:
        wait_until(lambda: len(payloads_so_far(out)) > 20, "messages are recorded")
        child.send_signal(number)
        _, errors = child.communicate(timeout=30)
    assert child.returncode == 0
    assert "Ended: asked to end." in errors
    assert f"{len(read(out))} messages" in errors
    assert "Traceback" not in errors
    assert_no_gaps(out)


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_killed_and_started_again(tmp_path: Path, suffix: str):
    out = tmp_path / f"a{suffix}"
    port = free_port(socket.SOCK_DGRAM)
    with Sender(port):
        with running_command(f"udp://127.0.0.1:{port}", "--out", str(out)) as child:
            wait_until(lambda: len(payloads_so_far(out)) > 20, "messages are recorded")
            child.send_signal(signal.SIGKILL)
            child.wait(30)
        before = len(read(out))
        assert_no_gaps(out)
        with running_command(f"udp://127.0.0.1:{port}", "--out", str(out), "--count", "30") as child:
            _, errors = child.communicate(timeout=30)
    assert child.returncode == 0
    assert f"going on with {out}" in errors
    assert len(read(out)) == before + 30


def test_for_some_seconds(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port(socket.SOCK_DGRAM)
    with Sender(port), running_command(f"udp://127.0.0.1:{port}", "--out", str(out), "--for", "1") as child:
        _, errors = child.communicate(timeout=30)
    assert child.returncode == 0
    assert "Ended: 1 s are over." in errors
    assert_no_gaps(out)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["mqtt://127.0.0.1:1/a", "--out", "a.jsonl"], 1, "no MQTT broker answers at 127.0.0.1:1"),
        (["mqtt://127.0.0.1", "--out", "a.jsonl"], 2, "is missing; write mqtt://broker/topic"),
        (["mqtt://me:s3cret@host/a", "--out", "a.jsonl"], 2, "holds a password"),
        (["broker", "--out", "a.jsonl"], 2, "must begin with a transport"),
        (["http://host/a", "--out", "a.jsonl"], 2, "there are mqtt, mqtts, udp, tcp, serial"),
        (["udp://127.0.0.1:{port}", "--out", "a.txt"], 2, "ends in .jsonl"),
        (["udp://127.0.0.1:{port}", "--out", "no/a.jsonl"], 2, "there is no folder"),
        (["udp://127.0.0.1:{port}", "--out", "a.jsonl", "--adapter", "spatem_xlm"], 2, "did you mean"),
        (["udp://127.0.0.1:{port}", "--out", "a.jsonl", "--for", "0.2"], 1, "no message was recorded. Check that"),
        (["udp://127.0.0.1:{port}", "--out", "a.jsonl", "--secrets", "s.json"], 2, "no JSON"),
        (["udp://127.0.0.1:{port}", "--out", "a.jsonl", "--secrets", "t.json"], 2, '{"mqtt": {"password"'),
        (["udp://127.0.0.1:{port}"], 2, "--out"),
        (["udp://127.0.0.1:{port}", "--out", "a.jsonl", "--count", "0"], 2, "--count"),
    ],
)
def test_errors(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.json").write_text("{")
    (tmp_path / "t.json").write_text('{"mqtt": "s3cret"}')
    port = str(free_port(socket.SOCK_DGRAM))
    assert run(["capture", *(argument.replace("{port}", port) for argument in arguments)]) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "s3cret" not in captured.err
    assert not (tmp_path / "a.jsonl").exists()


def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.jsonl.gz"
    with TraceWriter(path, TraceHeader("spatem_xml", "original")) as writer:
        for number in range(12):
            payload = XML + b"<!-- %d -->" % number if number % 3 else bytes(range(number, 256)) * 3
            writer.write(1_700_000_000_000 + number, f"/spat/{number % 4}", payload)
    return path


def contents(path: Path) -> list[tuple[str, bytes]]:
    return [(message.topic, message.payload) for message in read(path)]


def test_there_and_back_by_mqtt(tmp_path: Path):
    """What a broker delivers is recorded as it is; sent again and recorded again, it is the same."""
    first, second = tmp_path / "1.jsonl.zst", tmp_path / "2.jsonl.gz"
    source = original(tmp_path)
    with EmbeddedBroker() as broker:
        url = f"mqtt://127.0.0.1:{broker.port}"
        for recording, out in ((source, first), (first, second)):
            with capturing(f"{url}/#", out, count=12) as running:
                wait_until(lambda running=running: "listening" in running.log or running.fault, "the recorder listens")
                assert run(["replay", str(recording), "--to", url, "--speed", "1000"]) == 0
                running.join()
    assert contents(first) == contents(source)
    assert contents(second) == contents(source)
    with TraceReader(second) as reader:
        assert reader.header.source == f"{url}/#"


def test_there_and_back_by_udp(tmp_path: Path):
    out = tmp_path / "a.jsonl.zst"
    source = original(tmp_path)
    url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    with capturing(url, out, count=12) as running:
        wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")
        assert run(["replay", str(source), "--to", url, "--speed", "1000"]) == 0
        running.join()
    assert payloads(out) == payloads(source)


def test_there_and_back_by_a_serial_line(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    source = original(tmp_path)
    # Two lines, joined as by a null-modem cable.
    ends = [pty.openpty() for _ in range(2)]
    for _, terminal in ends:
        tty.setraw(terminal)

    def join() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(ends[0][0], 4096):
                os.write(ends[1][0], data)

    cable = threading.Thread(target=join, daemon=True)
    cable.start()
    with capturing(f"serial://{os.ttyname(ends[1][1])}", out, count=12) as running:
        wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")
        assert run(["replay", str(source), "--to", f"serial://{os.ttyname(ends[0][1])}", "--speed", "1000"]) == 0
        running.join()
    assert payloads(out) == payloads(source)
    os.close(ends[0][1])
    cable.join(20)
    for descriptor in (ends[0][0], *ends[1]):
        os.close(descriptor)
