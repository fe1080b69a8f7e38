# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS2812 driver with its PIO program on an emulated state machine: every lane decoded as an LED would."""

import ast
import itertools
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leezenflow import strands
from leezenflow.canvas import Canvas
from leezenflow.errors import LeezenflowError
from leezenflow_host.cli import main

sys.path.append(str(Path(__file__).parent))
from rp2_twin import Chip, load_driver

ROOT = Path(__file__).resolve().parents[2]
CYCLE_NS = 125
# High times for 0 and for 1, shortest low time after either, all in ns: where the data sheets of WS2812B (400, 800,
# 850 and 450, +- 150) and of WS2812B-V5 (220 to 380, 580 to 1000, 580 to 1000, 220 to 420) overlap.
HIGH_0_NS = (250, 380)
HIGH_1_NS = (650, 950)
LOW_NS = {0: 700, 1: 300}
BIT_NS = 1250
LATCH_NS = 280_000

SMALL = {"lanes": 8, "max_ma": 60_000}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The driver's module on a fresh chip."""
    yield lambda: load_driver("ws2812_rp2", monkeypatch)


def decode_lane(waveform: list[tuple[int, int]], pin: int) -> list[tuple[int, bytes]]:
    """The frames an LED strand at a pin sees: (when it began in ns, its bytes)."""
    frames: list[tuple[int, list[int]]] = []
    level = 0
    rose = fell = -(1 << 60)
    last_bit = None
    for cycle, levels in waveform:
        now = levels >> pin & 1
        if now == level:
            continue
        at = cycle * CYCLE_NS
        if now:
            if last_bit is None or at - fell >= LATCH_NS:
                frames.append((at, []))
            else:
                assert at - fell >= LOW_NS[last_bit]
                assert at - rose == BIT_NS
            rose = at
        else:
            high = at - rose
            assert HIGH_0_NS[0] <= high <= HIGH_0_NS[1] or HIGH_1_NS[0] <= high <= HIGH_1_NS[1], high
            last_bit = int(high > 500)
            frames[-1][1].append(last_bit)
            fell = at
        level = now
    decoded = []
    for began, bits in frames:
        assert len(bits) % 8 == 0
        text = "".join(map(str, bits))
        decoded.append((began, bytes(int(text[place : place + 8], 2) for place in range(0, len(text), 8))))
    return decoded


def finish(chip: Chip, display: Any) -> None:
    """Let the frame that was sent last come out whole."""
    chip.run(display._frame_us * 8)


