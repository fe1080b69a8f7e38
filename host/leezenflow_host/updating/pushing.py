# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release to one unit: begun, brought over in pieces, checked there, started, and seen to run."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leezenflow_host.errors import BoardError
from leezenflow_host.release import Release
from leezenflow_host.updating.links import UnitLink

# Raw bytes in one command: what a unit takes at most is 1024.
_CHUNK_BYTES = 768
# A manifest longer than this goes ahead in pieces: boards like short lines.
_BEGIN_BYTES = 3_000
# Two signatures (a second each on an RP2040) and a look at every file that is there already.
_LONG_S = 120.0
_SHORT_S = 15.0
_ATTEMPTS = 5
# From the restart to the first answer: the loader, the start, and over MQTT the network.
_RESTART_S = 120.0
# A unit restarts half a second after its answer.
_LEAVING_S = 3.0
# A trial lasts a minute; so long until it must have been confirmed, or given up.
_TRIAL_S = 300.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class UnitState:
    """What a unit runs; `trial`: on trial; `update`: what is half-way there, or None; `bad`: what failed its trial."""

    unit: str
    board: str | None
    version: str
    release: int | None
    slot: str | None
    trial: bool
    manifest: str | None
    update: dict[str, Any] | None
    bad: tuple[str, ...] = ()


def read_state(link: UnitLink, patience_s: float = _SHORT_S) -> UnitState:
    """Ask a unit what it is and what it runs."""
    identity = _asked(link, {"do": "identity"}, patience_s)
    status = _asked(link, {"do": "update", "step": "status"}, patience_s)
    return UnitState(
        identity.get("unit") or "",
        identity.get("board"),
        identity.get("version") or "",
        status.get("release"),
        status.get("slot"),
        status.get("try") is not None and status.get("try") == status.get("slot"),
        status.get("manifest"),
        status.get("update"),
        tuple(status.get("bad") or ()),
    )


def push_release(
    link: UnitLink, release: Release, progress: Progress | None = None, *, confirmed: bool = False
) -> UnitState:
    """Bring `release` to a unit and return what the unit runs afterwards: this release.

    `progress(done, total)` counts bytes. What an earlier attempt brought is not sent again. `confirmed`: wait until
    the unit has found the release sound. BoardError: the unit refuses (and says why), vanished, or went back.
    """
    before = read_state(link)
    if before.manifest == release.digest:
        return before
    if before.board != release.board:
        raise BoardError(f"{link.name} is a {before.board}; this update is for {release.board}. Nothing was sent.")
    for attempt in range(_ATTEMPTS):
        try:
            _bring(link, release, progress or (lambda done, total: None))
            break
        except _BegunAnewError:
            # The unit restarted meanwhile: what it has, it has.
            if attempt + 1 == _ATTEMPTS:
                raise BoardError(f"{link.name} restarts again and again while it is updated; see its health.") from None
        except _NoRoomError as error:
            if attempt + 1 == _ATTEMPTS:
                raise BoardError(str(error)) from None
            _make_room(link)
    return _await_release(link, release, confirmed)


class _BegunAnewError(Exception):
    """The unit knows nothing of an update that was under way."""


class _NoRoomError(BoardError):
    """The unit has no memory left for an update beside its work."""


def _make_room(link: UnitLink) -> None:
    """Have the unit restart into safe mode: dark, but with room. The new release, or an hour, leads back to work.

    A unit that is in safe mode already gets a tidy heap by it: what it has of the update, it keeps.
    """
    _asked(link, {"do": "restart", "safe": True}, _SHORT_S)
    time.sleep(_LEAVING_S)
    deadline = time.monotonic() + _RESTART_S
    while time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            if link.ask({"do": "health"}, 5.0).get("health", {}).get("safe_mode"):
                return
        except BoardError:
            continue
    raise BoardError(f"{link.name} has no room for an update, and does not come back in safe mode.")


