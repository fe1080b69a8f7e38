# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit fed over the line of its commands, on a virtual board: its serial port, file system and interpreter."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from board_flash import write_flash
from serial_line import SerialLine
from unix_device import UnixDevice, board, recorded_messages, site

from leezenflow_host.boards.frames import FrameReceiver
from leezenflow_host.boards.virtual import VirtualBoard


@contextlib.contextmanager
def unit(micropython: str, folder: Path, values: dict[str, Any]) -> Iterator[SerialLine]:
    """The serial line of a unit at work."""
    tree = UnixDevice(micropython, folder / "device")
    tree.configure(values, board(health_s=3600))
    write_flash(folder / "flash", tree.folder)
    with (
        FrameReceiver() as receiver,
        VirtualBoard(folder / "flash", heap_kb=512, environment={"LEEZENFLOW_FRAMES": receiver.url}) as running,
        SerialLine(running.port) as line,
    ):
        receiver.wait_for(lambda frame: frame.number > 2, 40)
        yield line


def feed(line: SerialLine, message: bytes, piece: int = 2_000) -> dict[str, Any]:
    """Send a message in pieces; the answer to the last one."""
    answer: dict[str, Any] = {}
    for start in range(0, len(message), piece):
        part = base64.b64encode(message[start : start + piece]).decode()
        answer = line.ask("feed", data=part, more=start + piece < len(message))
    return answer


def test_messages_by_the_line_of_commands(micropython: str, tmp_path: Path) -> None:
    (_, first), (_, second) = recorded_messages(2)
    with unit(micropython, tmp_path, site("usb://?message_bytes=16384")) as line:
        fed = feed(line, first)
        assert (fed["ok"], fed["news"]) == (True, True)
        assert feed(line, b"<nonsense/>")["news"] is False
        for wrong in (None, "", 7, "x"):
            refusal = line.ask("feed", data=wrong)
            assert refusal["ok"] is False, wrong
        assert "longer than 16384 bytes" in feed(line, bytes(17_000))["error"]
        feed(line, second)
        report = line.ask("health")["health"]
    assert report["transport"] == {"messages": 3, "oversize": 1}
    assert report["listening"] is True
    assert report["engine"]["accepted"] >= 1


def test_a_unit_with_another_source_is_not_fed(micropython: str, tmp_path: Path) -> None:
    with unit(micropython, tmp_path, site("udp://127.0.0.1:4711")) as line:
        assert 'needs source = "usb://"' in line.ask("feed", data="AAAA")["error"]
