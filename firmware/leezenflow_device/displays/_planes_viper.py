# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loops of leezenflow.bitplanes in machine code: same names, same arguments, same results, some 20 times faster.

Viper checks no bounds: only arrays of the sizes that bitplanes names may come in here. The tests run both side by side.
"""

# ptr8 and the like are words of the viper compiler.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportIndexIssue=false, reportOperatorIssue=false, reportCallIssue=false

import micropython


@micropython.viper
def spread_palette(palette: ptr8, levels: ptr16, nibbles: ptr32, tables: ptr32, groups: int, shifts: ptr8):
    """Fill the spread tables from a palette, see bitplanes.spread_palette."""
    red_shift = int(shifts[0])
    green_shift = int(shifts[1])
    blue_shift = int(shifts[2])
    index = 0
    while index < 256:
        red = int(levels[palette[0]])
        green = int(levels[palette[1]])
        blue = int(levels[palette[2]])
        palette = ptr8(int(palette) + 3)
        place = index
        group = 0
        while group < groups:
            tables[place] = (
                int(nibbles[red & 15]) << red_shift
                | int(nibbles[green & 15]) << green_shift
                | int(nibbles[blue & 15]) << blue_shift
            )
            red >>= 4
            green >>= 4
            blue >>= 4
            place += 256
            group += 1
        index += 1


@micropython.viper
def pack_planes(pixels: ptr8, order: ptr16, tables: ptr32, planes: ptr8, columns: int, row_pairs: int, depth: int):
    """Fill a buffer of planes from palette indices, see bitplanes.pack_planes."""
    rest = depth - 4 if depth > 4 else 0
    start = int(planes)
    while row_pairs:
        row_pairs -= 1
        end = start + columns
        while start < end:
            upper = int(pixels[order[0]])
            lower = int(pixels[order[1]])
            order = ptr16(int(order) + 4)
            out = ptr8(start)
            both = int(tables[upper]) | int(tables[lower]) << 3
            out[0] = both
            out[columns] = both >> 8
            out = ptr8(int(out) + 2 * columns)
            out[0] = both >> 16
            out[columns] = both >> 24
            left = rest
            while left > 0:
                upper += 256
                lower += 256
                both = int(tables[upper]) | int(tables[lower]) << 3
                out = ptr8(int(out) + 2 * columns)
                out[0] = both
                if left == 1:
                    break
                out[columns] = both >> 8
                left -= 2
                if left:
                    out = ptr8(int(out) + 2 * columns)
                    out[0] = both >> 16
                    left -= 1
                    if left:
                        out[columns] = both >> 24
                        left -= 1
            start += 1
        start += (depth - 1) * columns


@micropython.viper
def spread_rows(line_words: ptr32, words: ptr32, lines: int, row_pairs: int, phases: int):
    """Fill the words of the row state machine, see bitplanes.spread_rows."""
    while phases:
        phases -= 1
        row = 0
        while row < row_pairs:
            line = 0
            while line < lines:
                words[line] = int(line_words[line]) | row
                line += 1
            words = ptr32(int(words) + 4 * lines)
            row += 1
        line_words = ptr32(int(line_words) + 4 * lines)
