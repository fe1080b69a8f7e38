# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of a HUB75 refresh: depth, gamma, packing and what a plan promises."""

from array import array

from leezenflow import bitplanes
from leezenflow.errors import LeezenflowError

PICO_HZ = 125_000_000


def plan(planes=8, dither=2, columns=96, rows=32, system_hz=PICO_HZ, pixel_clock_khz=11_000, refresh_hz=0):
    return bitplanes.plan_timing(columns, rows, planes, dither, system_hz, pixel_clock_khz, refresh_hz)


def refusal(**changes):
    try:
        plan(**changes)
    except LeezenflowError as error:
        return str(error)
    raise AssertionError("no error")


def test_eight_planes_refresh_more_than_500_times_a_second():
    timing = plan()
    assert (timing.divider, timing.unit_cycles, timing.depth, timing.phases) == (6, 5, 10, 4)
    assert timing.refresh_hz() == 599
    assert timing.shortest_lit_ns() == 240
    assert timing.pixel_clock_khz() == 10_416
    assert timing.lit_permille() == 588


def test_ten_planes_refresh_more_than_300_times_a_second_with_140_ns():
    timing = plan(planes=10, dither=0)
    assert timing.refresh_hz() == 316
    assert timing.shortest_lit_ns() == 144
    assert plan(planes=10).refresh_hz() == 316


def test_a_faster_pixel_clock_is_brighter():
    assert plan(pixel_clock_khz=16_000).lit_permille() > 800
    assert plan(pixel_clock_khz=16_000).refresh_hz() >= 560


def test_a_lower_refresh_rate_is_brighter():
    assert plan(refresh_hz=300).lit_permille() > plan().lit_permille()
    assert plan(refresh_hz=300).refresh_hz() >= 300


def test_large_panels_get_the_best_step_there_is():
    timing = plan(columns=128, rows=64)
    assert timing.refresh_hz() >= 240
    assert timing.shortest_lit_ns() >= 140


def test_dithering_costs_no_time():
    without = plan(dither=0)
    for dither in (1, 2, 3):
        timing = plan(dither=dither)
        assert timing.refresh_hz() == without.refresh_hz()
        assert timing.unit_cycles == without.unit_cycles
        assert timing.depth == 8 + dither


def test_depth_costs_memory():
    # Two buffers of 96 x 16 bytes a bit of depth; ten bits also need a third spread table, blocks and row words.
    assert plan(dither=0).memory_bytes() == 34_656
    assert plan(dither=2).memory_bytes() == 47_424
    assert plan(dither=2).plane_bytes() == 15_360


def test_every_bit_of_a_level_gets_its_share_of_light():
    for dither in range(4):
        timing = plan(dither=dither)
        lit = [0] * timing.depth
        times = timing.lit_cycles()
        for phase in range(timing.phases):
            for line in range(timing.lines):
                lit[timing.line_bit(phase, line)] += times[phase * timing.lines + line]
        for bit in range(timing.depth):
            assert lit[bit] == timing.unit_cycles << bit


def test_dimming_keeps_every_bit_and_the_frame():
    timing = plan(refresh_hz=300)
    full = timing.lit_cycles()
    for brightness in (200, 128, 64, 33):
        lit = [0] * timing.depth
        times = timing.lit_cycles(brightness)
        for phase in range(timing.phases):
            for line in range(timing.lines):
                lit[timing.line_bit(phase, line)] += times[phase * timing.lines + line]
        for bit in range(timing.depth):
            exact = (timing.unit_cycles << bit) * brightness
            assert abs(255 * lit[bit] - exact) <= 255
        words = bitplanes.line_words(timing, brightness)
        for place in range(len(words)):
            dark = words[place] >> 4 & 0x3FFF
            assert (words[place] >> 18) + 1 == times[place]
            assert dark + times[place] == full[place]


def test_no_line_is_shorter_than_one_cycle():
    assert min(plan().lit_cycles(1)) == 1
    assert min(plan().lit_cycles(0)) == 1


