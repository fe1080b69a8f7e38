# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS2812 strands in parallel, on paper: a byte for each bit of time, a bit of it for each lane, and the current.

An LED takes 24 bits, the first colour's most significant bit first, 1.25 us each. Eight strands (lanes) that are fed
at once need as many bytes as one: bit k of byte n is what lane k is told in the n-th bit time.
"""

from array import array

from leezenflow.errors import LeezenflowError

WORDS_PER_LED = 6
LED_NS = 30_000
# A pause this long makes the LEDs show what they got; new ones want 280 us.
LATCH_US = 300
# The controller in an unlit WS2812 takes about this much.
IDLE_UA = 1_000
# Factor of scale_levels for full light: 4095 becomes 255.
FULL_FACTOR = 65_296


def frames_per_second(leds):
    """Highest frame rate of lanes of `leds` each, rounded down."""
    return 1_000_000 // (leds * LED_NS // 1000 + LATCH_US)


def most_light(max_ma, channel_ma, leds):
    """The sum of all levels (0 .. 255 a colour) that a supply of `max_ma` bears; `leds` in total.

    Raises LeezenflowError when the dark LEDs alone take that much.
    """
    idle_ma = leds * IDLE_UA // 1000
    if max_ma <= idle_ma:
        raise LeezenflowError("max_ma = %d: %d LEDs need %d mA even when dark" % (max_ma, leds, idle_ma))
    return (max_ma - idle_ma) * 255 // channel_ma


def lane_order(visible, lanes):
    """`order` of pack_lanes from PixelMap.visible(): element led * lanes + lane is the index of the visible pixel.

    Raises LeezenflowError when the strand does not divide into the lanes.
    """
    count = len(visible)
    if count % lanes:
        raise LeezenflowError("lanes = %d does not divide %d LEDs: all strands must be equally long" % (lanes, count))
    leds = count // lanes
    order = array("H", bytes(2 * count))
    for lane in range(lanes):
        for led in range(leds):
            order[led * lanes + lane] = visible[lane * leds + led]
    return order


def nibble_words():
    """16 words: byte k of word n is bit 3 - k of n, as the most significant bit goes first."""
    words = array("I", bytes(64))
    for nibble in range(16):
        words[nibble] = nibble >> 3 | (nibble & 4) << 6 | (nibble & 2) << 15 | (nibble & 1) << 24
    return words


def scale_levels(fine, factor, light):
    """Fill `light` (256 bytes) with levels of 8 bits from `fine` (256 of 12 bits), rounded down; FULL_FACTOR: full."""
    for value in range(256):
        light[value] = fine[value] * factor >> 20


def spread_colours(palette, light, nibbles, tables, sums, order):
    """Fill `tables` (6 words a palette entry: its 24 bits on lane 0) and `sums` (halfwords: its three levels together).

    `order`: which channel (0 R, 1 G, 2 B) the LEDs take first, second and third.
    """
    for index in range(256):
        total = 0
        for place in range(3):
            level = light[palette[3 * index + order[place]]]
            total += level
            tables[6 * index + 2 * place] = nibbles[level >> 4]
            tables[6 * index + 2 * place + 1] = nibbles[level & 15]
        sums[index] = total


def sum_light(pixels, sums, count):
    """Sum of the levels of the first `count` pixels: what the current is proportional to."""
    total = 0
    for place in range(count):
        total += sums[pixels[place]]
    return total


def pack_lanes(pixels, order, tables, words, leds, lanes):
    """Fill a frame (6 words an LED of a lane) for all lanes; `leds` in each."""
    for led in range(leds):
        for part in range(6):
            word = 0
            for lane in range(lanes):
                word |= tables[6 * pixels[order[led * lanes + lane]] + part] << lane
            words[6 * led + part] = word
