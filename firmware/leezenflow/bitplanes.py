# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binary code modulation on paper: which plane of a HUB75 panel is lit when and how long, and what that costs.

Everything here is arithmetic on integers, the same on a board and on a laptop; nothing touches a pin.

A colour channel is a level of `depth = planes + dither` bits. The panel shows one *line* (one row pair, one bit plane)
after the other; each row pair gets `planes` lines a frame, lit for times that double from line to line. The line of
the least significant plane is a *slot* that takes turns over `2**dither` frames, the phases:

    phase       0    1    2    3         (dither = 2, unit u: the on-time of plane 0)
    slot shows  p0   p-1  p0   p-2
    lit for     2u   2u   2u   u         on average p0 is lit u, p-1 u/2, p-2 u/4 a frame

So temporal dithering adds bits of depth without one more line, and the refresh rate stays as it is.
"""

from array import array

from leezenflow.errors import LeezenflowError

# SM cycles of one line of the two programs in leezenflow_device/displays/_hub75_programs.py beyond the clock edges
# (two cycles a column) and beyond the on-time; tests/device/test_hub75_programs.py counts them.
SHIFT_EXTRA_CYCLES = 7
LIT_EXTRA_CYCLES = 9

# Constant-current drivers of panels follow their OE pin within some 50 ns; shorter pulses lose the lowest planes.
SHORTEST_LIT_NS = 140
# What `refresh_hz = 0` tries, best first. Below 120 Hz cameras and moving eyes see stripes.
REFRESH_STEPS_HZ = (560, 400, 300, 240, 200, 150, 120)
DEEPEST_BITS = 12
# A word of the row state machine: address (3 to 5 bits), then cycles of darkness, then cycles lit, each less one.
ROW_WORD_LIT_BITS = 14
LONGEST_LIT_CYCLES = 1 << (ROW_WORD_LIT_BITS - 1)  # and as long again may be dark

# Bytes of the tables that the driver makes beside the planes: gamma (256 halfwords), nibbles (16 words), copy of the
# palette (768).
_FIXED_TABLE_BYTES = 512 + 64 + 768


class Timing:
    """What a panel of `columns` (all panels of the chain) x 2 * `row_pairs` is driven with.

    `divider`: system clocks per SM cycle; `sm_hz`; `unit_cycles`: SM cycles plane 0 is lit on average; `planes`,
    `dither`, `depth`, `phases`, `lines` (lines of a row pair in one phase, = planes). All counts are integers.
    """

    def __init__(self, columns, row_pairs, planes, dither, system_hz, divider, unit_cycles):
        self.columns = columns
        self.row_pairs = row_pairs
        self.planes = planes
        self.lines = planes
        self.dither = dither
        self.depth = planes + dither
        self.phases = 1 << dither
        self.divider = divider
        self.system_hz = system_hz
        self.sm_hz = system_hz // divider
        self.unit_cycles = unit_cycles

    def slot_bit(self, phase):
        """Bit of the level (0 = least significant) that the slot shows in a phase."""
        bit = self.dither
        number = phase + 1
        while bit and not number & 1:
            number >>= 1
            bit -= 1
        return bit

    def line_bit(self, phase, line):
        """Bit of the level that a line (0 .. planes - 1, the slot is line 0) shows."""
        return self.dither + line if line else self.slot_bit(phase)

    def weight(self, phase, line):
        """On-time of a line in units, as planned at full brightness."""
        if line:
            return 1 << line
        # Each slot plane is shown in half as many phases as the one above it, so all but the last are lit equally long.
        return 2 if self.slot_bit(phase) else 1

    def lit_cycles(self, brightness=255):
        """On-times in SM cycles, element `phase * lines + line`, for a brightness of 0 .. 255 (linear in light).

        No line gets less than 1 cycle (the PIO program cannot show less: brightness 0 is for the driver). What a
        division leaves over goes to a later phase, so that the average over the phases is exact.
        """
        times = array("I", bytes(4 * self.phases * self.lines))
        for line in range(self.lines):
            left = {}
            for phase in range(self.phases):
                bit = self.line_bit(phase, line)
                total = self.weight(phase, line) * self.unit_cycles * brightness + left.get(bit, 127)
                left[bit] = total % 255
                times[phase * self.lines + line] = max(1, total // 255)
        return times

    def line_cycles(self, phase, line):
        """SM cycles from one latch to the next; after a dimmed line it stays dark, so brightness changes nothing."""
        return max(
            2 * self.columns + SHIFT_EXTRA_CYCLES, self.weight(phase, line) * self.unit_cycles + LIT_EXTRA_CYCLES
        )

    def cycle_cycles(self):
        """SM cycles of all phases together."""
        total = 0
        for phase in range(self.phases):
            for line in range(self.lines):
                total += self.line_cycles(phase, line)
        return total * self.row_pairs

    def refresh_hz(self):
        """How often each row pair is shown a second, rounded down."""
        return self.sm_hz * self.phases // self.cycle_cycles()

    def lit_permille(self, brightness=255):
        """Share of the time in which OE is on."""
        return 1000 * self.row_pairs * sum(self.lit_cycles(brightness)) // self.cycle_cycles()

    def shortest_lit_ns(self):
        """On-time of the least significant plane at full brightness."""
        return self.unit_cycles * self.divider * 1000 // (self.system_hz // 1_000_000)

    def pixel_clock_khz(self):
        """Shift clock: two SM cycles a column."""
        return self.sm_hz // 2000

    def plane_bytes(self):
        """Bytes of one buffer of planes (there are two): a byte a column, plane and row pair."""
        return self.row_pairs * self.depth * self.columns

    def memory_bytes(self):
        """Heap that the driver holds from start to end."""
        blocks = self.phases * self.row_pairs * 2 if self.dither else 1
        row_words = self.phases * self.row_pairs * self.lines
        order = 2 * 2 * self.row_pairs * self.columns
        return (
            2 * (self.plane_bytes() + 16 * blocks)
            + 4 * row_words
            + order
            + 1024 * table_groups(self.depth)
            + _FIXED_TABLE_BYTES
        )


def plan_timing(columns, rows, planes, dither, system_hz, pixel_clock_khz, refresh_hz=0):
    """The brightest Timing that keeps `refresh_hz` and the limits of the panel.

    `columns`, `rows`: of the whole chain. `pixel_clock_khz`: the fastest shift clock allowed. `refresh_hz` 0: the
    first of REFRESH_STEPS_HZ that leaves the least significant plane SHORTEST_LIT_NS. Raises LeezenflowError when
    something cannot be had, and says what can.
    """
    if rows not in (16, 32, 64):
        raise LeezenflowError("panels of %d rows cannot be driven: 16, 32 or 64 (1/8, 1/16, 1/32 scan) can" % rows)
    if columns < 4 or columns % 4 or columns > 1024:
        raise LeezenflowError("the panel chain is %d columns long: it must be a multiple of 4, at most 1024" % columns)
    if planes + dither > DEEPEST_BITS:
        raise LeezenflowError(
            "planes = %d and dither = %d make %d bits, the driver has %d: lower one of them"
            % (planes, dither, planes + dither, DEEPEST_BITS)
        )
    divider = -(-system_hz // (2000 * pixel_clock_khz))  # rounded up
    row_pairs = rows // 2
    best = None
    for wanted_hz in (refresh_hz,) if refresh_hz else REFRESH_STEPS_HZ:
        best = None
        unit_cycles = 1
        while unit_cycles << (planes - 1) <= LONGEST_LIT_CYCLES:
            timing = Timing(columns, row_pairs, planes, dither, system_hz, divider, unit_cycles)
            if timing.refresh_hz() < wanted_hz:
                break
            best = timing
            # Long lines only: the short ones hide behind the shifting of the next line and cost nothing.
            unit_cycles += 1
        if best and best.shortest_lit_ns() >= SHORTEST_LIT_NS:
            return best
    fastest = Timing(columns, row_pairs, planes, dither, system_hz, divider, 1)
    while fastest.shortest_lit_ns() < SHORTEST_LIT_NS:
        fastest = Timing(columns, row_pairs, planes, dither, system_hz, divider, fastest.unit_cycles + 1)
    raise LeezenflowError(
        "%d planes on %d x %d pixels reach %d Hz at a pixel clock of %d kHz with no plane lit for less than %d ns: "
        "set refresh_hz to that or less, take fewer planes, or allow a faster pixel_clock_khz if the panel bears it"
        % (planes, columns, rows, fastest.refresh_hz(), fastest.pixel_clock_khz(), SHORTEST_LIT_NS)
    )


def gamma_levels(gamma_tenths, depth):
    """256 levels of `depth` bits for the channel values 0 .. 255: round(top * (value / 255) ** (gamma_tenths / 10)).

    Exact, in integers, so that boards (with floats of 32 bits) and laptops agree on every level.
    """
    power = gamma_tenths
    root = 10
    for divisor in (2, 5):
        if power % divisor == 0:
            power //= divisor
            root //= divisor
    top = (1 << depth) - 1
    levels = array("H", bytes(512))
    scale = 255**power
    span = (2 * top) ** root
    level = 0
    threshold = scale  # of level 1: (2 * level - 1) ** root * scale; a value reaches level where it is exceeded
    for value in range(256):
        reached = value**power * span
        while level < top and reached >= threshold:
            level += 1
            threshold = (2 * level + 1) ** root * scale
        levels[value] = level
    return levels


def table_groups(depth):
    """How many spread tables (of four planes each) a depth needs."""
    return (depth + 3) // 4


def nibble_words():
    """16 words: byte k of word n is bit k of n."""
    words = array("I", bytes(64))
    for nibble in range(16):
        words[nibble] = (nibble & 1) | (nibble & 2) << 7 | (nibble & 4) << 14 | (nibble & 8) << 21
    return words


def spread_palette(palette, levels, nibbles, tables, groups, shifts):
    """Fill `tables` (256 * groups words): byte k of word group * 256 + index is the data-pin bits of plane
    4 * group + k, `shifts[c]` the pin (0..2) of channel c. Plain twin of the viper one on boards.
    """
    for index in range(256):
        red = levels[palette[3 * index]]
        green = levels[palette[3 * index + 1]]
        blue = levels[palette[3 * index + 2]]
        for group in range(groups):
            down = 4 * group
            tables[group * 256 + index] = (
                nibbles[red >> down & 15] << shifts[0]
                | nibbles[green >> down & 15] << shifts[1]
                | nibbles[blue >> down & 15] << shifts[2]
            )


def pack_planes(pixels, order, tables, planes, columns, row_pairs, depth):
    """Fill a buffer of planes from palette indices. Plain twin of the viper one on boards.

    `order`: for each column of each row pair the index into `pixels` of the upper, then of the lower pixel. Byte
    (row * depth + plane) * columns + column: bits 0..2 the upper, 3..5 the lower pixel.
    """
    source = 0
    for row in range(row_pairs):
        for column in range(columns):
            upper = pixels[order[source]]
            lower = pixels[order[source + 1]]
            source += 2
            for plane in range(depth):
                table = (plane >> 2) << 8
                both = tables[table + upper] | tables[table + lower] << 3
                planes[(row * depth + plane) * columns + column] = both >> 8 * (plane & 3) & 63


def pair_order(visible, columns, row_pairs):
    """`order` of pack_planes from PixelMap.visible() (row * columns + column -> index of the visible pixel)."""
    order = array("H", bytes(4 * columns * row_pairs))
    half = columns * row_pairs
    for place in range(half):
        order[2 * place] = visible[place]
        order[2 * place + 1] = visible[half + place]
    return order


def line_words(timing, brightness=255):
    """phases * lines words for the row state machine, still without the row; see ROW_WORD_LIT_BITS."""
    full = timing.lit_cycles()
    words = timing.lit_cycles(brightness)
    bits = address_bits(timing.row_pairs)
    for place in range(len(words)):
        # The program is dark for one cycle at least, and lit for one cycle at least.
        words[place] = full[place] - words[place] << bits | words[place] - 1 << 32 - ROW_WORD_LIT_BITS
    return words


def spread_rows(line_words, words, lines, row_pairs, phases):
    """Fill `words`, element (phase * row_pairs + row) * lines + line, with the line words of each row.

    In place, also while the panel is running: one frame of mixed brightness is all that can be seen of it.
    """
    place = 0
    for phase in range(phases):
        for row in range(row_pairs):
            for line in range(lines):
                words[place] = line_words[phase * lines + line] | row
                place += 1


def address_bits(row_pairs):
    """Address lines (A, B, ...) that select one of `row_pairs`."""
    bits = 0
    while 1 << bits < row_pairs:
        bits += 1
    return bits
