# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which boards are plugged in, and what runs on each; looks, and never writes to a board's flash.

A port is asked in steps, the gentlest first: a unit that runs answers without being disturbed; a prompt shows what it
is; only what stays silent is interrupted (and started again); at last the loader in an ESP32's ROM is called.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import serial

from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.identity import IDENTITY_CODE, BoardIdentity
from leezenflow_host.boards.port_trouble import PortError, explain_port
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing.serial_ports import SerialPort, find_serial_port, list_serial_ports
from leezenflow_host.flashing.volumes import Volume, find_volumes

if TYPE_CHECKING:
    from leezenflow_host.flashing.esp_loader import Rom

MICROPYTHON, LEEZENFLOW, ESP_ROM, UF2_VOLUME = "micropython", "leezenflow", "esp_rom", "uf2_volume"
UNKNOWN, BUSY, NO_PERMISSION = "unknown", "busy", "no_permission"
READY = (MICROPYTHON, LEEZENFLOW, ESP_ROM, UF2_VOLUME)
"""The kinds of boards that something can be installed on."""

PATIENCE_S = 12.0
"""No port is waited for longer than this."""
# A unit answers a command within a frame or two; a slow one within this.
_ASK_S = 1.2
# A board that was just plugged in needs a second or two until it takes Ctrl-C.
_INTERRUPT_S = 3.0
# What a chip without a program says over and over, or once when it waits for a program.
_ROM_WORDS = re.compile(rb"rst:0x|ESP-ROM:|waiting for download|invalid header: 0x|flash read err")
_PROMPT = re.compile(rb"(MicroPython|CircuitPython) [^\r\n]*")
_numbers = itertools.count(1_000_001)

# Runs on the board, after IDENTITY_CODE: what of ours is on it.
_UNIT_CODE = """
import json
def _lz(p, *keys):
    try:
        with open(p) as f:
            v = json.load(f)
        for k in keys:
            v = v[k]
        return v
    except Exception:
        return None
s = "/" + str(_lz("/boot.json", "active") or _lz("/boot.json", "slot") or "a").strip("/")
print(repr((_lz("/board.json", "name"), _lz("/site.json", "unit", "name"), _lz(s + "/manifest.json", "version"))))
"""


@dataclass(frozen=True, slots=True)
class FoundBoard:
    """A board, or what stands in its place: `kind` is one of the constants above.

    `port` is the path of the port, its URL, or the folder of a UF2 volume; `chip` as board files spell it, `unique_id`
    the chip's own number in hex, `unit` and `board` the names on a unit of ours, `version` that of its firmware,
    `micropython` that of its interpreter; None where that is not known. `detail` says in words what was found.
    """

    port: str
    kind: str
    chip: str | None = None
    unique_id: str | None = None
    unit: str | None = None
    detail: str = ""
    board: str | None = None
    version: str | None = None
    micropython: str | None = None

    @property
    def words(self) -> str:
        """Port and what was found there, for lists."""
        return f"{self.port}: {self.detail}"


def find_boards(
    ports: Iterable[str] | None = None, *, patience_s: float | None = None, resume: bool = True
) -> list[FoundBoard]:
    """Return what is at `ports` (None: at every port of this computer that may have a board, and every UF2 volume).

    All are asked at the same time, none longer than `patience_s` (None: PATIENCE_S). With `resume` a program that had
    to be interrupted is started again. BoardError when a port that was named does not exist.
    """
    if ports is None:
        candidates = list_serial_ports()
        volumes = {str(volume.path): volume for volume in find_volumes()}
    else:
        named = list(ports)
        volumes = {str(volume.path): volume for volume in find_volumes() if str(volume.path) in named}
        candidates = [find_serial_port(port) for port in named if port not in volumes]
        for port in candidates:
            trouble = None if is_virtual(port.device) else explain_port(port.device)
            if trouble is not None and trouble.kind in ("missing", "not_serial"):
                raise trouble
    found = [_describe_volume(volume) for volume in volumes.values()]
    return found + _probe_all(candidates, patience_s, resume)


def probe_port(port: str, *, patience_s: float | None = None, resume: bool = True) -> FoundBoard:
    """Return what is at one serial port; see `find_boards`."""
    return _probe_all([find_serial_port(port)], patience_s, resume)[0]


def is_virtual(port: str) -> bool:
    """Whether `port` names a virtual board, which gets its power only when somebody uses it."""
    return port.partition(":")[0] == "virtual"


def _describe_volume(volume: Volume) -> FoundBoard:
    chip = volume.chip or "unknown chip"
    return FoundBoard(
        str(volume.path), UF2_VOLUME, volume.chip, detail=f"{volume.model} ({chip}) waits for an interpreter"
    )


def _probe_all(ports: list[SerialPort], patience_s: float | None, resume: bool) -> list[FoundBoard]:
    patience_s = PATIENCE_S if patience_s is None else patience_s
    results: dict[str, FoundBoard] = {}

    def work(port: SerialPort) -> None:
        results[port.device] = _probe(port, resume)

    # Threads that hang in a driver must not keep the program from ending.
    threads = [threading.Thread(target=work, args=(port,), daemon=True) for port in ports]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = f"gave no answer in {patience_s:g} s; unplug it and plug it in again"
    return [results.get(port.device, FoundBoard(port.device, UNKNOWN, detail=silent)) for port in ports]


