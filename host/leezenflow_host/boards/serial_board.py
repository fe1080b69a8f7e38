# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A board at the end of a serial port, be it real or virtual: who it is, and its files brought to an image."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.identity import IDENTITY_CODE, BoardIdentity
from leezenflow_host.errors import BoardError
from leezenflow_host.image import RELEASE_MODULE, SLOT, Image

# A board that was just plugged in needs a second or two; a unit in its pause reacts at once.
_ANSWER_S = 8.0
# How a file is called until the board has hashed it, and the release while it is out of service.
_NEW, _HELD = ".new", ".held"

# Runs on the board: a list of files with their hashes, and a rename that happens only for the right content.
_BOARD_CODE = f"""
import os, hashlib, binascii
def _lz_hash(p):
    h = hashlib.sha256()
    m = memoryview(bytearray(512))
    with open(p, "rb") as f:
        while True:
            n = f.readinto(m)
            if not n:
                break
            h.update(m[:n])
    return binascii.hexlify(h.digest()).decode()
def _lz_list(d, deep):
    try:
        entries = list(os.ilistdir(d))
    except OSError:
        return
    for e in entries:
        p = ("" if d == "/" else d) + "/" + e[0]
        if not e[1] & 0x4000:
            print(repr((p, _lz_hash(p))))
        elif deep:
            print(repr((p, None)))
            _lz_list(p, deep)
def _lz_place(p, digest):
    if _lz_hash(p + "{_NEW}") == digest:
        os.rename(p + "{_NEW}", p)
        print(True)
    else:
        os.remove(p + "{_NEW}")
        print(False)
"""

Progress = Callable[[int, int, str], None]


@dataclass
class Deployment:
    """What a deployment did: device paths in the order of the work."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0


class SerialBoard:
    """A connection to the board at `port`; opening it interrupts what runs there, unless `interrupt` is False.

    `name` is how messages call the board. Everything raises BoardError with the next physical step.
    """

    def __init__(self, port: str, *, name: str | None = None, interrupt: bool = True) -> None:
        self._link = BoardLink(port, name or f"The board at {port}", _ANSWER_S, interrupt=interrupt)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

        Only what differs is written: each file under another name, hashed by the board, then renamed. While more than
        one file changes the release is out of service, so that an interrupted copy never runs as a mixture: the loader
        then finds no release and leaves the panel dark, until the next installation goes on where this one ended.
        """
        self._disarm_watchdog()
        self._link.enter_repl(soft_reset=True)
        self._link.execute(_BOARD_CODE)
        present = dict(self._link.evaluate(f"_lz_list('/', False)\n_lz_list({SLOT!r}, True)"))
        work = plan_deployment(image, present)
        self._check_space(image, work)
        done = Deployment(unchanged=len(image.files) - len(work.changed))
        if work.held is not None:
            self._rename(work.held, work.held + _HELD)
        for path in work.stale:
            self._link.execute(f"os.{'rmdir' if present[path] is None else 'remove'}({path!r})")
            done.removed.append(path)
        folders = {path for path, digest in present.items() if digest is None} - set(work.stale)
        total = sum(len(image.files[path]) for path in work.changed)
        written = 0
        for path in work.changed:
            if path == "/main.py":
                self._release(work, done)
            base, at = written, path
            self._make_folders(path, folders)
            self._write(path, image.files[path], lambda count: progress(base + count, total, at) if progress else None)  # noqa: B023
            written += len(image.files[path])
            done.written.append(path)
        self._release(work, done)
        return done

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

    def _check_space(self, image: Image, work: "Work") -> None:
        block, free = self._link.evaluate("s = os.statvfs('/')\nprint((s[0], s[3]))")[0]
        needed = sum(len(image.files[path]) // block + 1 for path in work.changed)
        if needed > free + len(work.stale):
            raise BoardError(
                f"The file system of the board is too full: {needed * block // 1024} kB are needed, "
                f"{free * block // 1024} kB are free. Delete what does not belong to Leezenflow."
            )

    def _make_folders(self, path: str, present: set[str]) -> None:
        parts = path.split("/")[1:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/" + "/".join(parts[:depth])
            if folder not in present:
                # /a itself is not in a list of its content.
                self._link.execute(f"try:\n os.stat({folder!r})\nexcept OSError:\n os.mkdir({folder!r})")
                present.add(folder)

    def _write(self, path: str, content: bytes, progress: Callable[[int], None]) -> None:
        for _ in range(2):
            self._link.write_file(path + _NEW, content, progress)
            if self._link.evaluate(f"_lz_place({path!r}, {_sha256(content)!r})") == [True]:
                return
        raise BoardError(
            f"{path} arrived damaged twice. Use another cable or another USB port, and repeat the command."
        )

    def _rename(self, old: str, new: str) -> None:
        self._link.execute(f"os.rename({old!r}, {new!r})")

    def _release(self, work: "Work", done: Deployment) -> None:
        """Put the release into service again, once."""
        held, work.held = work.held, None
        if held is None:
            return
        if held in done.written:
            self._link.execute(f"os.remove({held + _HELD!r})")
        else:
            self._rename(held + _HELD, held)


@dataclass
class Work:
    """What has to be done to a board: paths to write and to remove, in order; `held` goes out of service meanwhile."""

    changed: list[str]
    stale: list[str]
    held: str | None


def plan_deployment(image: Image, present: Mapping[str, str | None]) -> Work:
    """Compare `image` with the files on a board (path: SHA-256 in hex, None for a folder)."""
    changed = [path for path, content in image.files.items() if present.get(path) != _sha256(content)]
    changed.sort(key=lambda path: _place_in_order(image, path))
    needed = {path.rsplit("/", depth)[0] for path in image.files for depth in range(1, path.count("/"))}
    stale = [path for path in present if path not in image.files and path not in needed and _is_ours(path)]
    # An old release of the other kind first, so that it cannot run while its parts go; folders after what is in them.
    stale.sort(key=lambda path: (not _is_release(path), -path.count("/"), path))
    held = image.release_file if image.release_file in present and len(changed) + len(stale) > 1 else None
    if held is not None and held + _HELD in stale:
        stale.remove(held + _HELD)
    return Work(changed, stale, held)


def _place_in_order(image: Image, path: str) -> int:
    """The release comes into service when all of its files and the configuration are there; /main.py is the last."""
    if path == "/main.py":
        return 4
    if path == image.release_file:
        return 3
    return 1 if path.startswith(SLOT + "/") else 2


def _is_ours(path: str) -> bool:
    """Whether a file that no image asks for may go: all of the slot, and what an interrupted copy left."""
    return path.startswith(SLOT + "/") or path.endswith(_NEW)


def _is_release(path: str) -> bool:
    return path.rpartition(".")[0] == f"{SLOT}/{RELEASE_MODULE}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