def _bring(link: UnitLink, release: Release, progress: Progress) -> None:
    """Begin, send what is missing, and have it started."""
    total = release.size
    begun = _begin(link, release)
    have = {path: min(int(done), len(release.files.get(path, b""))) for path, done in begun.get("have", {}).items()}
    done = sum(have.values())
    progress(done, total)
    for path, content in release.files.items():
        offset = have.get(path, 0)
        if offset >= len(content) and path in have:
            continue
        while True:
            piece = content[offset : offset + _CHUNK_BYTES]
            offset += _send(link, path, offset, piece)
            done += len(piece)
            progress(done, total)
            if offset >= len(content):
                break
    _step(link, {"step": "finish"}, _LONG_S)


def _begin(link: UnitLink, release: Release) -> dict[str, Any]:
    command: dict[str, Any] = {
        "step": "begin",
        "signature": base64.b64encode(release.signature).decode(),
        "keys": release.keys_text,
        "keys_signature": base64.b64encode(release.keys_signature).decode(),
    }
    manifest = release.manifest_text.encode()
    if len(manifest) <= _BEGIN_BYTES:
        command["manifest"] = release.manifest_text
    else:
        for offset in range(0, len(manifest), _CHUNK_BYTES):
            _send(link, "manifest.json", offset, manifest[offset : offset + _CHUNK_BYTES])
    return _step(link, command, _LONG_S)


def _send(link: UnitLink, path: str, offset: int, piece: bytes) -> int:
    data = base64.b64encode(piece).decode()
    _step(link, {"step": "chunk", "path": path, "offset": offset, "data": data}, _SHORT_S)
    return len(piece)


def _step(link: UnitLink, command: dict[str, Any], patience_s: float) -> dict[str, Any]:
    """Give one step, again where no answer came or the unit could not read it: every step may come twice."""
    fault: BoardError | None = None
    for attempt in range(_ATTEMPTS):
        try:
            answer = link.ask({"do": "update", **command}, patience_s)
        except BoardError as error:
            fault = error
            if command["step"] == "finish" and attempt:
                # The unit may have restarted into the new release before its answer left.
                return {}
            continue
        if answer.get("ok"):
            return answer
        why = str(answer.get("error") or "")
        if "begin first" in why:
            raise _BegunAnewError
        if "MemoryError" in why or ("no room" in why and "flash" not in why):
            raise _NoRoomError(f"{link.name} has no memory for the update ({why}).")
        if answer.get("id") is not None and "ask again" not in why:
            raise BoardError(f"{link.name} refuses: {why}.")
        fault = BoardError(f"{link.name} refuses: {why}.")
        time.sleep(0.2 * (attempt + 1))
    assert fault is not None
    raise fault


def _await_release(link: UnitLink, release: Release, confirmed: bool) -> UnitState:
    """Wait until the unit answers with the new release."""
    deadline = time.monotonic() + _RESTART_S
    on_trial = False
    while time.monotonic() < deadline:
        try:
            state = read_state(link, 5.0)
        except BoardError:
            continue
        if state.manifest == release.digest:
            if not confirmed or not state.trial:
                return state
            if not on_trial:
                deadline = time.monotonic() + _TRIAL_S
            on_trial = True
        elif release.digest in state.bad:
            raise BoardError(
                f"{link.name} has gone back to release {state.release}: release {release.number} did not prove itself. "
                "Its reason stands in the unit's crash report (command `crashes`)."
            )
        time.sleep(0.5)
    what = "has not confirmed" if on_trial else "has not come back with"
    raise BoardError(
        f"{link.name} {what} release {release.number} in time. If it did not prove itself, the unit goes back to the "
        "release before by itself; see: leezenflow update status"
    )


def _asked(link: UnitLink, command: dict[str, Any], patience_s: float) -> dict[str, Any]:
    answer = link.ask(command, patience_s)
    if not answer.get("ok"):
        raise BoardError(f"{link.name} refuses: {answer.get('error')}.")
    return answer
