# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole RP2040 with a real MicroPython image, in rp2040py: flash, file system, PIO, DMA, USB console.

Simulated time runs at some 2 to 5 % of real time. While the CPU sleeps, rp2040py jumps to the next event and drops the
PIO's steps in between; `pace` keeps events coming, for windows in which the waveform counts.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from hub75_panel import Panel, Pins
from littlefs import LittleFS
from rp2040py.boards import BOARDS
from rp2040py.device import MicroPythonDevice
from rp2040py.memory_map import FLASH_START_ADDRESS

BLOCK_BYTES = 4096
FLASH_BYTES = 2 << 20
# mpconfigboard.h of each build: MICROPY_HW_FLASH_STORAGE_BYTES, at the end of the flash.
FILE_SYSTEM_KB = {"pico": 1408, "pico_w": 848}
_FUNCTION_PIO0 = 6
_STEP_NS = 48  # one cycle of a state machine that is clocked with a sixth of 125 MHz


def make_file_system(files: dict[str, bytes], size_kb: int) -> bytes:
    """A LittleFS image as MicroPython formats it, holding `files` (absolute paths)."""
    file_system = LittleFS(
        block_size=BLOCK_BYTES, block_count=size_kb * 1024 // BLOCK_BYTES, prog_size=256, disk_version=0x00020000
    )
    for path, content in files.items():
        folder = path.strip("/").rpartition("/")[0]
        if folder:
            file_system.makedirs(folder, exist_ok=True)
        with file_system.open(path.strip("/"), "wb") as file:
            file.write(content)
    return bytes(file_system.context.buffer)


def read_tree(folder: Path) -> dict[str, bytes]:
    """The files of a staged device tree."""
    return {f"/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class EmulatedBoard:
    """A powered board; time passes only in `run`."""

    def __init__(self, uf2: Path, files: dict[str, bytes], kind: str = "pico"):
        self.device = MicroPythonDevice(board=dataclasses.replace(BOARDS[kind], image=uf2))
        self.chip = self.device.mcu
        self.clock = self.device.simulator.clock
        self.console = bytearray()
        self.device.cdc.on_serial_data = self.console.extend
        image = make_file_system(files, FILE_SYSTEM_KB[kind])
        start = FLASH_BYTES - len(image)
        self.chip.flash[start:FLASH_BYTES] = image
        self.chip.core.pc = FLASH_START_ADDRESS
        self.device.simulator.stopped = False
        self._pace = self.clock.create_alarm(self._tick)
        self._paced = False

    @property
    def now_ns(self) -> int:
        """Simulated time."""
        return int(self.clock.nanos)

    def run(self, ms: float, until: Callable[[], bool] | None = None, patience_s: float = 3600) -> bool:
        """Let simulated time pass; True as soon as `until` holds. Fails when `patience_s` of real time are over.

        (On a busy machine a start takes ten minutes.)
        """
        end_ns = self.clock.nanos + ms * 1e6
        began = time.monotonic()
        while self.clock.nanos < end_ns:
            self.device.simulator._execute_batch()
            if until is not None and until():
                return True
            assert time.monotonic() - began < patience_s, f"the emulator takes too long: {self.console.decode()}"
        return False

    def pace(self, on: bool) -> None:
        """Let no sleep of the CPU jump over a step of the state machines."""
        self._paced = on
        if on:
            self._pace.schedule(_STEP_NS)

    def _tick(self) -> None:
        if self._paced:
            self._pace.schedule(_STEP_NS)

    def type(self, text: str) -> None:
        """Send keys to the USB console."""
        for byte in text.encode():
            self.device.cdc.send_serial_byte(byte)

    def pin(self, number: int) -> int:
        """Level that a pin drives; fails when it drives none."""
        pin = self.chip.gpio[number]
        assert pin.output_enable, f"GPIO {number} drives nothing"
        return int(pin.output_value)

    def watch_panel(self, ms: float, columns: int, pins: Pins) -> Panel:
        """What a panel sees in a stretch of time, from the middle of a line on; times in ns."""
        block = self.chip.pio[0]
        lines = [*range(pins.data, pins.data + 6), *range(pins.address, pins.address + pins.address_bits)]
        lines += [pins.clock, pins.latch, pins.oe]
        for number in lines:
            assert self.chip.gpio[number].function_select == _FUNCTION_PIO0, f"GPIO {number} is not the PIO's"
            assert self.chip.gpio[number].output_enable, f"GPIO {number} drives nothing"
        panel = Panel(columns, pins, joined=True)

        def note(*_: object) -> None:
            panel.feed(int(self.clock.nanos), block.pin_values)

        note()
        stops = [self.chip.gpio[number].add_listener(note) for number in (pins.clock, pins.latch, pins.oe)]
        self.pace(True)
        self.run(ms)
        self.pace(False)
        for stop in stops:
            stop()
        return panel
