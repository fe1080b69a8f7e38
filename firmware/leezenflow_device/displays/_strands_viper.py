# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loops of leezenflow.strands in machine code: same names, same arguments, same results.

Viper checks no bounds: only arrays of the sizes that leezenflow.strands names may come in here.
"""

# ptr8 and the like are words of the viper compiler.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportIndexIssue=false, reportOperatorIssue=false, reportCallIssue=false

import micropython


@micropython.viper
def scale_levels(fine: ptr16, factor: int, light: ptr8):
    """Levels of 8 bits from levels of 12, see strands.scale_levels."""
    value = 0
    while value < 256:
        light[value] = int(fine[value]) * factor >> 20
        value += 1


@micropython.viper
def spread_colours(palette: ptr8, light: ptr8, nibbles: ptr32, tables: ptr32, sums: ptr16, order: ptr8):
    """What each palette entry puts on one lane and how much light it is, see strands.spread_colours."""
    index = 0
    while index < 256:
        total = 0
        place = 0
        while place < 3:
            level = int(light[palette[order[place]]])
            total += level
            tables[0] = nibbles[level >> 4]
            tables[1] = nibbles[level & 15]
            tables = ptr32(int(tables) + 8)
            place += 1
        sums[index] = total
        palette = ptr8(int(palette) + 3)
        index += 1


@micropython.viper
def sum_light(pixels: ptr8, sums: ptr16, count: int) -> int:
    """Light of the whole picture, see strands.sum_light."""
    total = 0
    end = int(pixels) + count
    at = int(pixels)
    while at < end:
        total += int(sums[ptr8(at)[0]])
        at += 1
    return total


@micropython.viper
def pack_lanes(pixels: ptr8, order: ptr16, tables: ptr32, words: ptr32, leds: int, lanes: int):
    """Fill a frame for all lanes, see strands.pack_lanes."""
    base = int(tables)
    while leds:
        leds -= 1
        first = 0
        second = 0
        third = 0
        fourth = 0
        fifth = 0
        sixth = 0
        lane = 0
        while lane < lanes:
            colour = ptr32(base + 24 * int(pixels[order[lane]]))
            first |= int(colour[0]) << lane
            second |= int(colour[1]) << lane
            third |= int(colour[2]) << lane
            fourth |= int(colour[3]) << lane
            fifth |= int(colour[4]) << lane
            sixth |= int(colour[5]) << lane
            lane += 1
        words[0] = first
        words[1] = second
        words[2] = third
        words[3] = fourth
        words[4] = fifth
        words[5] = sixth
        words = ptr32(int(words) + 24)
        order = ptr16(int(order) + 2 * lanes)
