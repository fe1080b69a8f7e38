# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A board whose unit does not answer: what is on it, found out through its interpreter. Nothing is written."""

import contextlib
from typing import Any

from leezenflow_host.board_config import board_names, read_board
from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.identity import IDENTITY_CODE, OLDEST_MICROPYTHON, BoardIdentity
from leezenflow_host.boards.port_trouble import PortError
from leezenflow_host.diagnosis.finding import Finding
from leezenflow_host.diagnosis.unit_check import last_error
from leezenflow_host.errors import BoardError

_ANSWER_S = 8.0

# Runs on the board and prints literals: its files, what its configuration says, and why it failed.
_SURVEY_CODE = """
import os, json
def _lz_json(p):
    try:
        f = open(p)
    except OSError as e:
        return "missing" if e.errno == 2 else "OSError %s" % e.errno
    try:
        v = json.load(f)
        return v if isinstance(v, dict) else "no json object"
    except ValueError:
        return "no json"
    except OSError as e:
        return "OSError %s" % e.errno
    finally:
        f.close()
def _lz_text(p):
    try:
        with open(p) as f:
            return f.read(1500)
    except (OSError, ValueError):
        return ""
def _lz_list(p):
    try:
        return sorted(os.listdir(p))
    except OSError as e:
        return [] if e.errno == 2 else "OSError %s" % e.errno
b = _lz_json("/board.json")
s = _lz_json("/site.json")
k = ("board", "signal", "source", "leezenflow_board", "leezenflow_site", "name", "chip")
print(repr(("root", _lz_list("/"))))
print(repr(("a", _lz_list("/a"))))
print(repr(("b", _lz_list("/b"))))
print(repr(("board", {x: b.get(x) for x in k} if isinstance(b, dict) else b)))
print(repr(("site", {"unit": s.get("unit"), "format": s.get("leezenflow_site")} if isinstance(s, dict) else s)))
print(repr(("boot", _lz_json("/boot.json"))))
print(repr(("crash", _lz_text("/state/crash.txt"))))
print(repr(("failures", _lz_text("/state/failures"))))
"""

# Compares a slot with its manifest, one file after the other: the whole of it may not fit into the heap as objects.
_VERIFY_CODE = """
import hashlib, binascii, json
def _lz_verify(slot):
    try:
        with open("/%s/manifest.json" % slot) as f:
            files = json.load(f)["files"]
    except OSError as e:
        print(repr(("manifest.json", "OSError %s" % e.errno)))
        return
    except (ValueError, KeyError):
        print(repr(("manifest.json", "damaged")))
        return
    m = memoryview(bytearray(512))
    for path, size, digest in files:
        try:
            h = hashlib.sha256()
            with open("/%s/%s" % (slot, path), "rb") as f:
                while True:
                    n = f.readinto(m)
                    if not n:
                        break
                    h.update(m[:n])
            if binascii.hexlify(h.digest()).decode() != digest:
                print(repr((path, "changed")))
        except OSError as e:
            print(repr((path, "missing" if e.errno == 2 else "OSError %s" % e.errno)))
"""


def check_board(port: str, facts: dict[str, Any]) -> Finding:
    """Which case the silent board at `port` is; what ran there is started again. `facts` gets what was found."""
    try:
        link = BoardLink(port, f"The board at {port}", _ANSWER_S)
    except PortError:
        raise
    except BoardError as error:
        facts["port_error"] = str(error)
        if "silent" in str(error) or "vanished" in str(error):
            return Finding("silent_port", {"port": port})
        return Finding("not_micropython", {"port": port, "detail": _quote(str(error))})
    try:
        return _survey(link, port, facts)
    except BoardError as error:
        facts["port_error"] = str(error)
        return Finding("file_system_damaged", {"port": port, "detail": str(error)})
    finally:
        with contextlib.suppress(BoardError):
            link.resume()
        link.close()


