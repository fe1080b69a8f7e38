# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DMA channels as a display driver sees them: chains, control blocks and rings (RP2040 datasheet 2.5).

Bus and FIFO latencies are not played: a channel is as fast as it needs to be.
"""

from typing import Any, ClassVar, Protocol

DMA_ADDRESS = 0x50000000


class Fed(Protocol):
    """What has a FIFO."""

    @property
    def room(self) -> int:
        """Free words."""
        ...


class ChipMemory(Protocol):
    """What the channels need of their chip."""

    channels: "list[DMA | None]"

    def address_of(self, thing: Any) -> int:
        """Address of an object."""
        ...

    def load(self, address: int, size: int) -> int:
        """Read memory."""
        ...

    def store(self, address: int, word: int) -> None:
        """Write a register."""
        ...

    def fed_by(self, request: int) -> Fed | None:
        """What asks for data with a DREQ number."""
        ...


class Registers:
    """DMA.registers, or a slice of it: knows only its address."""

    def __init__(self, address: int):
        self.address = address

    def __getitem__(self, part: slice) -> "Registers":
        return Registers(self.address + 4 * part.start)


class DMA:
    """rp2.DMA with the fields of RP2040's CTRL."""

    chip: "ChipMemory"

    _SHIFTS: ClassVar[dict[str, int]] = {
        "enable": 0, "size": 2, "inc_read": 4, "inc_write": 5, "ring_size": 6, "ring_sel": 10, "chain_to": 11,
        "treq_sel": 15, "irq_quiet": 21,
    }  # fmt: skip

    def __init__(self) -> None:
        self.channel = next(number for number in range(12) if self.chip.channels[number] is None)
        self.chip.channels[self.channel] = self
        self.registers = Registers(DMA_ADDRESS + 0x40 * self.channel)
        self._read = self._write = self._reload = self._left = self._ctrl = 0
        self.busy = False
        self.closed = False

    def pack_ctrl(self, **fields: int) -> int:
        """A value for CTRL; what is not named has MicroPython's default."""
        values = {
            "enable": 1, "size": 2, "inc_read": 1, "inc_write": 1, "ring_size": 0, "ring_sel": 0,
            "chain_to": self.channel, "treq_sel": 63, "irq_quiet": 1,
        } | fields  # fmt: skip
        return sum(int(value) << self._SHIFTS[name] for name, value in values.items())

    def config(self, read: Any = None, write: Any = None, count: Any = None, ctrl: Any = None) -> None:
        """Set registers; none of them triggers."""
        if read is not None:
            self._read = self.chip.address_of(read)
        if write is not None:
            self._write = self.chip.address_of(write)
        if count is not None:
            self._reload = count
        if ctrl is not None:
            self.ctrl = ctrl

    def active(self, value: int | None = None) -> bool:
        """Trigger or abort."""
        if value:
            self.trigger()
        elif value is not None:
            self.busy = False
        return self.busy

    def close(self) -> None:
        """Give the channel back."""
        assert not self.busy
        self.closed = True
        self.chip.channels[self.channel] = None

    @property
    def read(self) -> int:
        return self._read

    @read.setter
    def read(self, value: Any) -> None:
        self._read = self.chip.address_of(value)

    @property
    def write(self) -> int:
        return self._write

    @property
    def count(self) -> int:
        return self._left

    @count.setter
    def count(self, value: int) -> None:
        self._reload = value

    @property
    def ctrl(self) -> int:
        return self._ctrl

    @ctrl.setter
    def ctrl(self, value: int) -> None:
        self._ctrl = value

    def field(self, name: str, bits: int = 1) -> int:
        """One field of CTRL."""
        return self._ctrl >> self._SHIFTS[name] & (1 << bits) - 1

    def write_register(self, offset: int, word: int) -> None:
        """What another channel writes: alias 3 (0x30 to 0x3c) only."""
        if offset == 0x30:
            self._ctrl = word
        elif offset == 0x34:
            self._write = word
        elif offset == 0x38:
            self._reload = word
        elif offset == 0x3C:
            self._read = word
            self.trigger()
        else:
            raise AssertionError(f"no driver writes register {offset:#x}")

    def trigger(self) -> None:
        """Start, unless disabled or busy."""
        if self.field("enable") and not self.busy:
            self.busy = True
            self._left = self._reload

    def transfer(self) -> bool:
        """Move one item if the channel runs and is paced to; returns whether it did."""
        if not (self.busy and self.field("enable")):
            return False
        request = self.field("treq_sel", 6)
        if request != 63:
            fed = self.chip.fed_by(request)
            if fed is None or not fed.room:
                return False
        size = 1 << self.field("size", 2)
        self.chip.store(self._write, self.chip.load(self._read, size))
        self._read += size * self.field("inc_read")
        if self.field("inc_write"):
            advanced = self._write + size
            ring = (1 << self.field("ring_size", 4)) - 1
            if ring and self.field("ring_sel"):
                advanced = self._write & ~ring | advanced & ring
            self._write = advanced
        self._left -= 1
        if not self._left:
            self.busy = False
            if self.field("chain_to", 4) != self.channel:
                follower = self.chip.channels[self.field("chain_to", 4)]
                assert follower is not None, "chained to a channel that is not ours"
                follower.trigger()
        return True
