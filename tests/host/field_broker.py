# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mosquitto with settings of a test's own: passwords, TLS, access rules."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import find_mosquitto, wait_until


@contextlib.contextmanager
def mosquitto(folder: Path, port: int, lines: str) -> Iterator[None]:
    """Run it on 127.0.0.1:port with these lines of configuration; the test is skipped where it is not installed."""
    program = find_mosquitto()
    if program is None:
        pytest.skip("mosquitto is not installed: passwords, access rules and TLS are not covered")
    config = folder / "mosquitto.conf"
    config.write_text(f"user root\nlistener {port} 127.0.0.1\n{lines}\n")
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _accepts(port), "mosquitto listens")
        yield
    finally:
        process.kill()
        process.wait()


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
