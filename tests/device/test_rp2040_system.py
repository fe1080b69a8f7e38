# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole unit on an emulated RP2040 with a real MicroPython: what the pins of an Interstate 75 show.

Runs when LEEZENFLOW_UF2 names a MicroPython image (1.24 or newer) for a plain Pico, `RPI_PICO-….uf2`; a few minutes.
"""

import itertools
import os
import random
import sys
from pathlib import Path

import pytest

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.renderings.test_pattern import Look
from leezenflow_host.cli import main

sys.path.append(str(Path(__file__).parent))
from emulated_board import EmulatedBoard, read_tree
from hub75_panel import STANDARD_PINS, Exposure, Panel, sum_light

UF2 = os.environ.get("LEEZENFLOW_UF2")
pytestmark = pytest.mark.skipif(
    UF2 is None, reason="set LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 (MicroPython for a plain Pico) to run this test"
)

COLUMNS, ROW_PAIRS = 96, 16
OE = STANDARD_PINS.oe
WINDOW_MS = 16

SITE = """
[signal]
intersection = "49:1090"
signal_group = 12
adapter = "spatem_xml"
source = "mqtt://192.0.2.1/spat/1090"

[rider]
distance_m = 110
cruise_kmh = 18

[look]
name = "test_pattern"
"""


def stage(folder: Path, *arguments: str) -> dict[str, bytes]:
    """The device tree of an Interstate 75."""
    with pytest.raises(SystemExit) as ended:
        main(["install", "--board", "interstate75", "--stage", str(folder), *arguments])
    assert ended.value.code == 0
    return read_tree(folder)


def start_unit(board: EmulatedBoard) -> None:
    """Wait for the first picture of a board that starts; until the driver runs, OE must not be low for an instant."""
    block = board.chip.pio[0]
    lit_early: list[int] = []

    def note(level: int, _: int) -> None:
        # Levels 0 and 1; whatever is more is an input.
        if block.stopped and level == 0:
            lit_early.append(board.now_ns)

    stop = board.chip.gpio[OE].add_listener(note)
    assert board.run(10_000, until=lambda: not block.stopped), board.console.decode()
    stop()
    assert lit_early == []
    # The driver starts with a black picture; looks and pictures are loaded after it.
    board.run(500)


def whole_frames(exposures: list[Exposure]) -> list[Exposure]:
    """The exposures of whole cycles of four frames, from one first row to another."""
    starts = [i for i in range(1, len(exposures)) if exposures[i].row == 0 and exposures[i - 1].row == ROW_PAIRS - 1]
    frames = (len(starts) - 1) // 4 * 4
    assert frames >= 4
    return exposures[starts[0] : starts[frames]]


def refresh_hz(exposures: list[Exposure]) -> float:
    """Frames a second."""
    starts = [
        after.start for before, after in itertools.pairwise(exposures) if after.row == 0 and before.row == ROW_PAIRS - 1
    ]
    return (len(starts) - 1) * 1e9 / (starts[-1] - starts[0])


def compare(panel: Panel, canvas: Canvas) -> float:
    """Largest difference between light and picture, in grey levels of 255."""
    exposures = whole_frames(panel.exposures)
    light = sum_light(exposures, COLUMNS, ROW_PAIRS)
    full = [0] * ROW_PAIRS
    for exposure in exposures:
        full[exposure.row] += exposure.duration
    worst = 0.0
    for y in range(96):
        for x in range(32):
            # Rotation 90: column 0 of the chain is at the top, row 0 on the right.
            row, column = 31 - x, y
            index = canvas.pixels[y * 32 + x]
            for channel in range(3):
                expected = 255 * (canvas.palette[3 * index + channel] / 255) ** 2.2
                seen = 255 * light[(row * COLUMNS + column) * 3 + channel] / full[row % ROW_PAIRS]
                worst = max(worst, abs(expected - seen))
    return worst


@pytest.mark.parametrize("what", ["picture.bin", "test_pattern"])
def test_the_panel_shows_the_picture(tmp_path: Path, what: str):
    canvas = Canvas(32, 96)
    if what == "picture.bin":
        files = stage(tmp_path / "tree")
        source = random.Random(12)
        canvas.load_picture(source.randbytes(3072 + 768))
        files["/picture.bin"] = canvas.picture()
    else:
        site = tmp_path / "site.toml"
        site.write_text(SITE)
        files = stage(tmp_path / "tree", "--site", str(site))
        Look(canvas).draw(Advice(), canvas, 0)
    assert UF2
    board = EmulatedBoard(Path(UF2), files)
    start_unit(board)
    panel = board.watch_panel(WINDOW_MS, COLUMNS, STANDARD_PINS)
    assert panel.complaints == []
    assert refresh_hz(panel.exposures) >= 500
    assert compare(panel, canvas) <= 1
    # Ctrl-C, as mpremote sends it: the unit stops, dark.
    board.type("\x03")
    assert board.run(3_000, until=lambda: b"the panel is dark" in board.console), board.console.decode()
    assert board.pin(OE) == 1
    if what == "picture.bin":
        # And it stays dark through a soft reset until the picture is back.
        board.type("\x04")
        start_unit(board)
        assert compare(board.watch_panel(WINDOW_MS, COLUMNS, STANDARD_PINS), canvas) <= 1
