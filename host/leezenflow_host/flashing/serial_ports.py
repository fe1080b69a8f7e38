# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial ports of this computer, and what their USB numbers say about the board behind them."""

import os
from dataclasses import dataclass
from pathlib import Path

import serial.tools.list_ports

_RASPBERRY_PI, _ESPRESSIF = 0x2E8A, 0x303A
_DEVICES = {
    (_RASPBERRY_PI, 0x0005): "MicroPython on an RP2040 or RP2350",
    (_ESPRESSIF, 0x1001): "USB port of an ESP32-S3 or C3",
    (_ESPRESSIF, 0x4001): "MicroPython on an ESP32-S3",
}
_MAKERS = {_RASPBERRY_PI: "Raspberry Pi chip", _ESPRESSIF: "Espressif chip"}
# Chips between USB and a serial line, as most ESP32 boards have one.
_BRIDGES = {0x10C4: "CP210x", 0x1A86: "CH340 or CH9102", 0x0403: "FTDI"}


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A port of this computer: its path, and the USB vendor and product number (None where there is no USB)."""

    device: str
    vendor: int | None = None
    product: int | None = None

    @property
    def words(self) -> str:
        """What the USB numbers say, "" if nothing."""
        if self.vendor is None:
            return ""
        known = _DEVICES.get((self.vendor, self.product or 0)) or _MAKERS.get(self.vendor)
        if known is None and self.vendor in _BRIDGES:
            known = f"USB to serial bridge ({_BRIDGES[self.vendor]})"
        return known or f"USB device {self.vendor:04x}:{self.product or 0:04x}"

    @property
    def may_be_esp(self) -> bool:
        """Whether the loader in an ESP32's ROM may be behind this port."""
        return self.vendor != _RASPBERRY_PI


def list_serial_ports() -> list[SerialPort]:
    """Return the ports behind which a board may be: those with a USB identity, in the order of their names.

    LEEZENFLOW_PORTS names a folder whose entries are ports, instead of the computer's own list.
    """
    named = os.environ.get("LEEZENFLOW_PORTS")
    if named is not None:
        folder = Path(named)
        return [SerialPort(str(entry)) for entry in sorted(folder.iterdir())] if folder.is_dir() else []
    found = (SerialPort(port.device, port.vid, port.pid) for port in serial.tools.list_ports.comports())
    return sorted((port for port in found if port.vendor is not None), key=lambda port: port.device)


def find_serial_port(device: str) -> SerialPort:
    """Return the port of that path, with its USB numbers if it has any."""
    return next((port for port in list_serial_ports() if port.device == device), SerialPort(device))
