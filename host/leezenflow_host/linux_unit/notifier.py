# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service tells systemd: ready, alive, ending (sd_notify(3): one datagram each, to the socket it names)."""

import contextlib
import os
import socket
from collections.abc import Mapping


class Notifier:
    """Talks to the service manager that started us; does nothing where none did (no NOTIFY_SOCKET)."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        where = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        # A leading @ stands for Linux's abstract namespace.
        self._address = "\0" + where[1:] if where.startswith("@") else where
        if where.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            # A manager that does not read must not stall the picture.
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        """The unit is at work."""
        self._send(f"READY=1\nSTATUS={status}\n")

    def alive(self) -> None:
        """Feed the manager's watchdog."""
        self._send("WATCHDOG=1\n")

    def say(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={status}\n")

    def ending(self) -> None:
        """The unit ends, and wants to."""
        self._send("STOPPING=1\n")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is not None:
            # A manager that is gone is no reason for a dark panel; its watchdog is.
            with contextlib.suppress(OSError):
                self._socket.sendto(text.encode(), self._address)
