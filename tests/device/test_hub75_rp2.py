# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HUB75 driver with its PIO programs on emulated state machines: what the pins say is the picture, to the bit."""

import itertools
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leezenflow.canvas import Canvas
from leezenflow.errors import LeezenflowError

sys.path.append(str(Path(__file__).parent))
from hub75_panel import STANDARD_PINS, Exposure, Panel, Pins, sum_light
from rp2_twin import Chip, Pin, load_driver

# One 64 x 32 and one 32 x 32 panel in a row, hung turned clockwise: what riders see is 32 wide and 96 high.
OUR_PANELS = {"rotation": 90, "panel_widths": [64, 32]}
# Enough for what does not depend on size: a chain of 8 x 16 pixels.
SMALL = {"refresh_hz": 3000}

# What the column drivers of common panels ask for (DP5125, FM6126A, ICN2037: 5 to 15 ns set-up and hold, LE and OE
# pulses of 20 to 50 ns), doubled; and OE off long enough before and after the address for slow row switches.
LIMITS_NS = {"set_up": 30, "hold": 30, "latch_gap": 30, "latch_settle": 60, "settle": 300, "blank": 40}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The driver's module on a fresh chip."""

    def load_module(**settings: int) -> tuple[Any, Chip]:
        return load_driver("hub75_rp2", monkeypatch, **settings)

    yield load_module


def draw_noise(width: int, height: int, seed: int = 1) -> Canvas:
    """A picture in which every pixel and palette entry is random."""
    source = random.Random(seed)
    canvas = Canvas(width, height)
    canvas.pixels[:] = source.randbytes(width * height)
    canvas.palette[:] = source.randbytes(768)
    return canvas


def watch(chip: Chip, display: Any, pins: Pins = STANDARD_PINS) -> Panel:
    """What the panel saw until now, checked against LIMITS_NS."""
    cycle_ns = display.timing.divider * 1e9 / chip.system_hz
    panel = Panel(display.timing.columns, pins, **{name: ns / cycle_ns for name, ns in LIMITS_NS.items()})
    for at, levels in chip.waveform():
        panel.feed(at, levels)
    assert panel.complaints == []
    return panel


def run_cycles(chip: Chip, display: Any, count: int) -> None:
    """Advance by so many cycles of all phases, and the first line."""
    chip.run(count * display.timing.cycle_cycles() + 2 * display.timing.columns)


def split_cycles(exposures: list[Exposure], timing: Any) -> list[list[Exposure]]:
    """The exposures of each whole cycle of all phases."""
    length = timing.phases * timing.row_pairs * timing.lines
    whole = len(exposures) - len(exposures) % length
    return [exposures[start : start + length] for start in range(0, whole, length)]


def level(value: int, depth: int) -> int:
    """Light of a channel value, gamma 2.2."""
    return round(((1 << depth) - 1) * (value / 255) ** 2.2)


def test_the_pins_say_the_picture_to_the_bit(load: Any):
    module, chip = load()
    display = module.Display({**OUR_PANELS}, 32, 96)
    canvas = draw_noise(32, 96)
    display.show(canvas)
    run_cycles(chip, display, 2)
    timing = display.timing
    dark, cycle, *_ = split_cycles(watch(chip, display).exposures, timing)
    assert {exposure.line for exposure in dark} == {bytes(96)}
    assert (timing.planes, timing.phases, timing.row_pairs) == (8, 4, 16)
    # The lowest plane (of a level of ten bits, bit 2) alternates with two finer ones and is lit twice as long instead.
    slots = [(2, 2), (1, 2), (2, 2), (0, 1)]
    unit = timing.unit_cycles
    seen = iter(cycle)
    for slot, weight in slots:
        for row in range(16):
            lines = [(slot, weight * unit)] + [(bit, unit << bit - 2) for bit in range(3, 10)]
            for bit, duration in lines:
                expected = bytearray(96)
                for column in range(96):
                    for half in range(2):
                        # Turned clockwise: column 0 is at the top, row 0 on the right.
                        x, y = 31 - (row + 16 * half), column
                        index = canvas.pixels[y * 32 + x]
                        for channel in range(3):
                            value = canvas.palette[3 * index + channel]
                            expected[column] |= (level(value, 10) >> bit & 1) << 3 * half + channel
                exposure = next(seen)
                assert (exposure.row, exposure.duration) == (row, duration)
                assert exposure.line == expected


