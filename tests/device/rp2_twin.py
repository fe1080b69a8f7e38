# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An RP2040 as its display drivers see it: `rp2`, `machine`, `uctypes` and `time` of MicroPython, played on a laptop.

PIO programs are assembled here and run by rp2040-pio-emulator, one instance a state machine, kept in step cycle by
cycle. What the emulator lacks is played by this module: the flags between machines (IRQ, WAIT IRQ) and the DMA that
feeds them, with chains, control blocks and rings as the RP2040's datasheet (2.5) has them. Bus and FIFO latencies of
DMA are not: it is as fast as it needs to be.
"""

import importlib
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pioemu.emulation
import pioemu.instructions.pull
import pioemu.primitive_operations
import pytest
from pioemu import State, emulate
from pioemu.shift_register import ShiftRegister

_TX_FIFO_WORDS = 8
_FLAG_PIN = 24  # flags of the PIO block are shown to the emulator as inputs from here on
_DMA_ADDRESS = 0x50000000
_FIFO_ADDRESS = 0x50200010
_MODULES = ("rp2", "machine", "uctypes", "time")


def _replace(state: State, **changes: Any) -> State:
    """dataclasses.replace without its checks: two thirds of an emulator's time went there."""
    changed = object.__new__(State)
    changed.__dict__.update(state.__dict__, **changes)
    return changed


for _module in (pioemu.emulation, pioemu.instructions.pull, pioemu.primitive_operations):
    _module.__dict__["replace"] = _replace


class PIO:
    """The constants of rp2.PIO, and removal of programs."""

    OUT_LOW, OUT_HIGH = 2, 3
    SHIFT_LEFT, SHIFT_RIGHT = 0, 1
    JOIN_NONE, JOIN_TX, JOIN_RX = 0, 1, 2


class Program:
    """An assembled PIO program."""

    def __init__(self, **settings: Any):
        self.settings = settings
        self.opcodes: list[int] = []
        self.wrap_target = 0
        self.wrap_top = 0


class _Instruction:
    def __init__(self, opcode: int, target: str | None = None):
        self.opcode = opcode
        self.target = target
        self.side_value: int | None = None
        self.delay = 0

    def side(self, value: int) -> "_Instruction":
        self.side_value = value
        return self

    def __getitem__(self, delay: int) -> "_Instruction":
        self.delay = delay
        return self


def assemble(function: Callable[[], None], settings: dict[str, Any]) -> Program:
    """Assemble a function of PIO instructions (RP2040 datasheet 3.4)."""
    program = Program(**settings)
    instructions: list[_Instruction] = []
    labels: dict[str, int] = {}

    def add(opcode: int, target: str | None = None) -> _Instruction:
        instructions.append(_Instruction(opcode, target))
        return instructions[-1]

    def irq(first: Any, index: int | None = None) -> _Instruction:
        return add(0xC000 | first) if index is None else add(0xC000 | first | index)

    def wait(polarity: int, source: Any, index: int) -> _Instruction:
        assert source is irq, "only flags are waited for"
        return add(0x2000 | polarity << 7 | 2 << 5 | index)

    def jmp(condition: Any, target: str | None = None) -> _Instruction:
        return add(0, condition) if target is None else add(condition << 5, target)

    def wrap_target() -> None:
        program.wrap_target = len(instructions)

    def wrap() -> None:
        program.wrap_top = len(instructions) - 1

    words = {
        "pins": 0, "x": 1, "y": 2, "null": 3, "isr": 6, "osr": 7,
        "x_dec": 2, "y_dec": 4, "clear": 0x40, "invert": lambda source: source | 8,
        "out": lambda target, count: add(0x6000 | target << 5 | count & 31),
        "in_": lambda source, count: add(0x4000 | source << 5 | count & 31),
        "mov": lambda target, source: add(0xA000 | target << 5 | source),
        "set": lambda target, value: add(0xE000 | target << 5 | value),
        "nop": lambda: add(0xA042),
        "irq": irq, "wait": wait, "jmp": jmp,
        "label": lambda name: labels.__setitem__(name, len(instructions)),
        "wrap_target": wrap_target, "wrap": wrap,
    }  # fmt: skip
    # Like the real one, take the function's globals away: what it needs besides must be in its closure.
    taken = dict(function.__globals__)
    function.__globals__.clear()
    function.__globals__.update(words)
    try:
        function()
    finally:
        function.__globals__.clear()
        function.__globals__.update(taken)
    side_bits = _pin_count(settings.get("sideset_init"))
    for instruction in instructions:
        opcode = instruction.opcode
        if instruction.target is not None:
            opcode |= labels[instruction.target]
        assert (instruction.side_value is not None) == bool(side_bits), "side-set is all or nothing here"
        assert 0 <= instruction.delay < 1 << 5 - side_bits
        assert 0 <= (instruction.side_value or 0) < 1 << side_bits
        program.opcodes.append(opcode | (instruction.side_value or 0) << 13 - side_bits | instruction.delay << 8)
    program.wrap_top = program.wrap_top or len(instructions) - 1
    return program


