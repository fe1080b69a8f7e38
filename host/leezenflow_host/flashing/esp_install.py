# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MicroPython onto an ESP32, through the loader in its ROM; every failure in words, with the next physical step."""

import contextlib
from collections.abc import Callable

import serial
from esptool import cmds
from esptool.loader import ESPLoader

from leezenflow_host.boards.port_trouble import explain_port
from leezenflow_host.errors import BoardError
from leezenflow_host.flashing import esp_loader

# The second attempt is slow: it gets through cables and hubs that the first one does not.
_BAUD_RATES = (460_800, 115_200)
_CALLS = 3
_BUTTON = "Hold its button BOOT (or IO0), press and release RESET (or EN), release BOOT, and repeat the command."
# How esptool says that an answer did not come.
_SILENCE = ("Failed to start stub", "No serial data", "Response doesn't match", "Serial data stream stopped")
_CABLE = "Use another cable or another USB port, without a hub, and repeat the command."


def install_on_esp(
    port: str,
    chip: str,
    content: bytes,
    progress: Callable[[int, int], None],
    *,
    waits: bool = False,
    erase: bool = True,
) -> str | None:
    """Write an image to where this chip starts from, check it, and start it; return the chip's MAC.

    `chip` as board files spell it; `progress(done, total)` counts bytes on the line. `waits`: the chip is known to be
    in its loader, and is not reset. `erase`: the whole flash, because what an earlier program left may look like a file
    system; without it, MicroPython finds its own again. BoardError; nothing is written to a chip of another kind.
    """
    number: str | None = None
    for baud in _BAUD_RATES:
        try:
            number = _install(port, chip, content, progress, baud, waits, erase)
            break
        except BoardError as error:
            if baud == _BAUD_RATES[-1] or not isinstance(error, _DamagedError):
                raise
            # The chip is in its loader now, whatever it was doing before; its line is reset all the same.
            waits = False
    return number


class _DamagedError(BoardError):
    """What was written is not what was sent, or an answer did not come: worth another try, slower."""


def _install(
    port: str, chip: str, content: bytes, progress: Callable[[int, int], None], baud: int, waits: bool, erase: bool
) -> str | None:
    with esp_loader.heard(progress):
        esp = _connect(port, waits)
        try:
            rom = esp_loader.describe_chip(esp)
            if rom.chip != chip:
                raise BoardError(
                    f"The board at {port} has an {rom.description}, but an {chip} is asked for: nothing was written. "
                    "Name the right board with --board, or plug in the other one."
                )
            esp = _write(esp, content, baud, erase)
            cmds.reset_chip(esp, "hard-reset")
            return rom.unique_id
        except esp_loader.ERRORS as error:
            raise _explain(port, error) from None
        finally:
            _close(esp)


def _connect(port: str, waits: bool) -> ESPLoader:
    trouble = explain_port(port)
    if trouble is not None:
        raise trouble
    error: Exception | None = None
    for before in ("no-reset", "default-reset") if waits else ("default-reset",):
        try:
            return cmds.connect_esp(port, before=before, connect_attempts=_CALLS)
        except esp_loader.ERRORS as failure:
            error = failure
    if "Wrong boot mode" in str(error):
        raise BoardError(f"The board at {port} starts its program instead of its loader. {_BUTTON}")
    if "TX path" in str(error):
        raise BoardError(f"The board at {port} hears nothing of what is sent to it. {_CABLE}")
    trouble = explain_port(port)
    if trouble is not None:
        raise trouble
    raise BoardError(f"The loader of the board at {port} does not answer. {_BUTTON}")


def _write(esp: ESPLoader, content: bytes, baud: int, erase: bool) -> ESPLoader:
    """Write and check; return the connection to use from then on."""
    esp = cmds.run_stub(esp)
    if baud != esp.get_baud() and esp.IS_STUB:
        esp.change_baud(baud)
    cmds.attach_flash(esp)
    cmds.write_flash(esp, [(esp.BOOTLOADER_FLASH_OFFSET, content)], erase_all=erase and esp.IS_STUB)
    return esp


def _explain(port: str, error: Exception) -> BoardError:
    """Turn what esptool raised while writing into words."""
    words = str(error)
    if isinstance(error, (serial.SerialException, OSError)):
        return BoardError(
            f"The board at {port} vanished while MicroPython was being installed. Plug it in again, firmly, and repeat "
            "the command: it begins anew."
        )
    if "MD5" in words or "written flash region is empty" in words or "Checksum" in words:
        return _DamagedError(f"What the board at {port} stored is not what was sent to it. {_CABLE}")
    if any(part in words for part in _SILENCE):
        return _DamagedError(f"The board at {port} fell silent while MicroPython was being installed. {_CABLE}")
    if "No more data" in words or "Packet content transfer stopped" in words or "Invalid head" in words:
        return _DamagedError(f"The answers of the board at {port} are garbled. {_CABLE}")
    if "flash" in words.lower() and "connection" in words.lower():
        return BoardError(f"The board at {port} does not find its flash memory: it is broken. Take another board.")
    first = (words.splitlines() or ["no reason given"])[0]
    return _DamagedError(f"The board at {port} refuses MicroPython ({first}). {_CABLE}")


def _close(esp: ESPLoader) -> None:
    # The board may be gone, and its port with it.
    with contextlib.suppress(*esp_loader.ERRORS):
        esp._port.close()