def test_light_is_the_level_of_ten_bits(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 8, 16)
    canvas = Canvas(8, 16)
    for index in range(128):
        canvas.pixels[index] = index
        # Dark gradients, where the eye sees steps: 2 values a step, in three different channel orders.
        canvas.palette[3 * index : 3 * index + 3] = bytes([index, 127 - index, index // 2])
    display.show(canvas)
    run_cycles(chip, display, 2)
    timing = display.timing
    cycle = split_cycles(watch(chip, display).exposures, timing)[1]
    light = sum_light(cycle, 8, 8)
    # Four phases, and a level of 4 is one unit a frame.
    expected = [timing.unit_cycles * level(canvas.palette[3 * i + c], 10) for i in range(128) for c in range(3)]
    assert light == expected
    # Without dithering the first 20 values would share two levels.
    assert len({level(value, 10) for value in range(21)}) > 2 * len({level(value, 8) for value in range(21)})


@pytest.mark.parametrize("brightness", [255, 128, 64, 20, 1])
def test_brightness_is_on_time_and_leaves_the_frame_as_long(load: Any, brightness: int):
    module, chip = load()
    display = module.Display({"refresh_hz": 1500}, 8, 16)
    display.set_brightness(brightness)
    canvas = Canvas(8, 16)
    canvas.palette[:3] = b"\xff\xff\xff"
    display.show(canvas)
    run_cycles(chip, display, 3)
    timing = display.timing
    _, first, second = split_cycles(watch(chip, display).exposures, timing)[:3]
    assert second[0].start - first[0].start == timing.cycle_cycles()
    # The average over the phases is exact but for the last 255th of a cycle; no line is shorter than one cycle.
    planned = timing.unit_cycles * 1023 * timing.row_pairs
    lit = sum(exposure.duration for exposure in second)
    assert min(exposure.duration for exposure in second) >= 1
    if brightness >= 20:
        assert abs(lit * 255 - planned * brightness) <= 255 * timing.row_pairs * timing.lines
    # Depth is kept: each plane is still lit about twice as long as the one below it.
    by_line = [sum(e.duration for e in second[line :: timing.lines]) for line in range(timing.lines)]
    if brightness >= 20:
        assert by_line == sorted(by_line)
        assert len(set(by_line[1:])) == timing.lines - 1


def test_brightness_zero_is_dark(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 8, 16)
    canvas = Canvas(8, 16)
    canvas.palette[:3] = b"\xff\xff\xff"
    display.set_brightness(0)
    display.show(canvas)
    run_cycles(chip, display, 2)
    assert sum(sum_light(watch(chip, display).exposures, 8, 8)) == 0
    display.set_brightness(255)
    display.show(canvas)
    run_cycles(chip, display, 2)
    assert all(sum_light(split_cycles(watch(chip, display).exposures, display.timing)[-1], 8, 8))


def test_the_cap_is_what_full_brightness_means(load: Any):
    module, chip = load()
    capped = module.Display({"brightness_cap": 100, "refresh_hz": 1500}, 8, 16)
    run_cycles(chip, capped, 1)
    lit = sum(exposure.duration for exposure in split_cycles(watch(chip, capped).exposures, capped.timing)[0])
    assert abs(lit * 255 - capped.timing.unit_cycles * 1023 * 8 * 100) <= 255 * 8 * capped.timing.lines


def test_a_flip_waits_for_the_end_of_the_cycle(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 8, 16)
    pictures = []
    for number in range(4):
        canvas = draw_noise(8, 16, number)
        display.show(canvas)
        # Anywhere in the cycle, also several times in one.
        chip.run(random.Random(number).randrange(display.timing.cycle_cycles()))
        pictures.append(canvas)
    run_cycles(chip, display, 2)
    cycles = split_cycles(watch(chip, display).exposures, display.timing)
    shown = [sum_light(cycle, 8, 8) for cycle in cycles]
    whole = [[0] * 384]
    for canvas in pictures:
        levels = [level(value, 10) * display.timing.unit_cycles for value in canvas.palette]
        whole.append([levels[3 * index + channel] for index in canvas.pixels for channel in range(3)])
    places = [whole.index(light) for light in shown]  # a torn picture would be none of them
    assert places == sorted(places)
    assert set(places) == set(range(5))


def test_a_dead_refresh_is_reported(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 8, 16)
    canvas = draw_noise(8, 16)
    display.show(canvas)
    chip.ticks_run_machines = False
    with pytest.raises(LeezenflowError, match="refresh stands still"):
        display.show(canvas)


@pytest.mark.parametrize(
    ("options", "size", "pins"),
    [
        # 1/32 scan with line E, two panels side by side, all pins elsewhere, OE below LAT.
        (
            {
                "data_pin": 14,
                "address_pin": 2,
                "clock_pin": 7,
                "latch_pin": 9,
                "oe_pin": 8,
                "panel_widths": [16, 16],
                "pio": 1,
                "dither": 1,
            },
            (32, 64),
            Pins(data=14, address=2, address_bits=5, clock=7, latch=9, oe=8),
        ),
        # Ten planes with the address on three lines.
        ({"planes": 10, "dither": 0, "refresh_hz": 800}, (8, 16), Pins(address_bits=3)),
        # The pins of a common jumper wiring, LAT and OE between CLK and the address.
        (
            {
                "clock_pin": 6,
                "latch_pin": 7,
                "oe_pin": 8,
                "address_pin": 9,
                "dither": 3,
                "planes": 6,
                "refresh_hz": 9000,
            },
            (8, 16),
            Pins(address=9, address_bits=3, clock=6, latch=7, oe=8),
        ),
    ],
    ids=["64 rows", "10 planes", "jumpers"],
)
def test_other_panels_pins_and_depths(load: Any, options: dict[str, Any], size: tuple[int, int], pins: Pins):
    module, chip = load()
    width, height = size
    display = module.Display(options, width, height)
    canvas = draw_noise(width, height)
    display.show(canvas)
    run_cycles(chip, display, 2)
    timing = display.timing
    depth = timing.planes + timing.dither
    cycle = split_cycles(watch(chip, display, pins).exposures, timing)[1]
    light = sum_light(cycle, width, height // 2)
    # One unit a frame is bit `dither` of a level.
    levels = [
        level(canvas.palette[3 * index + c], depth) * timing.unit_cycles for index in canvas.pixels for c in range(3)
    ]
    assert light == levels


def test_colour_order(load: Any):
    module, chip = load()
    display = module.Display({"colour_order": "BRG", "dither": 0, **SMALL}, 8, 16)
    canvas = Canvas(8, 16)
    canvas.palette[:3] = b"\xff\x00\x00"
    display.show(canvas)
    run_cycles(chip, display, 2)
    lines = {exposure.line for exposure in split_cycles(watch(chip, display).exposures, display.timing)[1]}
    # Red goes to the second pin of each half.
    assert lines == {bytes([0b010010]) * 8}


@pytest.mark.parametrize("system_hz", [125_000_000, 133_000_000, 150_000_000, 200_000_000])
def test_refresh_as_planned_at_any_system_clock(load: Any, system_hz: int):
    module, chip = load(system_hz=system_hz)
    display = module.Display({**OUR_PANELS}, 32, 96)
    timing = display.timing
    assert {machine.freq for machine in chip.machines.values()} == {timing.sm_hz}
    assert timing.sm_hz * timing.divider <= system_hz < (timing.sm_hz + 1) * timing.divider
    chip.run(20 * 8 * 400)
    exposures = watch(chip, display).exposures
    rows = [exposure for exposure in exposures if exposure is not exposures[0]]
    first = next(exposure for exposure in rows if exposure.row == 1)
    later = next(exposure for exposure in rows if exposure.row == 9)
    assert 16 * (later.start - first.start) * timing.phases == 8 * timing.cycle_cycles()
    assert timing.sm_hz / (2 * (later.start - first.start)) >= 500
    assert timing.pixel_clock_khz() <= 11_000


def test_nothing_is_lit_before_and_after(load: Any):
    module, chip = load()
    display = module.Display({**SMALL}, 8, 16)
    # OE is driven high before anything else happens to any pin.
    assert chip.pin_log[0][1:] == (13, Pin.OUT, 1)
    machines = list(chip.machines.values())
    chip.run(5_000)
    chip.pin_log.clear()
    display.deinit()
    assert chip.pin_log[0][1:] == (13, Pin.OUT, 1)
    assert not any(machine.running for machine in machines)
    assert chip.channels == [None] * 12
    assert len(chip.removed) == 2
    display.deinit()
    assert len(chip.removed) == 2


def test_a_second_start_is_in_step(load: Any):
    module, chip = load()
    first = module.Display({**SMALL}, 8, 16)
    chip.run(12_345)
    first.deinit()
    # What the first one left in flags and FIFOs is still there.
    assert all(machine.tx_fifo() for machine in chip.machines.values())
    second = module.Display({**SMALL}, 8, 16)
    canvas = draw_noise(8, 16)
    second.show(canvas)
    run_cycles(chip, second, 2)
    light = sum_light(split_cycles(watch(chip, second).exposures, second.timing)[1], 8, 8)
    assert light == [
        level(canvas.palette[3 * index + channel], 10) * second.timing.unit_cycles
        for index in canvas.pixels
        for channel in range(3)
    ]


def test_a_failed_start_is_dark_and_gives_everything_back(load: Any, monkeypatch: pytest.MonkeyPatch):
    module, chip = load()
    # Someone else holds most channels.
    chip.channels[:9] = ["taken"] * 9
    with pytest.raises(StopIteration):
        module.Display({**SMALL}, 8, 16)
    assert chip.pin_log[-1][1:] == (13, Pin.OUT, 1)
    assert not any(machine.running for machine in chip.machines.values())
    assert len(chip.removed) == 2


def test_fm6126a_registers_are_written_before_the_start(load: Any):
    module, chip = load()
    module.Display({"start_up": "fm6126a", **OUR_PANELS}, 32, 96)
    levels = dict.fromkeys(range(14), 0)
    sent: list[tuple[set[int], int]] = []
    rises = []
    for at, number, _, value in chip.pin_log:
        if number == 11 and value and not levels[11]:
            sent.append(({levels[pin] for pin in range(6)}, levels[12]))
            rises.append(at)
        levels[number] = value or 0
    assert levels[13] == 1  # OE stayed off
    assert len(sent) == 192
    for register, latched, part in ((0xFFFE, 11, sent[:96]), (0x0200, 12, sent[96:])):
        for clock, (data, latch) in enumerate(part):
            assert data == {register >> clock % 16 & 1}
            assert latch == (clock >= 96 - latched)
    assert min(after - before for before, after in itertools.pairwise(rises)) >= 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"latch_pin": 12, "oe_pin": 14}, "neighbouring GPIOs"),
        ({"data_pin": 7}, "data_pin and address_pin both need GPIO 7"),
        ({"address_pin": 28, "latch_pin": 8, "oe_pin": 9}, "address_pin = 28: that needs GPIO 30"),
        ({"planes": 11, "dither": 3}, "make 14 bits"),
        ({"refresh_hz": 2000}, "reach [0-9]+ Hz .* set refresh_hz to that or less"),
        ({"planes": 10, "refresh_hz": 500}, "10 planes on 96 x 32 pixels reach 31[0-9] Hz"),
        ({"panel_widths": [64, 30]}, "these add up to 94"),
    ],
)
def test_what_cannot_work_is_said(load: Any, options: dict[str, Any], words: str):
    module, _ = load()
    with pytest.raises(LeezenflowError, match=words):
        module.Display({**OUR_PANELS, **options}, 32, 96)


@pytest.mark.parametrize(("size", "words"), [((32, 24), "panels of 24 rows"), ((30, 32), "30 columns long")])
def test_panels_that_cannot_work(load: Any, size: tuple[int, int], words: str):
    module, _ = load()
    with pytest.raises(LeezenflowError, match=words):
        module.Display({}, *size)


def test_planned_memory_is_what_the_driver_holds(load: Any):
    module, _ = load()
    display = module.Display({**OUR_PANELS}, 32, 96)
    held = [
        *display._planes,
        *display._lists,
        display._row_words,
        display._tables,
        display._order,
        display._palette,
        display._levels,
        display._nibbles,
    ]
    assert sum(memoryview(part).nbytes for part in held) == display.timing.memory_bytes()
