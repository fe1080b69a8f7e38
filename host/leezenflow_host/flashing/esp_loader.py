# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loader in an ESP32's ROM, through esptool's public interface, as something that several threads may use at once.

esptool has one logger for the whole process. Ours passes on the progress of each thread to whoever asked in it, and
keeps every other word, so that nothing is printed in the middle of a screen.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import serial
from esptool import cmds
from esptool.loader import ESPLoader
from esptool.logger import EspLog, EspLogBase
from esptool.reset import ResetStrategy
from esptool.util import FatalError, PrintOnce

ERRORS = (FatalError, serial.SerialException, OSError)
"""What esptool raises: an unplugged board shows as an error of the port, not as one of its own."""

_listening = threading.local()


class ThreadLog(EspLogBase):
    """Sends the progress of each thread to the listener of that thread, and drops the rest."""

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Drop it."""

    def err(self, *args: Any, suggestion: str | None = None) -> None:
        """Drop it: what matters is raised as well."""

    def warn(self, *args: Any, suggestion: str | None = None) -> None:
        """Drop it."""

    warning, error = warn, err

    def note(self, *args: Any) -> None:
        """Drop it."""

    def hint(self, *args: Any) -> None:
        """Drop it."""

    def debug(self, *args: Any) -> None:
        """Drop it."""

    def set_verbosity(self, mode: int | str) -> None:
        """Take no notice."""

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", bar_length: int = 30
    ) -> None:
        """Pass it on to the thread that asked."""
        listener = getattr(_listening, "listener", None)
        if listener is not None:
            listener(cur_iter, total_iters)

    def counter_line(self, prefix: str, suffix: str, *, final: bool = False) -> None:
        """Drop it."""


_LOG = ThreadLog()
# Bound to the logger of the moment when esptool was imported: it would tell of ports that cannot reset a chip.
ResetStrategy.print_once = PrintOnce(_LOG.warn)


@contextlib.contextmanager
def heard(listener: Callable[[int, int], None] | None) -> Iterator[None]:
    """Within this, esptool is quiet in this thread and its progress goes to `listener(done, total)`."""
    EspLog.instance = _LOG
    before = getattr(_listening, "listener", None)
    _listening.listener = listener
    try:
        yield
    finally:
        _listening.listener = before


@dataclass(frozen=True, slots=True)
class Rom:
    """A chip whose loader answers: `chip` as board files spell it, `unique_id` its MAC in hex."""

    chip: str
    description: str
    unique_id: str | None


def call_rom(port: str, attempts: int = 2) -> Rom | None:
    """Return the chip that waits in its loader at `port`, without resetting it; None if none answers."""
    with heard(None):
        try:
            with cmds.connect_esp(port, before="no-reset", connect_attempts=attempts) as esp:
                return describe_chip(esp)
        except ERRORS:
            return None


def describe_chip(esp: ESPLoader) -> Rom:
    """Return what is known of a chip that esptool is connected to."""
    chip = esp.CHIP_NAME.replace("-", "")
    try:
        description: str = esp.get_chip_description()  # type: ignore[reportAttributeAccessIssue]
        number = bytes(esp.read_mac("BASE_MAC") or b"").hex()
    except FatalError:
        # A chip that is locked tells nothing of itself.
        return Rom(chip, esp.CHIP_NAME, None)
    return Rom(chip, description, number or None)
