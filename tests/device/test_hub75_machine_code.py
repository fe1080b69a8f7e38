# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The viper loops of the HUB75 driver give what their plain twins give, on a real MicroPython."""

import subprocess
from pathlib import Path

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
