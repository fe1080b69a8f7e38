# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of recording share: a recorder in a thread or a child process, and messages to send."""

import contextlib
import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from leezenflow_host.capture.arrivals import Arrival, SourceLostError
from leezenflow_host.capture.output import Output
from leezenflow_host.capture.recorder import Recorder, Summary
from leezenflow_host.capture.sources import make_source, public_name
from leezenflow_host.capture.status import Status
from leezenflow_host.errors import InputError
from leezenflow_host.trace import TraceHeader, TraceMessage, TraceReader

ROOT = Path(__file__).resolve().parents[2]
XML = (ROOT / "tests/samples/spatem_xml/captured-spat-lf-ms-j.xml").read_bytes()


def read(path: Path) -> list[TraceMessage]:
    """The messages of a recording, which must be without any damage."""
    with TraceReader(path, strict=True) as reader:
        return list(reader)


def payloads(path: Path) -> list[bytes]:
    """The payloads of a recording, which must be without any damage."""
    return [message.payload for message in read(path)]


def payloads_so_far(path: Path) -> list[bytes]:
    """The payloads of a recording that may not be there yet, and may be written while it is read."""
    try:
        with TraceReader(path) as reader:
            return [message.payload for message in reader]
    except (OSError, InputError):
        return []


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody uses."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningCapture:
    """A recorder in a thread; `log` is what it says, `summary` what it came to."""

    def __init__(self, url: str, out: Path, secrets: dict[str, Any] | None = None, **limits: Any) -> None:
        self._log = io.StringIO()
        self.stop = threading.Event()
        self.summary = Summary()
        self.fault: BaseException | None = None
        status = Status(Console(file=self._log, width=200))
        output = Output(str(out), TraceHeader(source=public_name(url)), say=status.say)
        self.recorder = Recorder(make_source(url, secrets), output, status, self.stop, **limits)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def log(self) -> str:
        """Everything said so far."""
        return self._log.getvalue()

    def _run(self) -> None:
        try:
            self.summary = self.recorder.run()
        except BaseException as error:
            self.fault = error

    def end(self) -> Summary:
        """Ask it to end and wait."""
        self.stop.set()
        return self.join()

    def join(self) -> Summary:
        """Wait until it has ended by itself."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.fault is not None:
            raise self.fault
        return self.summary


@contextlib.contextmanager
def capturing(url: str, out: Path, **more: Any) -> Iterator[RunningCapture]:
    """A recorder that listens already; it is ended, if the block has not done that."""
    running = RunningCapture(url, out, **more)
    try:
        yield running
    finally:
        running.stop.set()
        running.join()


class ScriptedSource:
    """A source that plays what it is given: lists of arrivals, or exceptions; afterwards it is silent."""

    hint = "Check the script."
    oversized = 0
    damaged = 0

    def __init__(self, *script: list[Arrival] | Exception, openings: tuple[Exception | None, ...] = ()) -> None:
        self._script = list(script)
        self._openings = list(openings)
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        """Open, or fail as the script says."""
        self.opened += 1
        fault = self._openings.pop(0) if self._openings else None
        if fault is not None:
            raise fault

    def receive(self, timeout_s: float) -> list[Arrival]:
        """The next of the script."""
        step = self._script.pop(0) if self._script else []
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def gone() -> SourceLostError:
    """The source went away."""
    return SourceLostError("it went away")


def start_command(*arguments: str) -> "subprocess.Popen[str]":
    """`leezenflow capture` in a child process."""
    command = [sys.executable, "-m", "leezenflow_host", "capture", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