def _survey(link: BoardLink, port: str, facts: dict[str, Any]) -> Finding:
    identity = BoardIdentity(*link.evaluate(IDENTITY_CODE)[0])
    oldest = ".".join(map(str, OLDEST_MICROPYTHON))
    version = ".".join(map(str, identity.version))
    facts["interpreter"] = {"release": identity.release, "chip": identity.chip, "machine": identity.machine}
    if identity.interpreter != "micropython":
        return Finding("not_micropython", {"port": port, "detail": identity.release})
    if identity.version[:2] < OLDEST_MICROPYTHON:
        return Finding("old_micropython", {"port": port, "version": version, "oldest": oldest})
    found: dict[str, Any] = dict(link.evaluate(_SURVEY_CODE))
    facts["board_files"] = found
    damaged = [f"/{name}: {found[name]}" for name in ("root", "a", "b") if isinstance(found[name], str)]
    damaged += [f"/{name}.json: {found[name]}" for name in ("board", "site", "boot") if _is_os_error(found[name])]
    if damaged:
        return Finding("file_system_damaged", {"port": port, "detail": damaged[0]})
    if not found["a"] and not found["b"] and found["board"] == "missing":
        return Finding("no_firmware", {"port": port, "chip": identity.chip, "version": version})
    return _check_unit_files(link, port, identity, found, facts)


def _check_unit_files(
    link: BoardLink, port: str, identity: BoardIdentity, found: dict[str, Any], facts: dict[str, Any]
) -> Finding:
    board = found["board"]
    if not isinstance(board, dict):
        return Finding(
            "configuration_damaged", {"port": port, "file": "/board.json", "detail": board, "board": "BOARD"}
        )
    name = str(board.get("name") or "BOARD")
    values = {"port": port, "board": name}
    expected = board.get("chip") or (read_board(name).chip if name in board_names() else identity.chip)
    if expected != identity.chip:
        return Finding("wrong_chip", {**values, "chip": identity.chip, "expected": expected})
    slot = _choose_slot(found)
    if slot is None:
        return Finding("release_missing", values)
    wrong: list[tuple[str, str]] = link.evaluate(f"{_VERIFY_CODE}\n_lz_verify({slot!r})")
    facts["wrong_files"] = wrong
    if wrong:
        broken = next((f"/{slot}/{path}: {what}" for path, what in wrong if _is_os_error(what)), None)
        if broken:
            return Finding("file_system_damaged", {"port": port, "detail": broken})
        return Finding("release_damaged", {**values, "count": len(wrong), "file": f"/{slot}/{wrong[0][0]}"})
    if found["site"] == "missing":
        if "picture.bin" in found["root"]:
            return Finding("stopped", values)
        return Finding("no_site", values)
    if not isinstance(found["site"], dict):
        return Finding("configuration_damaged", {**values, "file": "/site.json", "detail": found["site"]})
    crash = found["crash"]
    count = _failures(crash)
    if count:
        return Finding("crash_loop", {**values, "count": count, "error": last_error(crash)})
    return Finding("stopped", values)


def _choose_slot(found: dict[str, Any]) -> str | None:
    """The slot that the loader would run."""
    boot = found["boot"] if isinstance(found["boot"], dict) else {}
    for slot in (boot.get("try"), boot.get("active"), "a", "b"):
        if slot in ("a", "b") and "manifest.json" in found[slot] and "leezenflow_device" in found[slot]:
            return slot
    return None


def _failures(crash: str) -> int:
    """How many failures in a row the loader noted; 0: none, or only old ones."""
    head = crash.split(" ", 2)
    return int(head[1]) if len(head) > 1 and head[0] == "failure" and head[1].isdigit() else 0


def _is_os_error(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("OSError")


def _quote(text: str) -> str:
    """What the board said, out of an error's sentence."""
    return text.partition("It said: ")[2].partition(". Press")[0] or text
