# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of Linux units share: a display that remembers, a feed of the test's own, and a unit in a thread."""

import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.linux_unit.assembly import make_unit
from leezenflow_host.linux_unit.unit import LinuxUnit
from leezenflow_host.problems import Problems
from leezenflow_host.site_config import SiteConfig, check_site

ROOT = Path(__file__).resolve().parents[2]


class Panel:
    """A display in memory: every advice that was shown, whether it is dark, and what it should fail with."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str | None]] = []
        self.pictures: set[bytes] = set()
        self.dark = True
        self.brightness: list[int] = []
        self.fault: BaseException | None = None
        self._advice: tuple[str, str | None] = ("", None)

    def note_frame(self, ticks: int, advice: Advice, listening: bool, draw_us: int) -> None:
        """The advice of the next picture."""
        self._advice = (advice.kind, advice.reason)

    def set_brightness(self, brightness: int) -> None:
        """Remember it."""
        self.brightness.append(brightness)

    def show(self, canvas: Canvas) -> None:
        """Show, or fail."""
        if self.fault is not None:
            raise self.fault
        self.dark = False
        self.shown.append(self._advice)
        self.pictures.add(bytes(canvas.pixels))

    def deinit(self) -> None:
        """Dark."""
        self.dark = True

    @property
    def last(self) -> tuple[str, str | None]:
        """What is shown now: kind and reason of the advice."""
        return self.shown[-1] if self.shown else ("", None)


class ScriptedFeed:
    """A feed that brings what the test puts into `waiting`: arrivals, or exceptions to raise."""

    def __init__(self) -> None:
        self.counters = {"messages": 0, "losses": 0}
        self.published: deque[tuple[str, bytes, bool]] = deque()
        self.waiting: deque[Arrival | BaseException] = deque()
        self.openings: deque[BaseException] = deque()
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        """Open, or fail as told."""
        self.opened += 1
        if self.openings:
            raise self.openings.popleft()

    def receive(self, timeout_s: float) -> list[Arrival]:
        """The next that waits."""
        if not self.waiting:
            threading.Event().wait(min(timeout_s, 0.005))
            return []
        item = self.waiting.popleft()
        if isinstance(item, BaseException):
            raise item
        return [item]

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class RunningUnit:
    """A unit in a thread until the context ends; `error` is what it ended with."""

    def __init__(self, unit: LinuxUnit) -> None:
        self.unit = unit
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """Ask it to end, and wait."""
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.unit.run(self._stop)
        except BaseException as error:
            self.error = error


def make_site(source: str | None = None, **look: Any) -> SiteConfig:
    """The site of the recordings in tests/host/recordings.py."""
    signal: dict[str, Any] = {"intersection": "49:1090", "signal_group": 12, "adapter": "spatem_xml"}
    if source is not None:
        signal["source"] = source
    tables = {"unit": {"name": "test"}, "signal": signal, "rider": {"distance_m": 50, "cruise_kmh": 18}}
    return check_site({**tables, "look": look} if look else tables, Problems("test.toml"))


def make_linux_unit(source: str, panel: Panel, said: list[str], **more: Any) -> LinuxUnit:
    """A whole unit that receives from `source`."""
    board: BoardConfig = read_board("virtual")
    board.values["device"]["fps"] = 20
    secrets = more.pop("secrets", {})
    return make_unit(board, make_site(source), secrets, panel, say=said.append, **more)
