# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which board is meant, and whether this computer can talk to it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leezenflow_host.boards.port_trouble import PortError, explain_port, find_holders, ports
from leezenflow_host.diagnosis.finding import Finding
from leezenflow_host.flashing.serial_ports import list_serial_ports
from leezenflow_host.flashing.volumes import find_volumes

# Makers of boards and of the chips between USB and a serial line (usb.ids): Raspberry Pi, Espressif, Silicon Labs
# CP210x, WCH CH340, FTDI.
_MAKERS = ("2e8a", "303a", "10c4", "1a86", "0403")
_USB_DEVICES = Path("/sys/bus/usb/devices")
_TURN_S = 0.2


@dataclass(frozen=True)
class Sighting:
    """What can be seen of boards from outside: ports, UF2 volumes (path, words), USB devices of known makers."""

    ports: list[str]
    volumes: list[tuple[str, str]]
    usb_devices: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is there."""
        return not (self.ports or self.volumes or self.usb_devices)


def look_around(usb_devices: Path = _USB_DEVICES) -> Sighting:
    """See what is plugged in; opens nothing."""
    volumes = [(str(volume.path), f"{volume.model} {volume.chip or ''}".strip()) for volume in find_volumes()]
    return Sighting([port.device for port in list_serial_ports()], volumes, _find_usb(usb_devices))


def wait_for_board(patience_s: float, look: Callable[[], Sighting] = look_around) -> Sighting:
    """Wait until anything appears; returns what is there then."""
    deadline = time.monotonic() + patience_s
    while True:
        seen = look()
        if not seen.is_empty or time.monotonic() >= deadline:
            return seen
        time.sleep(_TURN_S)


def choose_port(named: str | None, seen: Sighting, replugged: bool = False) -> Finding | str:
    """The port to talk to, or the case that there is none; `replugged`: somebody just plugged a board in."""
    if named is not None:
        volume = next((words for path, words in seen.volumes if path == named), None)
        if volume is not None:
            return Finding("uf2_boot_mode", {"port": named, "chip": volume})
        return check_port(named) or named
    if len(seen.ports) + len(seen.volumes) > 1:
        return Finding("several_boards", {"boards": [*seen.ports, *(path for path, _ in seen.volumes)]})
    if seen.volumes:
        return Finding("uf2_boot_mode", {"port": seen.volumes[0][0], "chip": seen.volumes[0][1]})
    if seen.ports:
        return check_port(seen.ports[0]) or seen.ports[0]
    if seen.usb_devices:
        return Finding("no_driver", {"device": seen.usb_devices[0]})
    return Finding("charge_only_cable" if replugged else "no_port")


def check_port(port: str) -> Finding | None:
    """What keeps `port` from being used, None if nothing does."""
    trouble = explain_port(port)
    return None if trouble is None else find_case(port, trouble)


def find_case(port: str, trouble: PortError) -> Finding:
    """The case of a port that cannot be used."""
    if trouble.kind == "missing":
        return Finding("port_missing", {"port": port, "ports": ports()})
    if trouble.kind == "not_serial":
        return Finding("not_serial", {"port": port})
    if trouble.kind == "busy":
        # Between two looks the program may have ended: then the sentence of the first look has it.
        return Finding("port_busy", {"port": port, "holders": find_holders(Path(port)) or str(trouble)})
    return Finding("no_permission", {"port": port, "group": _group_of(port)})


def _group_of(port: str) -> str:
    try:
        return Path(port).group()
    except (KeyError, OSError, NotImplementedError):
        return "dialout"


def _find_usb(folder: Path) -> list[str]:
    """USB devices that look like boards, by their own words; only Linux tells."""
    if not sys.platform.startswith("linux") or not folder.is_dir():
        return []
    found = []
    for device in sorted(folder.iterdir()):
        try:
            vendor = (device / "idVendor").read_text().strip()
            product = (device / "idProduct").read_text().strip()
        except OSError:
            continue
        if vendor in _MAKERS:
            try:
                words = (device / "product").read_text().strip()
            except OSError:
                words = "USB device"
            found.append(f"{words} {vendor}:{product}")
    return found
