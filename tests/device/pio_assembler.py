# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An assembler for the PIO programs of the firmware, written as for `rp2.asm_pio` (RP2040 datasheet 3.4)."""

from collections.abc import Callable
from typing import Any


class PIO:
    """The constants of rp2.PIO."""

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
        "noblock": 1,
        "pull": lambda mode: add(0x8080 | (0 if mode == 1 else 0x20)),
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
    side_bits = pin_count(settings.get("sideset_init"))
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


def pin_count(init: Any) -> int:
    """How many pins an init value of a program names."""
    return 0 if init is None else len(init) if isinstance(init, tuple) else 1
