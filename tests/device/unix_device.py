# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firmware on the unix MicroPython without the virtual board around it: a staged device tree as its file system."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[2]

# What a unit on an RP2350 (some 467 kB free, of which its panel takes 60) can surely give: a 32-bit MicroPython needs
# nine tenths of what this 64-bit one does for the same modules and objects (measured; most of it is bytecode).
HEAP_KB = 384

# The device tree becomes the root of the file system; then what a board does at power-up.
_START = """\
import sys, vfs
root = sys.argv[1]
vfs.umount("/")
vfs.mount(vfs.VfsPosix(root), "/")
sys.path[:] = ["", ".frozen", "/lib"]
for name in ("/boot.py", "/main.py"):
    with open(name) as file:
        exec(file.read(), {"__name__": "__main__"})
"""

BOARD: dict[str, Any] = {
    "leezenflow_board": 1,
    "name": "unix",
    "title": "unix MicroPython",
    "chip": "unix",
    "display": {"driver": "virtual", "width": 32, "height": 96},
    "network": None,
}

SITE: dict[str, Any] = {
    "leezenflow_site": 1,
    "unit": {"name": "test"},
    "signal": {
        "region": 49,
        "intersection": 1090,
        "signal_group": 12,
        "adapter": "spatem_xml",
        "options": {},
        "source": None,
        "clearance": "red",
        "max_wrong_permille": None,
    },
    "rider": {"cruise_ms": 22000, "sprint_ms": 14000},
    "look": {"name": "green_wave", "palette": "muenster", "brightness": 255},
}


def site(source: str, **look: Any) -> dict[str, Any]:
    """SITE with this source of messages, and perhaps another look."""
    values = json.loads(json.dumps(SITE))
    values["signal"]["source"] = source
    values["look"].update(look)
    return values


def board(**device: Any) -> dict[str, Any]:
    """BOARD with these device options."""
    return {**BOARD, "device": device}


class UnixDevice:
    """A device tree in `folder` and the interpreter that runs it."""

    def __init__(self, micropython: str, folder: Path) -> None:
        self.micropython = micropython
        self.folder = folder
        slot = folder / "a"
        hidden = shutil.ignore_patterns("__pycache__")
        for package in ("firmware/leezenflow", "firmware/leezenflow_device", "signal_adapters/leezenflow_adapters"):
            shutil.copytree(ROOT / package, slot / Path(package).name, ignore=hidden)
        (slot / "manifest.json").write_text("{}")
        shutil.copy(slot / "leezenflow_device/boot.py", folder / "boot.py")
        shutil.copy(slot / "leezenflow_device/loader.py", folder / "main.py")

    def write(self, name: str, content: dict[str, Any] | str | bytes) -> None:
        """Write a file of the device; a dict as json."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def configure(self, site_values: dict[str, Any] | None, board_values: dict[str, Any] | None = None) -> None:
        """Write board.json and site.json."""
        self.write("board.json", board_values or BOARD)
        if site_values is not None:
            self.write("site.json", site_values)

    def command(self, heap_kb: int = HEAP_KB) -> list[str]:
        """The command line that is this device's power-up."""
        start = self.folder.parent / f"{self.folder.name}-start.py"
        start.write_text(_START)
        return [self.micropython, "-X", f"heapsize={heap_kb}k", str(start), str(self.folder)]

    @contextlib.contextmanager
    def running(
        self, frames_to: str = "", heap_kb: int = HEAP_KB, **environment: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Power up; the process is gone at the end of the block. Its output is a text stream, stderr included."""
        process = subprocess.Popen(
            self.command(heap_kb),
            env=_environment(LEEZENFLOW_FRAMES=frames_to, **environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def run_to_end(self, timeout_s: float = 30, **environment: str) -> str:
        """Power up, wait until the interpreter ends by itself, and return what it printed."""
        done = subprocess.run(
            self.command(),
            env=_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return done.stdout


def run_script(micropython: str, script: str, *arguments: str, heap_kb: int = HEAP_KB, timeout_s: float = 60) -> str:
    """Run a script on the unix MicroPython with the source roots on its path; its output. Fails if the script does."""
    paths = [str(ROOT / "firmware"), str(ROOT / "signal_adapters")]
    head = f"import sys\nsys.path[:0] = {paths!r}\n"
    done = subprocess.run(
        [micropython, "-X", f"heapsize={heap_kb}k", "-c", head + script, *arguments],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _environment(**more: str) -> Mapping[str, str]:
    return {**os.environ, **more}


def recorded_messages(count: int) -> list[tuple[int, bytes]]:
    """The first messages (arrival in Unix ms, payload) of the recording in Münster's XML, across a full hour."""
    with TraceReader(ROOT / "tests/traces/spatem_xml.jsonl.gz", strict=True) as trace:
        return [(message.at_ms, message.payload) for message in itertools.islice(trace, count)]
