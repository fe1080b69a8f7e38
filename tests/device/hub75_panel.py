# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A HUB75 panel as a list of what it was told and when: pin levels in, exposures of lines and complaints out."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Pins(NamedTuple):
    """GPIO numbers."""

    data: int = 0
    address: int = 6
    address_bits: int = 4
    clock: int = 11
    latch: int = 12
    oe: int = 13


STANDARD_PINS = Pins()


class Exposure(NamedTuple):
    """A line that was lit: when, which row pair, a byte a column (bits 0..2 upper R G B, 3..5 lower), how long."""

    start: int
    row: int
    line: bytes
    duration: int


@dataclass
class Panel:
    """Fed with the levels of all pins at each change, in order.

    Shortest times, in the caller's unit. `set_up`, `hold`: data must have stood before, and stay after, a rising clock;
    `latch_gap`: between the last rising clock and LAT; `latch_settle`, `settle`: from the end of LAT, and from an
    address change, to OE on; `blank`: from OE off to an address change or LAT. `joined`: the first levels come from
    the middle of a line, so nothing is noted before the first LAT.
    """

    columns: int
    pins: Pins = STANDARD_PINS
    set_up: float = 0
    hold: float = 0
    latch_gap: float = 0
    latch_settle: float = 0
    settle: float = 0
    blank: float = 0
    joined: bool = False
    exposures: list[Exposure] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._levels: int | None = None
        self._shifted = bytearray()
        self._latched = b""
        never = -(1 << 60)
        self._data_at = self._clock_at = self._address_at = self._latch_at = self._dark_at = never
        self._lit_at = never
        pins = self.pins
        self._data_mask = 63 << pins.data
        self._address_mask = ((1 << pins.address_bits) - 1) << pins.address

    def feed(self, at: int, levels: int) -> None:
        """The pins have new levels from `at` on."""
        if self._levels is None:
            self._levels = levels
            return
        pins = self.pins
        changed = levels ^ self._levels
        lit = not levels >> pins.oe & 1
        if changed & self._data_mask:
            if at - self._clock_at < self.hold:
                self._complain(at, "data changed too soon after the clock")
            self._data_at = at
        if changed >> pins.clock & 1 and levels >> pins.clock & 1:
            if at - self._data_at < self.set_up:
                self._complain(at, "data set up too late before the clock")
            if levels >> pins.latch & 1:
                self._complain(at, "clock while LAT is up")
            self._clock_at = at
            self._shifted.append(levels >> pins.data & 63)
        if changed & self._address_mask:
            if lit or at - self._dark_at < self.blank:
                self._complain(at, "address changed while lit")
            self._address_at = at
        if changed >> pins.latch & 1:
            if lit or at - self._dark_at < self.blank:
                self._complain(at, "LAT changed while lit")
            self._latch_at = at
            if levels >> pins.latch & 1:
                if at - self._clock_at < self.latch_gap:
                    self._complain(at, "LAT too soon after the clock")
                if len(self._shifted) != self.columns and not self.joined:
                    self._complain(at, f"{len(self._shifted)} clocks before LAT")
                self._latched = bytes(self._shifted)
                self._shifted.clear()
                self.joined = False
        if changed >> pins.oe & 1:
            if lit:
                if at - self._latch_at < self.latch_settle:
                    self._complain(at, "lit too soon after LAT")
                if at - self._address_at < self.settle:
                    self._complain(at, "lit too soon after the address")
                self._lit_at = at
            else:
                row = (levels & self._address_mask) >> pins.address
                if not self.joined and self._latched:
                    self.exposures.append(Exposure(self._lit_at, row, self._latched, at - self._lit_at))
                self._dark_at = at
        self._levels = levels

    def _complain(self, at: int, what: str) -> None:
        self.complaints.append(f"at {at}: {what}")


def sum_light(exposures: list[Exposure], columns: int, row_pairs: int) -> list[int]:
    """Time each LED was lit, index (row * columns + column) * 3 + channel, row over both halves."""
    light = [0] * (2 * row_pairs * columns * 3)
    for exposure in exposures:
        for column, bits in enumerate(exposure.line):
            for half in range(2):
                place = ((exposure.row + half * row_pairs) * columns + column) * 3
                for channel in range(3):
                    if bits >> 3 * half + channel & 1:
                        light[place + channel] += exposure.duration
    return light