def light(value: int, brightness: int = 255) -> int:
    """Level of a channel value, gamma 2.2, rounded down."""
    return round(4095 * (value / 255) ** 2.2) * (strands.FULL_FACTOR * brightness // 255) >> 20


def draw_noise(width: int, height: int, seed: int = 1) -> Canvas:
    """A picture in which every pixel and palette entry is random."""
    source = random.Random(seed)
    canvas = Canvas(width, height)
    canvas.pixels[:] = source.randbytes(width * height)
    canvas.palette[:] = source.randbytes(768)
    return canvas


def test_every_lane_gets_its_pixels(load: Any):
    module, chip = load()
    display = module.Display({"pin": 2, "serpentine": False, **SMALL}, 4, 16)
    canvas = draw_noise(4, 16)
    display.show(canvas)
    finish(chip, display)
    for lane in range(8):
        frames = decode_lane(chip.waveform(), 2 + lane)
        assert len(frames) == 2
        # Zeros first: strands keep what an earlier run has told them.
        assert frames[0][1] == bytes(8 * 3)
        expected = bytearray()
        for index in canvas.pixels[8 * lane : 8 * lane + 8]:
            red, green, blue = canvas.palette[3 * index : 3 * index + 3]
            expected += bytes([light(green), light(red), light(blue)])
        assert frames[1][1] == expected


def test_32_by_96_at_60_frames_a_second(load: Any):
    module, chip = load()
    display = module.Display(SMALL, 32, 96)
    assert display.frames_per_second == 84
    canvases = [draw_noise(32, 96, seed) for seed in range(2)]
    for canvas in canvases:
        display.show(canvas)
    finish(chip, display)
    for lane in (0, 7):
        frames = decode_lane(chip.waveform(), lane)
        assert [len(frame) for _, frame in frames] == [384 * 3] * 3
        assert frames[2][0] - frames[1][0] < 1e9 / 60
        # Back and forth: the second row of a lane comes from the right.
        for canvas, (_, frame) in zip(canvases, frames[1:], strict=True):
            index = canvas.pixels[lane * 384 + 63]
            assert frame[32 * 3 + 1] == light(canvas.palette[3 * index])


def test_colour_order_and_columns(load: Any):
    module, chip = load()
    options = {"lanes": 2, "colour_order": "BRG", "wiring": "columns", "panel_widths": [2, 2], "max_ma": 60_000}
    display = module.Display(options, 4, 3)
    canvas = draw_noise(4, 3)
    display.show(canvas)
    finish(chip, display)
    # Two panels of 2 x 3, each down its first column and up its second.
    for lane in range(2):
        expected = bytearray()
        for column, row in ((0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)):
            index = canvas.pixels[row * 4 + 2 * lane + column]
            red, green, blue = canvas.palette[3 * index : 3 * index + 3]
            expected += bytes([light(blue), light(red), light(green)])
        assert decode_lane(chip.waveform(), lane)[1][1] == expected


def test_brightness_scales_light(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 4, 16)
    canvas = draw_noise(4, 16)
    display.set_brightness(100)
    display.show(canvas)
    finish(chip, display)
    frame = decode_lane(chip.waveform(), 0)[1][1]
    assert frame[0] == light(canvas.palette[3 * canvas.pixels[0] + 1], 100)
    display.set_brightness(0)
    display.show(canvas)
    finish(chip, display)
    assert not any(decode_lane(chip.waveform(), 0)[2][1])


def test_the_current_stays_below_the_supplys(load: Any):
    module, chip = load()
    # 64 LEDs take 64 mA dark; 2000 mA are left for what would take 64 * 3 * 20 mA in white.
    display = module.Display({"lanes": 8, "max_ma": 2064, "channel_ma": 20}, 4, 16)
    white = Canvas(4, 16)
    white.palette[:] = b"\xff" * 768
    noise = draw_noise(4, 16)
    dim = Canvas(4, 16)
    dim.palette[:3] = bytes([120, 120, 120])
    for canvas in (white, noise, dim, white):
        display.show(canvas)
    finish(chip, display)
    lanes = [decode_lane(chip.waveform(), lane) for lane in range(8)]
    currents = [sum(20 * level / 255 for lane in lanes for level in lane[number][1]) for number in range(1, 5)]
    assert max(currents) <= 2000
    # Not more dimmed than needed: one step of 256 and the rounding of the levels.
    assert abs(currents[0] - currents[3]) < 1e-6
    assert currents[0] > 1960
    # A picture that fits is not dimmed at all.
    assert abs(currents[2] - 64 * 3 * 20 * light(120) / 255) < 1e-6


def test_colours_keep_their_hue_when_dimmed(load: Any):
    module, chip = load()
    display = module.Display({"lanes": 1, "max_ma": 60, "channel_ma": 20}, 4, 4)
    canvas = Canvas(4, 4)
    canvas.palette[:3] = bytes([255, 186, 100])
    display.show(canvas)
    finish(chip, display)
    green, red, blue = decode_lane(chip.waveform(), 0)[1][1][:3]
    assert 0 < red < 255
    assert abs(green - red * light(186) / 255) <= 1
    assert abs(blue - red * light(100) / 255) <= 1


def test_frames_do_not_run_into_each_other(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 4, 16)
    for seed in range(4):
        display.show(draw_noise(4, 16, seed))
    finish(chip, display)
    frames = decode_lane(chip.waveform(), 3)
    assert len(frames) == 5
    # The longest bit is over 1.25 us after the last one began; decode_lane has split at pauses of 280 us.
    assert all(after[0] - before[0] >= 8 * 30_000 + LATCH_NS for before, after in itertools.pairwise(frames))


def test_ends_dark_and_gives_everything_back(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 4, 16)
    display.show(draw_noise(4, 16))
    display.deinit()
    for lane in range(8):
        frames = decode_lane(chip.waveform(), lane)
        assert any(frames[-2][1])
        assert not any(frames[-1][1])
        assert len(frames[-1][1]) == 24
    assert chip.channels == [None] * 12
    assert len(chip.removed) == 1
    assert [entry[1:] for entry in chip.pin_log] == [(pin, "out", 0) for pin in range(8)]
    display.deinit()
    assert len(chip.removed) == 1


def test_a_dead_state_machine_is_reported(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 4, 16)
    display.show(draw_noise(4, 16))
    chip.ticks_run_machines = False
    with pytest.raises(LeezenflowError, match="the strands take no data"):
        display.show(draw_noise(4, 16))
    with pytest.raises(LeezenflowError, match="the strands take no data"):
        display.deinit()
    assert chip.channels == [None] * 12


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lanes": 7}, "lanes = 7 does not divide 64 LEDs"),
        ({"pin": 25}, "pin = 25: 8 lanes end after GPIO 29"),
        ({"max_ma": 60}, "max_ma = 60: 64 LEDs need 64 mA even when dark"),
    ],
)
def test_what_cannot_work_is_said(load: Any, options: dict[str, Any], words: str):
    module, _ = load()
    with pytest.raises(LeezenflowError, match=words):
        module.Display(options, 4, 16)


