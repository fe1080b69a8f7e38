# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame costs an RP2040 before it is packed: microseconds of an emulated one at 125 MHz, and bytes allocated.

    LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 python tools/bench/frame_emulated.py

Advice: tracker, forecast, calibration and gate behind ten real messages. Looks: mean and worst of 25 frames of each
kind. Emulated times are a lower bound: flash cache misses and interrupts come on top. Takes some minutes.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/device")]

from emulated_board import EmulatedBoard  # noqa: E402

from leezenflow_host.board_config import read_board  # noqa: E402
from leezenflow_host.image import build_image, installed_names  # noqa: E402
from leezenflow_host.short_names import replace_names  # noqa: E402
from leezenflow_host.simulation.recording import simulate  # noqa: E402
from leezenflow_host.simulation.scenario import load_scenario  # noqa: E402
from leezenflow_host.site_config import read_site  # noqa: E402

LOOKS = ("green_wave", "countdown", "wait_ring", "pedestrian_wait", "speed_hint")
MESSAGES = 10
SITE = """
[unit]
name = "bench"
[signal]
intersection = "49:1090"
signal_group = 12
adapter = "spatem_xml"
source = "uart://0"
[rider]
distance_m = 110
cruise_kmh = 18
sprint_kmh = 24
[look]
name = "green_wave"
"""
PAYLOAD = """
import gc, json, sys, time
sys.path.insert(0, "/a")
time.sleep_ms(1500)
from leezenflow.advice import Advice
from leezenflow.board import Site
from leezenflow.canvas import Canvas
from leezenflow.engine import Engine
from leezenflow_adapters.spatem_xml import Decoder
with open("/site.json") as file:
    site = Site.from_dict(json.load(file), "/site.json")
engine = Engine(site, Decoder(site.region, site.intersection_id, site.signal_group, {}))
ticks = 1000

def measure(name, call, *arguments):
    gc.collect()
    total = worst = 0
    before = gc.mem_alloc()
    for frame in range(25):
        began = time.ticks_us()
        call(*arguments, ticks + 40 * frame)
        us = time.ticks_diff(time.ticks_us(), began)
        total += us
        worst = max(worst, us)
    print("##", name, total // 25, worst, gc.mem_alloc() - before)

for number in range(MESSAGES):
    with open("/message%d" % number, "rb") as file:
        message = file.read()
    engine.message(message, 0, len(message), ticks)
    ticks += 1000
measure("advice:" + engine.frame(ticks).kind, engine.frame)
del engine
gc.collect()
canvas = Canvas()
drawn = __import__("leezenflow.renderings.LOOK_NAME", None, None, ("Look",)).Look(canvas)
KINDS = (("green", 14000, 20000), ("sprint", 5000, 20000), ("red", 12000, 40000), ("uncertain", None, 0))
for kind, left, span in KINDS:
    advice = Advice()
    if left is None:
        advice.decline(kind, "doubtful")
    else:
        advice.claim(kind, left, span, 95)
    drawn.draw(advice, canvas, ticks - 40)
    measure("LOOK_NAME:" + kind, drawn.draw, advice, canvas)
print("## end 0 0 0")
"""


def build_files(look: str, folder: Path) -> dict[str, bytes]:
    """An installation for an Interstate 75 with that look, ten messages, and the payload as /main.py."""
    site = folder / "site.toml"
    site.write_text(SITE.replace("green_wave", look))
    board, unit = read_board("interstate75"), read_site(site)
    files = dict(build_image(board, unit).files)
    recording = simulate("actuated", load_scenario("actuated")[1], 1, MESSAGES + 2)
    for number in range(MESSAGES):
        files[f"/message{number}"] = recording.messages[number].payload
    payload = PAYLOAD.replace("LOOK_NAME", look).replace("MESSAGES", str(MESSAGES))
    return {**files, "/main.py": replace_names(payload, installed_names(board, unit)).encode()}


def measure(uf2: Path, look: str) -> list[list[str]] | None:
    """Name, mean, worst, bytes of each measurement on a board of its own, or None if the payload failed."""
    with tempfile.TemporaryDirectory() as folder:
        board = EmulatedBoard(uf2, build_files(look, Path(folder)))
    board.run(60_000, until=lambda: b"## end" in board.console or b"Traceback" in board.console, patience_s=3000)
    if b"## end" not in board.console:
        board.run(200)  # the rest of the traceback
        print(board.console.decode(), file=sys.stderr)
        return None
    return [line[3:].split() for line in board.console.decode().splitlines() if line.startswith("## ")][:-1]


def main() -> int:
    """Measure look after look and print a table."""
    uf2 = os.environ.get("LEEZENFLOW_UF2")
    if not uf2:
        print("left out: set LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 (MicroPython for a plain Pico)", file=sys.stderr)
        return 0
    print(f"{'':28}{'mean us':>10}{'worst us':>10}{'bytes':>8}")
    # A board for each: what an earlier look leaves in the heap would slow down a later one.
    for look in sys.argv[1:] or LOOKS:
        rows = measure(Path(uf2), look)
        if rows is None:
            return 1
        for name, mean, worst, allocated in rows:
            print(f"{name.replace(':', ' '):28}{mean:>10}{worst:>10}{allocated:>8}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