def _pin_count(init: Any) -> int:
    return 0 if init is None else len(init) if isinstance(init, tuple) else 1


class StateMachine:
    """rp2.StateMachine on one emulator."""

    def __init__(self, number: int, program: Program, *, freq: int, out_base: "Pin", sideset_base: "Pin | None" = None):
        self.number = number
        self.program = program
        self.freq = freq
        self.running = False
        self.waveform: list[tuple[int, int]] = []  # (cycle, levels of this machine's pins)
        settings = program.settings
        self.out_base = out_base.number
        self.out_count = _pin_count(settings.get("out_init"))
        self.side_base = sideset_base.number if sideset_base else 0
        self.side_count = _pin_count(settings.get("sideset_init"))
        self.mask = ((1 << self.out_count) - 1) << self.out_base | ((1 << self.side_count) - 1) << self.side_base
        initial = settings.get("sideset_init") or ()
        levels = 0
        for offset, level in enumerate(initial if isinstance(initial, tuple) else (initial,)):
            levels |= (level == PIO.OUT_HIGH) << self.side_base + offset
        self.state = State(pin_directions=self.mask, pin_values=levels)
        self.waveform.append((0, levels))
        self._steps: Iterator[tuple[State, State]] | None = None
        assert settings["out_shiftdir"] == PIO.SHIFT_RIGHT
        assert settings["autopull"]
        assert settings["pull_thresh"] == 32
        chip().machines[number] = self

    def exec(self, text: str) -> None:
        """The few instructions that a driver runs by hand."""
        program = assemble(eval("lambda: " + text, {}), {})
        opcode = program.opcodes[0]
        if opcode & 0xE040 == 0xC040:
            chip().flags[opcode & 7] = None
            return
        (_, self.state), *_ = emulate(
            [opcode, 0xA042],
            stop_when=lambda _, state: state.program_counter == 1,
            initial_state=self.state,
            shift_isr_right=False,
        )
        self.state = State(
            pin_directions=self.mask,
            pin_values=self.state.pin_values,
            x_register=self.state.x_register,
            input_shift_register=ShiftRegister(self.state.input_shift_register.contents, 0),
        )

    def active(self, value: int | None = None) -> bool:
        """Start or stop."""
        if value is not None:
            self.running = bool(value)
        return self.running

    @property
    def room(self) -> int:
        """Free words of the transmit FIFO."""
        return _TX_FIFO_WORDS - len(self.state.transmit_fifo)

    def push(self, word: int) -> None:
        """What DMA writes to TXF."""
        self.state.transmit_fifo.append(word)

    def step(self) -> None:
        """Run one instruction."""
        opcodes = self.program.opcodes
        if self._steps is None:
            self._steps = self._emulate()
        before, self.state = next(self._steps)
        opcode = opcodes[before.program_counter]
        flag = opcode & 7
        if opcode & 0xE0C0 == 0xC000:
            chip().flags[flag] = before.clock
        elif opcode & 0xE0E0 == 0x20C0 and self.state.program_counter != before.program_counter:
            chip().flags[flag] = None
        levels = self.state.pin_values & self.mask
        if levels != self.waveform[-1][1]:
            self.waveform.append((before.clock, levels))

    def _emulate(self) -> Iterator[tuple[State, State]]:
        flags = chip().flags

        def show_flags(clock: int) -> int:
            levels = 0
            for flag, since in enumerate(flags):
                # A flag that is raised in one cycle is seen in the next.
                levels |= (since is not None and since < clock) << _FLAG_PIN + flag
            return levels

        translated = []
        for opcode in self.program.opcodes:
            if opcode & 0xE000 == 0xC000:
                opcode = opcode & 0x1F00 | 0xA042  # nop
            elif opcode & 0xE060 == 0x2040:
                opcode = opcode & ~0x7F | _FLAG_PIN + (opcode & 7)  # wait for a GPIO
            translated.append(opcode)
        return emulate(
            translated,
            stop_when=lambda _opcode, _state: False,
            initial_state=self.state,
            input_source=show_flags,
            auto_pull=True,
            out_base=self.out_base,
            out_count=self.out_count,
            side_set_base=self.side_base,
            side_set_count=self.side_count,
            wrap_target=self.program.wrap_target,
            wrap_top=self.program.wrap_top,
        )