def test_a_failed_start_gives_everything_back(load: Any):
    module, chip = load()
    chip.channels[:] = ["taken"] * 12
    with pytest.raises(StopIteration):
        module.Display({**SMALL}, 4, 16)
    assert not any(machine.running for machine in chip.machines.values())
    assert len(chip.removed) == 1


COMPARE = """
import random, sys
from array import array
sys.path[:0] = [{firmware!r}]
from leezenflow import strands as plain
from leezenflow.bitplanes import gamma_levels
from leezenflow_device.displays import _strands_viper as viper

random.seed(3)
def noise(count):
    return bytearray(random.getrandbits(8) for _ in range(count))

fine, nibbles = gamma_levels(22, 12), plain.nibble_words()
for lanes in range(1, 9):
    leds = random.randrange(1, 40)
    pixels, palette = noise(lanes * leds), noise(768)
    factor = plain.FULL_FACTOR * random.randrange(1, 256) // 255
    light = bytearray(256), bytearray(256)
    plain.scale_levels(fine, factor, light[0])
    viper.scale_levels(fine, factor, light[1])
    assert light[0] == light[1]
    order = bytes(random.choice(((0, 1, 2), (1, 0, 2), (2, 0, 1))))
    tables = array("I", bytes(6144)), array("I", bytes(6144))
    sums = array("H", bytes(512)), array("H", bytes(512))
    plain.spread_colours(palette, light[0], nibbles, tables[0], sums[0], order)
    viper.spread_colours(palette, light[0], nibbles, tables[1], sums[1], order)
    assert tables[0] == tables[1] and sums[0] == sums[1]
    assert plain.sum_light(pixels, sums[0], len(pixels)) == viper.sum_light(pixels, sums[0], len(pixels))
    chain = plain.lane_order(array("H", range(lanes * leds)), lanes)
    words = array("I", bytes(24 * leds)), array("I", bytes(24 * leds + 16))
    plain.pack_lanes(pixels, chain, tables[0], words[0], leds, lanes)
    viper.pack_lanes(pixels, chain, tables[0], words[1], leds, lanes)
    assert words[0] == words[1][: 6 * leds] and not any(words[1][6 * leds :])
print("compared")
"""


def test_viper_and_plain_agree(micropython: str):
    script = COMPARE.format(firmware=str(ROOT / "firmware"))
    result = subprocess.run([micropython, "-c", script], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout == "compared\n"


def test_the_boards_first_lines_darken_every_strand(tmp_path: Path):
    with pytest.raises(SystemExit) as ended:
        main(["install", "--board", "pico_w_ws2812", "--stage", str(tmp_path / "tree")])
    assert ended.value.code == 0
    boot = (tmp_path / "tree/boot.py").read_text(encoding="utf-8")
    (strands_line,) = (line for line in boot.splitlines() if line.startswith("DARK_STRANDS = "))
    # A lane has 384 LEDs of three bytes.
    assert ast.literal_eval(strands_line.partition(" = ")[2]) == tuple((pin, 1152) for pin in range(8))
