# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The far end of a serial port, as the tests of doctor and monitor need it: it answers as it is told."""

import contextlib
import json
import os
import pty
import threading
import time
import tty
from collections.abc import Callable
from typing import Any, Self


class SerialPeer:
    """A port; `answer(data)` returns what is said to the bytes that came. `heard` is all that came.

    Without `held` nobody but the other side has the port open: another process would take us for a rival.
    """

    def __init__(self, answer: Callable[[bytes], bytes], *, held: bool = True) -> None:
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self._held = held
        self._unplugged = False
        if not held:
            os.close(self._theirs)
        self.heard = b""
        self._answer = answer
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def say(self, text: str) -> None:
        """Say a line without being asked."""
        os.write(self._ours, text.encode() + b"\r\n")

    def unplug(self) -> None:
        """The port is gone."""
        if self._unplugged:
            return
        self._unplugged = True
        for descriptor in (self._theirs, self._ours) if self._held else (self._ours,):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _run(self) -> None:
        while not self._unplugged:
            try:
                data = os.read(self._ours, 4096)
            except OSError:
                if self._held:
                    return
                time.sleep(0.02)  # nobody has the port open
                continue
            self.heard += data
            answer = self._answer(data)
            if answer:
                with contextlib.suppress(OSError):
                    os.write(self._ours, answer)


class UnitPeer(SerialPeer):
    """A unit's line: each verb in `verbs` maps to what `verb(command)` answers; others are refused."""

    def __init__(self, verbs: dict[str, Callable[[dict[str, Any]], dict[str, Any]]], *, held: bool = True) -> None:
        self.commands: list[dict[str, Any]] = []
        self._verbs = verbs
        self._rest = b""
        super().__init__(self._speak, held=held)

    def _speak(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        said = b""
        for line in lines:
            if not line.startswith(b"{"):
                continue
            command = json.loads(line)
            self.commands.append(command)
            verb = self._verbs.get(command["do"])
            answer = {"ok": False, "error": "the unit knows no such command"} if verb is None else verb(command)
            text = json.dumps({"ok": True, **answer, "id": command["id"]}, separators=(",", ":"))
            said += b"answer " + text.encode() + b"\r\n"
        return said