def _probe(port: SerialPort, resume: bool) -> FoundBoard:
    device = port.device
    if is_virtual(device):
        return FoundBoard(device, MICROPYTHON, "virtual", detail="a virtual board on this computer")
    trouble = explain_port(device)
    if trouble is not None:
        kind = trouble.kind if trouble.kind in (BUSY, NO_PERMISSION) else UNKNOWN
        return FoundBoard(device, kind, detail=str(trouble))
    try:
        answer, said = _ask(device)
    except (OSError, ValueError) as error:
        return _explain_failure(device, error)
    if answer is not None:
        return _describe_unit(device, answer)
    if _ROM_WORDS.search(said) is None:
        try:
            at_prompt = _PROMPT.search(said) is not None and said.rstrip().endswith(b">>>")
            return _interrupt(device, resume and not at_prompt)
        except PortError as error:
            return _explain_failure(device, error)
        except BoardError:
            pass
    if port.may_be_esp and (rom := _call_rom(device)) is not None:
        words = f"{rom.description} waits in its loader"
        return FoundBoard(device, ESP_ROM, rom.chip, rom.unique_id, detail=words)
    if _ROM_WORDS.search(said) is not None:
        return FoundBoard(device, ESP_ROM, detail="an ESP32 without a program that runs")
    return _describe_stranger(port, said)


def _call_rom(device: str) -> "Rom | None":
    # Imported where it is needed: esptool takes its time, and most commands have no use for it.
    from leezenflow_host.flashing import esp_loader

    return esp_loader.call_rom(device)


def _ask(device: str) -> tuple[dict[str, Any] | None, bytes]:
    """Ask for the identity of a unit that runs; return its answer, or None, and everything that was said."""
    number = next(_numbers)
    # Ctrl-B makes a prompt tell its version; a unit passes over lines that are not for it.
    line = b'\x02\n{"do":"identity","id":%d}\n' % number
    said = b""
    with serial.serial_for_url(device, 115200, timeout=0.05, write_timeout=1.0, exclusive=True) as connection:
        connection.write(line)
        deadline = time.monotonic() + _ASK_S
        while time.monotonic() < deadline:
            said = (said + connection.read(512))[-20_000:]
            for found in re.finditer(rb"^answer (\{.*\})\r?\n", said, re.MULTILINE):
                answer = _load(found[1])
                if answer.get("id") == number and answer.get("ok"):
                    return answer, said
            if _PROMPT.search(said) and said.count(b">>> ") > 1 and said.rstrip().endswith(b">>>"):
                break
    return None, said


def _load(text: bytes) -> dict[str, Any]:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _describe_unit(device: str, answer: dict[str, Any]) -> FoundBoard:
    unit, board, version = (answer.get(key) for key in ("unit", "board", "version"))
    found = FoundBoard(device, LEEZENFLOW, _chip_of(board), answer.get("chip_id"), unit, "", board, version)
    return replace(found, detail=f"{_unit_words(found)}, running")


def _chip_of(board: Any) -> str | None:
    from leezenflow_host.board_config import board_names, read_board

    return read_board(board).chip if board in board_names() else None


def _interrupt(device: str, resume: bool) -> FoundBoard:
    """Interrupt what runs and ask the interpreter; BoardError if there is none."""
    link = BoardLink(device, f"The board at {device}", _INTERRUPT_S)
    try:
        identity = BoardIdentity(*link.evaluate(IDENTITY_CODE)[0])
        board, unit, version = link.evaluate(_UNIT_CODE)[-1]
        if resume:
            link.resume()
    finally:
        link.close()
    chip, number = identity.chip or None, identity.unique_id.hex() or None
    if identity.interpreter != "micropython":
        detail = f"{chip or 'a board'} with {identity.release}, not MicroPython"
        return FoundBoard(device, UNKNOWN, chip, number, detail=detail)
    kind = MICROPYTHON if board is None else LEEZENFLOW
    release = ".".join(map(str, identity.version))
    found = FoundBoard(device, kind, chip, number, unit, "", board, version, release)
    if kind == MICROPYTHON:
        return replace(found, detail=f"{chip or 'a board'} with MicroPython {release}")
    return replace(found, detail=f"{_unit_words(found)}, MicroPython {release}")


def _unit_words(found: FoundBoard) -> str:
    unit = f"unit {found.unit}" if found.unit else "a unit without a site"
    board = f" on {found.board}" if found.board else ""
    return f"{unit}{board}, Leezenflow {found.version or 'of an unknown version'}"


def _describe_stranger(port: SerialPort, said: bytes) -> FoundBoard:
    hint = f" ({port.words})" if port.words else ""
    words = "".join(character for character in said.decode("ascii", "replace") if character.isprintable()).strip()
    if words:
        return FoundBoard(
            port.device, UNKNOWN, detail=f"something that is no MicroPython{hint}; it says {words[-60:]!r}"
        )
    return FoundBoard(port.device, UNKNOWN, detail=f"silent{hint}: no MicroPython, or a cable that carries only power")


def _explain_failure(device: str, error: Exception) -> FoundBoard:
    """Sort what opening or reading a port raised: somebody may have come first, or it was pulled out."""
    trouble = explain_port(device)
    kind = trouble.kind if trouble is not None and trouble.kind in (BUSY, NO_PERMISSION) else UNKNOWN
    if trouble is None and "exclusively lock" in str(error):
        kind = BUSY
    words = str(trouble) if trouble is not None else f"{device} cannot be used: {error}"
    return FoundBoard(device, kind, detail=words)