def test_the_longest_line_fits_its_word():
    timing = plan(planes=11, dither=1, pixel_clock_khz=25_000, refresh_hz=1)
    assert max(timing.lit_cycles()) <= 1 << bitplanes.ROW_WORD_LIT_BITS
    words = bitplanes.line_words(timing, 1)
    for place in range(len(words)):
        # Five address bits for 64 rows leave 13 bits for darkness.
        assert words[place] >> 4 & 0x3FFF < 1 << 13


def test_what_cannot_be_had_is_said_with_what_can():
    assert "24 rows" in refusal(rows=24)
    assert "30 columns" in refusal(columns=30)
    assert "make 13 bits" in refusal(planes=10, dither=3)
    assert "reach 728 Hz" in refusal(refresh_hz=1000)
    assert "10 planes on 96 x 32 pixels reach 316 Hz" in refusal(planes=10, refresh_hz=400)
    assert "less than 140 ns" in refusal(columns=512, rows=64, planes=11, dither=0)


def test_gamma_is_exact_and_rises():
    for depth, tenths in ((8, 22), (10, 22), (12, 28), (10, 10)):
        levels = bitplanes.gamma_levels(tenths, depth)
        top = (1 << depth) - 1
        assert levels[0] == 0
        assert levels[255] == top
        for value in range(1, 256):
            assert levels[value] >= levels[value - 1]
            # Half a level to either side, in integers.
            power = value**tenths * (2 * top) ** 10
            assert (2 * levels[value] - 1) ** 10 * 255**tenths <= power or levels[value] == 0
            assert (2 * levels[value] + 1) ** 10 * 255**tenths > power


def test_dark_gradients_do_not_collapse():
    coarse = bitplanes.gamma_levels(22, 8)
    fine = bitplanes.gamma_levels(22, 10)
    assert len(set(coarse[:64])) == 13
    assert len(set(fine[:64])) >= 3 * 13


def test_nibbles_are_spread_over_bytes():
    words = bitplanes.nibble_words()
    assert words[0b0000] == 0
    assert words[0b1010] == 0x01000100
    assert words[0b1111] == 0x01010101


def test_packed_planes_hold_the_bits_of_the_levels():
    columns, row_pairs, depth = 8, 2, 10
    levels = bitplanes.gamma_levels(22, depth)
    palette = bytearray((37 * i + 11) & 255 for i in range(768))
    groups = bitplanes.table_groups(depth)
    tables = array("I", bytes(1024 * groups))
    bitplanes.spread_palette(palette, levels, bitplanes.nibble_words(), tables, groups, bytes((2, 0, 1)))
    pixels = bytearray((91 * i + 5) & 255 for i in range(2 * columns * row_pairs))
    visible = array("H", range(len(pixels) - 1, -1, -1))
    order = bitplanes.pair_order(visible, columns, row_pairs)
    planes = bytearray(columns * row_pairs * depth)
    bitplanes.pack_planes(pixels, order, tables, planes, columns, row_pairs, depth)
    for row in range(2 * row_pairs):
        for column in range(columns):
            index = pixels[visible[row * columns + column]]
            for channel, pin in ((0, 2), (1, 0), (2, 1)):
                level = 0
                for plane in range(depth):
                    packed = planes[((row % row_pairs) * depth + plane) * columns + column]
                    level |= (packed >> (3 * (row // row_pairs) + pin) & 1) << plane
                assert level == levels[palette[3 * index + channel]]


def test_row_words_carry_row_and_times():
    timing = plan(dither=1)
    words = array("I", bytes(4 * timing.phases * timing.row_pairs * timing.lines))
    line_words = bitplanes.line_words(timing, 255)
    bitplanes.spread_rows(line_words, words, timing.lines, timing.row_pairs, timing.phases)
    times = timing.lit_cycles()
    for phase in range(timing.phases):
        for row in range(timing.row_pairs):
            for line in range(timing.lines):
                word = words[(phase * timing.row_pairs + row) * timing.lines + line]
                assert word & 15 == row
                assert word >> 4 & 0x3FFF == 0
                assert (word >> 18) + 1 == times[phase * timing.lines + line]


def test_address_bits():
    assert [bitplanes.address_bits(row_pairs) for row_pairs in (8, 16, 32)] == [3, 4, 5]
