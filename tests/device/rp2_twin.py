# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An RP2040 as its display drivers see it: `rp2`, `machine`, `uctypes` and `time` of MicroPython, played on a laptop.

PIO programs are run by rp2040-pio-emulator, one instance a state machine, kept in step cycle by cycle. What the
emulator lacks is played here: the flags between machines (IRQ, WAIT IRQ), and the DMA that feeds them.
"""

import importlib
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pioemu.emulation
import pioemu.instructions.pull
import pioemu.primitive_operations
import pytest
from dma_twin import DMA, DMA_ADDRESS, Registers
from pio_assembler import PIO, Program, assemble, pin_count
from pioemu import State, emulate

_TX_FIFO_WORDS = 8
_FLAG_PIN = 24  # flags of the PIO block are shown to the emulator as inputs from here on
_FIFO_ADDRESS = 0x50200010
_MODULES = ("rp2", "machine", "uctypes", "time")


def _replace(state: State, **changes: Any) -> State:
    """dataclasses.replace without its checks: two thirds of an emulator's time went there."""
    changed = object.__new__(State)
    changed.__dict__.update(state.__dict__, **changes)
    return changed


for _module in (pioemu.emulation, pioemu.instructions.pull, pioemu.primitive_operations):
    _module.__dict__["replace"] = _replace


class StateMachine:
    """rp2.StateMachine on one emulator."""

    chip: "Chip"

    def __init__(self, number: int, program: Program, *, freq: int, out_base: "Pin", sideset_base: "Pin | None" = None):
        self.number = number
        self.program = program
        self.freq = freq
        self.running = False
        self.waveform: list[tuple[int, int]] = []  # (cycle, levels of this machine's pins)
        settings = program.settings
        self.out_base = out_base.number
        self.out_count = pin_count(settings.get("out_init"))
        self.side_base = sideset_base.number if sideset_base else 0
        self.side_count = pin_count(settings.get("sideset_init"))
        self.mask = ((1 << self.out_count) - 1) << self.out_base | ((1 << self.side_count) - 1) << self.side_base
        # MOV to pins ignores the base in the emulator: a machine without side-set runs with its pins from GPIO 0 on.
        self._shift = 0 if self.side_count else self.out_base
        initial = settings.get("sideset_init") or ()
        levels = 0
        for offset, level in enumerate(initial if isinstance(initial, tuple) else (initial,)):
            levels |= (level == PIO.OUT_HIGH) << self.side_base + offset
        # Unlike on the chip, words of an earlier machine stay in the FIFO: a driver should not rely on that.
        earlier = self.chip.machines.get(number)
        left = earlier.state.transmit_fifo if earlier else deque()
        self.state = State(pin_directions=self.mask >> self._shift, pin_values=levels, transmit_fifo=left)
        self.waveform.append((0, levels))
        self._steps: Iterator[tuple[State, State]] | None = None
        assert settings["out_shiftdir"] == PIO.SHIFT_RIGHT
        assert settings["autopull"]
        assert settings["pull_thresh"] == 32
        self.chip.machines[number] = self

    def exec(self, text: str) -> None:
        """The few instructions that a driver runs by hand."""
        program = assemble(eval("lambda: " + text, {}), {})
        opcode = program.opcodes[0]
        if opcode & 0xE040 == 0xC040:
            self.chip.flags[opcode & 7] = None
            return
        (_, self.state), *_ = emulate(
            [opcode, 0xA042],
            stop_when=lambda _, state: state.program_counter == 1,
            initial_state=self.state,
            shift_isr_right=False,
            pull_threshold=32,
        )
        self.state = _replace(self.state, clock=0, program_counter=0)

    def tx_fifo(self) -> int:
        """Words in the transmit FIFO."""
        return len(self.state.transmit_fifo)

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
            self.chip.flags[flag] = before.clock
        elif opcode & 0xE0E0 == 0x20C0 and self.state.program_counter != before.program_counter:
            self.chip.flags[flag] = None
        levels = self.state.pin_values << self._shift & self.mask
        if levels != self.waveform[-1][1]:
            self.waveform.append((before.clock, levels))

    def _emulate(self) -> Iterator[tuple[State, State]]:
        flags = self.chip.flags

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
            out_base=self.out_base - self._shift,
            out_count=self.out_count,
            side_set_base=self.side_base,
            side_set_count=self.side_count,
            wrap_target=self.program.wrap_target,
            wrap_top=self.program.wrap_top,
        )


class Pin:
    """machine.Pin; every change is noted in the chip's `pin_log`."""

    chip: "Chip"

    OUT = "out"
    IN = "in"

    def __init__(self, number: int, mode: Any = None, value: int | None = None):
        self.number = number
        if mode is not None:
            self.init(mode, value)

    def init(self, mode: Any, value: int | None = None) -> None:
        """Take the pin away from PIO."""
        self.chip.pin_log.append((self.chip.now_us, self.number, mode, value))

    def value(self, level: int) -> None:
        """Drive a level."""
        self.chip.pin_log.append((self.chip.now_us, self.number, Pin.OUT, level))


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
        channel = self.channels[(address - DMA_ADDRESS) // 0x40]
        assert channel is not None
        channel.write_register((address - DMA_ADDRESS) % 0x40, word)

    def fed_by(self, request: int) -> StateMachine | None:
        """The state machine with a DREQ number (TX: 8 * block + machine)."""
        return self.machines.get(request % 8 + request // 8 * 4)

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

    def pass_time(self, us: int) -> None:
        """What a program that asks for the time, or sleeps, lets happen meanwhile."""
        self.now_us += us
        clocks = {machine.freq for machine in self.machines.values() if machine.running}
        if self.ticks_run_machines and clocks:
            self.run(us * max(clocks) // 1_000_000)

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
        made.pass_time(100)
        return made.now_us // 1000

    def ticks_us() -> int:
        made.pass_time(10)
        return made.now_us

    rp2, machine, uctypes, clock = (modules[name] for name in _MODULES)
    on_chip = {kind.__name__: type(kind.__name__, (kind,), {"chip": made}) for kind in (StateMachine, DMA, Pin)}
    rp2.__dict__.update(PIO=BoundPIO, asm_pio=asm_pio, StateMachine=on_chip["StateMachine"], DMA=on_chip["DMA"])
    machine.__dict__.update(Pin=on_chip["Pin"], freq=lambda: made.system_hz)
    uctypes.__dict__.update(addressof=made.address_of)
    clock.__dict__.update(
        ticks_ms=ticks_ms,
        ticks_us=ticks_us,
        ticks_diff=lambda end, start: end - start,
        sleep_us=made.pass_time,
        sleep_ms=lambda ms: made.pass_time(1000 * ms),
    )
    return modules


def load_driver(name: str, monkeypatch: pytest.MonkeyPatch, system_hz: int = 125_000_000) -> tuple[Any, Chip]:
    """Import a display driver of the device on a fresh chip; returns its module and the chip."""
    made = Chip(system_hz)
    for module_name, module in _make_modules(made).items():
        monkeypatch.setitem(sys.modules, module_name, module)
    package = "leezenflow_device.displays"
    for known in [known for known in sys.modules if known.startswith(package)]:
        monkeypatch.delitem(sys.modules, known)
    # Boards pack in machine code; whoever has some other "micropython" installed must not get it here.
    monkeypatch.setitem(sys.modules, "micropython", None)
    return importlib.import_module(f"{package}.{name}"), made
