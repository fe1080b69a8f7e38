# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How right the countdown is, cold and warm, and what the calibration costs a board.

    python tools/bench/calibration.py [FOLDER]

FOLDER holds recordings NAME-1.jsonl.gz with NAME-1.truth.json, and in warm/ further half-hours of the same intersection
(NAME-2 and so on), all of signal group 12 of intersection 49:1090. Without them only the costs are measured.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from leezenflow.board import Site
from leezenflow_host.boards.interpreter import find_micropython
from leezenflow_host.drivers import package_folder
from leezenflow_host.evaluation.report import judge, read_recording
from leezenflow_host.evaluation.truth import load_truth
from leezenflow_host.mpy import Compiler, host_architecture

RECORDINGS = (
    "fixed_1hz",
    "fixed_10hz",
    "hour_rollover",
    "actuated",
    "bus_priority",
    "likely_unknown",
    "lossy",
    "gaps",
    "flash_and_back",
)
# 110 m at 18 km/h.
SITE = Site(12, 1090, 49, cruise_ms=22_000, adapter="spatem_xml")

COSTS = """
import gc, sys, time
sys.path.insert(0, sys.argv[1])
from leezenflow import calibration_memory, forecast, prior, tracker, spatem
gc.collect(); before = gc.mem_alloc()
from leezenflow import calibration, gate
gc.collect(); code = gc.mem_alloc() - before
before = gc.mem_alloc()
learned, door = calibration.Calibration(), gate.Gate()
gc.collect(); state = gc.mem_alloc() - before
spans = forecast.Forecast()
follow = tracker.SignalTracker()
message = spatem.IntersectionState()
ends = (300, 310, 510, 530, 1000)
def tell(second):
    message.clear()
    message.moy, message.time_stamp = 100 + second // 60, second % 60 * 1000
    base = second // 100 * 1000
    for index in range(5):
        event = message.movement.add_event()
        event.event_state = (3, 4, 5, 7, 3)[index]
        event.likely_time = (24000 + base + ends[index] + second % 7) % 36000
        event.min_end_time = event.likely_time - 20
        event.max_end_time = event.likely_time + 80
        event.confidence = 6
    follow.accept(message, second * 1000)
    spans.update(follow)
for second in range(300):
    tell(second)
    learned.learn(spans, follow.message_at_ms, False)
tell(300)
best = [1 << 30] * 3
for _ in range(200):
    began = time.ticks_us()
    spans.update(follow)
    middle = time.ticks_us()
    learned.learn(spans, follow.message_at_ms, False)
    end = time.ticks_us()
    best[0] = min(best[0], time.ticks_diff(middle, began))
    best[1] = min(best[1], time.ticks_diff(end, middle))
gc.collect()
gc.disable()
before = gc.mem_alloc()
began = time.ticks_us()
for index in range(1000):
    learned.judge(spans, follow.message_at_ms + index * 50)
    door.allows(follow.message_at_ms, True, learned.wrong)
best[2] = time.ticks_diff(time.ticks_us(), began)
frames = gc.mem_alloc() - before
print(code, state, len(calibration_memory.to_bytes(learned)), best[0], best[1], best[2], frames)
"""


def measure(recording: Any, name: str, folder: Path, memory: bytes | None) -> dict[str, Any]:
    """Judge one recording against its truth file."""
    return judge(recording, SITE, load_truth(folder / f"{name}.truth.json", SITE.signal_group), memory=memory)


def print_row(name: str, state: str, figures: dict[str, Any]) -> None:
    """Print one line of the table."""
    wrong, green, answered = (figures[f"{key}_share"] * 100 for key in ("wrong_colour", "wrong_green", "answered"))
    jumps = figures["upward_jumps"]
    line = f"{name:15} {state:5} {wrong:8.2f} {green:8.2f} {answered:9.1f} {figures['flicker_ratio']:8.2f} {jumps:6d}"
    print(line, flush=True)


def print_accuracy(folder: Path) -> None:
    """Print the table of all recordings in `folder`, cold and, where it has more of the same signal, warm."""
    print(f"{'recording':15} {'':5} {'wrong %':>8} {'green %':>8} {'answer %':>9} {'flicker':>8} {'jumps':>6}")
    for name in RECORDINGS:
        recording = read_recording(folder / f"{name}-1.jsonl.gz")
        print_row(name, "cold", measure(recording, f"{name}-1", folder, None))
        memory: bytes | None = None
        for warm in sorted((folder / "warm").glob(f"{name}-*.jsonl.gz")):
            more = read_recording(warm)
            memory = measure(more, warm.name.removesuffix(".jsonl.gz"), folder / "warm", memory)["memory"]
        if memory is not None:
            print_row(name, "warm", measure(recording, f"{name}-1", folder, memory))


def print_costs() -> None:
    """Print what a board pays, on the unix MicroPython of this machine."""
    modules = ("calibration", "gate", "prior", "forecast")
    compiler = Compiler(host_architecture())
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "leezenflow"
        tree.mkdir()
        flash = 0
        for source in package_folder("leezenflow").glob("*.py"):
            compiled = compiler.compile(source.read_bytes(), f"leezenflow/{source.name}")
            (tree / f"{source.stem}.mpy").write_bytes(compiled)
            flash += len(compiled) if source.stem in modules else 0
        program = Path(scratch) / "costs.py"
        program.write_text(COSTS)
        output = subprocess.run(
            [*find_micropython(), str(program), scratch], capture_output=True, text=True, check=True
        )
    code, state, memory, build_us, learn_us, frame_ns, frame_bytes = map(int, output.stdout.split())
    print(f"flash                   {flash} bytes of .mpy ({', '.join(modules)})")
    print(f"heap, code of the two   {code} bytes on this 64-bit interpreter (calibration, gate)")
    print(f"heap, state             {state} bytes on this 64-bit interpreter")
    print(f"memory file             {memory} bytes after five minutes")
    print(f"per message             {build_us} us to build the forecast, {learn_us} us to learn from it")
    print(f"per frame               {frame_ns / 1000:.1f} us, {frame_bytes} bytes in 1000 frames")


def main() -> None:
    """Print the table, if there are recordings, and the costs."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else root.parent / "shared" / "traces"
    if folder.is_dir():
        print_accuracy(folder)
    else:
        print("no recordings here; give their folder as the argument to judge the countdown")
    print_costs()


if __name__ == "__main__":
    main()