class Registers:
    """DMA.registers, or a slice of it: knows only its address."""

    def __init__(self, address: int):
        self.address = address

    def __getitem__(self, part: slice) -> "Registers":
        return Registers(self.address + 4 * part.start)


class DMA:
    """rp2.DMA with the fields of RP2040's CTRL."""

    _SHIFTS: ClassVar[dict[str, int]] = {
        "enable": 0, "size": 2, "inc_read": 4, "inc_write": 5, "ring_size": 6, "ring_sel": 10, "chain_to": 11,
        "treq_sel": 15, "irq_quiet": 21,
    }  # fmt: skip

    def __init__(self) -> None:
        self.channel = next(number for number in range(12) if chip().channels[number] is None)
        chip().channels[self.channel] = self
        self.registers = Registers(_DMA_ADDRESS + 0x40 * self.channel)
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
            self._read = chip().address_of(read)
        if write is not None:
            self._write = chip().address_of(write)
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
        chip().channels[self.channel] = None

    @property
    def read(self) -> int:
        return self._read

    @read.setter
    def read(self, value: Any) -> None:
        self._read = chip().address_of(value)

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
            fed = chip().machines.get(request % 8 + request // 8 * 4)
            if fed is None or not fed.room:
                return False
        size = 1 << self.field("size", 2)
        chip().store(self._write, chip().load(self._read, size))
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
                follower = chip().channels[self.field("chain_to", 4)]
                assert follower is not None, "chained to a channel that is not ours"
                follower.trigger()
        return True


class Pin:
    """machine.Pin; every change is noted in the chip's `pin_log`."""

    OUT = "out"
    IN = "in"

    def __init__(self, number: int, mode: Any = None, value: int | None = None):
        self.number = number
        if mode is not None:
            self.init(mode, value)

    def init(self, mode: Any, value: int | None = None) -> None:
        """Take the pin away from PIO."""
        chip().pin_log.append((chip().now_us, self.number, mode, value))

    def value(self, level: int) -> None:
        """Drive a level."""
        chip().pin_log.append((chip().now_us, self.number, Pin.OUT, level))


class Chip:
    """Everything that drivers share."""

    def __init__(self, system_hz: int = 125_000_000):
        self.system_hz = system_hz
        self.machines: dict[int, StateMachine] = {}
        self.channels: list[DMA | None] = [None] * 12
        self.flags: list[int | None] = [0] * 8  # as a crashed run may have left them
        self.pin_log: list[tuple[int, int, Any, int | None]] = []
        self.now_us = 0
        self.removed: list[Program] = []
        self.ticks_run_machines = True
        self._regions: list[tuple[int, Any, memoryview]] = []

    def address_of(self, thing: Any) -> int:
        """A made-up address that stays with an object."""
        if isinstance(thing, int):
            return thing
        if isinstance(thing, Registers):
            return thing.address
        if isinstance(thing, StateMachine):
            return _FIFO_ADDRESS + 4 * thing.number
        for address, known, _ in self._regions:
            if known is thing:
                return address
        # One right behind the other, as a heap may lay them.
        address = 0x20000000
        if self._regions:
            last, _, view = self._regions[-1]
            address = (last + len(view) + 15) & ~15
        self._regions.append((address, thing, memoryview(thing).cast("B")))
        return address

    def load(self, address: int, size: int) -> int:
        """Read memory; an address outside what a driver has named is a fault."""
        assert address % size == 0
        for start, _, view in self._regions:
            if start <= address < start + len(view):
                return int.from_bytes(view[address - start : address - start + size], sys.byteorder)
        raise AssertionError(f"DMA reads {address:#x}")

    def store(self, address: int, word: int) -> None:
        """Write a FIFO or a DMA register."""
        if address >= _FIFO_ADDRESS:
            self.machines[(address - _FIFO_ADDRESS) // 4].push(word)
            return
        channel = self.channels[(address - _DMA_ADDRESS) // 0x40]
        assert channel is not None
        channel.write_register((address - _DMA_ADDRESS) % 0x40, word)

    def feed(self) -> None:
        """Let DMA run until it waits."""
        moved = True
        while moved:
            moved = False
            for channel in self.channels:
                if channel is not None and channel.transfer():
                    moved = True

    def run(self, cycles: int) -> None:
        """Advance all running machines by `cycles` of their (common) clock."""
        running = [machine for machine in self.machines.values() if machine.running]
        if not running:
            return
        end = min(machine.state.clock for machine in running) + cycles
        self.feed()
        while True:
            machine = min(running, key=lambda each: each.state.clock)
            if machine.state.clock >= end:
                return
            had = len(machine.state.transmit_fifo)
            machine.step()
            if len(machine.state.transmit_fifo) < had:
                self.feed()

    def waveform(self) -> list[tuple[int, int]]:
        """(cycle, levels of all pins) of everything that changed so far, in order."""
        changes: list[tuple[int, int, int]] = []
        for machine in self.machines.values():
            changes += [(cycle, machine.number, levels) for cycle, levels in machine.waveform]
        now = {machine.number: 0 for machine in self.machines.values()}
        merged = []
        for cycle, number, levels in sorted(changes, key=lambda change: change[0]):
            now[number] = levels
            merged.append((cycle, sum(now.values())))
        return merged


_chips: deque[Chip] = deque()


def chip() -> Chip:
    """The chip of the test that runs."""
    return _chips[-1]


def _make_modules(made: Chip) -> dict[str, types.ModuleType]:
    modules = {name: types.ModuleType(name) for name in _MODULES}

    class BoundPIO(PIO):
        def __init__(self, number: int):
            self.number = number

        def remove_program(self, program: Program) -> None:
            made.removed.append(program)

    def asm_pio(**settings: Any) -> Callable[[Callable[[], None]], Program]:
        return lambda function: assemble(function, settings)

    def ticks_ms() -> int:
        if made.ticks_run_machines:
            made.run(2_000)
        made.now_us += 100
        return made.now_us // 1000

    def sleep_us(us: int) -> None:
        made.now_us += us

    def sleep_ms(ms: int) -> None:
        made.now_us += 1000 * ms

    rp2, machine, uctypes, clock = (modules[name] for name in _MODULES)
    rp2.__dict__.update(PIO=BoundPIO, asm_pio=asm_pio, StateMachine=StateMachine, DMA=DMA)
    machine.__dict__.update(Pin=Pin, freq=lambda: made.system_hz)
    uctypes.__dict__.update(addressof=made.address_of)
    clock.__dict__.update(
        ticks_ms=ticks_ms,
        ticks_us=lambda: made.now_us,
        ticks_diff=lambda end, start: end - start,
        sleep_us=sleep_us,
        sleep_ms=sleep_ms,
    )
    return modules


def load_driver(name: str, monkeypatch: pytest.MonkeyPatch, system_hz: int = 125_000_000) -> tuple[Any, Chip]:
    """Import a display driver of the device on a fresh chip; returns its module and the chip."""
    made = Chip(system_hz)
    _chips.append(made)
    for module_name, module in _make_modules(made).items():
        monkeypatch.setitem(sys.modules, module_name, module)
    package = "leezenflow_device.displays"
    for known in [known for known in sys.modules if known.startswith(package)]:
        monkeypatch.delitem(sys.modules, known)
    # Boards pack in machine code; whoever has some other "micropython" installed must not get it here.
    monkeypatch.setitem(sys.modules, "micropython", None)
    return importlib.import_module(f"{package}.{name}"), made
