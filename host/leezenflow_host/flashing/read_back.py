# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a unit says it is after its restart: nothing counts as done before that."""

import hashlib
import json
import time
from typing import Any

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.boards.identity import BoardIdentity
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.errors import BoardError
from leezenflow_host.image import MANIFEST, SLOT, Image
from leezenflow_host.syntax import read_literal

# A slow board imports for some seconds before it listens; a line that came too early is lost.
_PATIENCE_S = 30.0
_ASK_S = 3.0
_CRASH_FILE = "/state/crash.txt"

# Runs at the prompt of a board without a site, which has nothing to run.
_CODE = """
import binascii, hashlib, json
def _lz(p):
    try:
        with open(p, "rb") as f:
            return f.read()
    except OSError:
        return b""
try:
    s = str(json.loads(_lz("/boot.json")).get("active") or "a").strip("/")
except ValueError:
    s = "a"
m = _lz("/" + s + "/manifest.json")
c = binascii.hexlify(hashlib.sha256(_lz("/board.json") + _lz("/site.json")).digest()).decode()[:16]
print(repr((json.loads(m)["version"] if m else None, json.loads(_lz("/board.json") or "{}").get("name"), c)))
"""


def read_back(
    connection: SerialBoard, board: BoardConfig, image: Image, unit: str, identity: BoardIdentity
) -> dict[str, Any]:
    """Return what the unit says of itself after its restart, if it is what was installed; else BoardError.

    A unit with a site is asked while it runs; a board without one has nothing to run, and is asked at its prompt.
    """
    wanted = {
        "version": json.loads(image.files[f"{SLOT}/{MANIFEST}"])["version"],
        "board": board.name,
        "config_hash": _config_hash(image),
        "chip_id": identity.unique_id.hex(),
    }
    if "/site.json" in image.files:
        wanted["unit"] = unit
        said = _ask(connection)
    else:
        version, name, digest = read_literal(connection.run_code(_CODE))
        again = connection.identify().unique_id.hex()
        said = {"version": version, "board": name, "config_hash": digest, "chip_id": again}
    wrong = [f"{key} {said.get(key)!r} instead of {value!r}" for key, value in wanted.items() if said.get(key) != value]
    if wrong:
        raise BoardError(
            f"Everything was written, but after its restart the board says: {', '.join(wrong)}. Repeat the command; if "
            "that does not help, take another board."
        )
    return said


def _ask(connection: SerialBoard) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            answer = connection.ask({"do": "identity"}, _ASK_S)
            if answer.get("ok"):
                return answer
        except BoardError:
            if time.monotonic() > deadline:
                break
            continue
        if time.monotonic() > deadline:
            break
    raise BoardError(
        f"Everything was written, but the unit does not start its work: {_last_words(connection)}. Correct what it "
        "names, and repeat the command."
    )


def _last_words(connection: SerialBoard) -> str:
    """Return what the unit noted about its last failure."""
    connection.interrupt()
    report = (connection.read_file(_CRASH_FILE) or b"").decode(errors="replace")
    # The newest report comes first and ends with an empty line; its last line names the error.
    lines = report.partition("\n\n")[0].strip().splitlines()
    return lines[-1] if lines else "it noted no reason"


def _config_hash(image: Image) -> str:
    content = image.files["/board.json"] + image.files.get("/site.json", b"")
    return hashlib.sha256(content).hexdigest()[:16]
