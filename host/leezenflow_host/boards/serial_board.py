# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A board at the end of a serial port, be it real or virtual: who it is, and its files brought to an image."""

from typing import Any

from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.deployment import Deployment, Progress, deploy_image
from leezenflow_host.boards.identity import IDENTITY_CODE, BoardIdentity
from leezenflow_host.closing import Closing
from leezenflow_host.image import Image

__all__ = ["Deployment", "Progress", "SerialBoard"]

# A board that was just plugged in needs a second or two; a unit in its pause reacts at once.
_ANSWER_S = 8.0


class SerialBoard(Closing):
    """A connection to the board at `port`; opening it interrupts what runs there, unless `interrupt` is False.

    `name` is how messages call the board. Everything raises BoardError with the next physical step.
    """

    def __init__(self, port: str, *, name: str | None = None, interrupt: bool = True) -> None:
        self._link = BoardLink(port, name or f"The board at {port}", _ANSWER_S, interrupt=interrupt)

    def close(self) -> None:
        """Close the port; a program that was interrupted stays so until a reset."""
        self._link.close()

    def identify(self) -> BoardIdentity:
        """Return what runs on the board."""
        return BoardIdentity(*self._link.evaluate(IDENTITY_CODE)[0])

    def read_file(self, path: str) -> bytes | None:
        """Return the content of a file on the board, None where there is none."""
        return self._link.read_file(path)

    def reset(self) -> None:
        """Reset the chip, so that the unit starts as after power-on; then `watch_start` or nothing."""
        self._link.hard_reset()

    def start_loader(self) -> None:
        """Start the loader in the chip's ROM, which takes a new interpreter; then `close`."""
        self._link.start_loader()

    def watch_start(self, patience_s: float) -> str:
        """Return what the board prints in the first `patience_s` seconds after `reset`; does not disturb it."""
        return self._link.listen(patience_s)

    def ask(self, command: dict[str, Any], patience_s: float = 5.0) -> dict[str, Any]:
        """Return what the running unit answers to `command` ({"do": ...}); after `reset`, or opened uninterrupted."""
        return self._link.ask(command, patience_s)

    def interrupt(self) -> None:
        """Interrupt what runs, so that files can be read and code be run."""
        self._link.enter_repl(soft_reset=False)

    def run_code(self, code: str) -> str:
        """Interrupt what runs, run `code` on a clean heap, and return what it printed."""
        self._link.enter_repl(soft_reset=True)
        return self._link.execute(code)

    def deploy(self, image: Image, progress: Progress | None = None) -> Deployment:
        """Bring the board's files to `image`; `progress(done, total, path)` counts bytes.

        Only what differs is written. An interruption at any moment leaves the unit as it was, or as it is to be; the
        next deployment goes on where this one ended. Only where the flash has no room for a second release, the one
        that is there is taken out of service first.
        """
        self._disarm_watchdog()
        self._link.enter_repl(soft_reset=True)
        return deploy_image(self._link, image, progress)

    def _disarm_watchdog(self) -> None:
        """Reset a board whose watchdog may be running: it would reset the board in the middle of a copy.

        Our firmware arms it only some time after a start, and now it will be interrupted before that.
        """
        code = (
            "import json\ntry:\n print(int(json.load(open('/board.json'))['device']['watchdog_ms']))\n"
            "except Exception:\n print(0)"
        )
        if self._link.evaluate(code) != [0]:
            self._link.hard_reset()
            self._link.reopen()
