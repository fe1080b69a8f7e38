# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the firmware, small enough to be copied in a moment: it answers on the serial line as a unit does.

What is tested with it is how it gets onto boards; it runs on a virtual board, on a real MicroPython.
"""

import json
from pathlib import Path
from typing import Any

import leezenflow
from leezenflow_host.board_config import BoardConfig, read_board
from leezenflow_host.flashing.job import encode_json
from leezenflow_host.image import Image
from leezenflow_host.site_config import SiteConfig

_MAIN = r"""# Leezenflow contributors
import binascii, hashlib, json, machine, os, select, sys
def load(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
CHANGES = %r
site = load("/site.json")
if CHANGES.get("fails"):
    try:
        os.mkdir("/state")
    except OSError:
        pass
    with open("/state/crash.txt", "w") as file:
        file.write("failure 1 after 0 s\nTraceback\nKeyError: pin\n\nfailure 0\nold\n\n")
elif site:
    identity = {
        "version": %r, "unit": json.loads(site)["unit"]["name"], "board": json.loads(load("/board.json"))["name"],
        "slot": "a", "release": 1, "chip_id": binascii.hexlify(machine.unique_id()).decode(),
        "config_hash": binascii.hexlify(hashlib.sha256(load("/board.json") + site).digest())[:16].decode(),
    }
    identity.update(CHANGES.get("identity", {}))
    tested = {"ok": True, "checks": {"memory": {"ok": True, "free": 100000}}}
    tested.update(CHANGES.get("self_test", {}))
    print("at work")
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    line = b""
    while True:
        if not poller.poll(50):
            continue
        byte = sys.stdin.buffer.read(1)
        if byte not in b"\r\n":
            line += byte
            continue
        line, text = b"", line
        if not text.startswith(b"{"):
            continue
        command = json.loads(text)
        verb = command["do"]
        answer = {"id": command["id"], "ok": True}
        if verb == "identity":
            answer.update(identity)
        elif verb == "self_test":
            answer["self_test"] = tested
        elif verb == "health":
            answer["health"] = {"frames": 1}
        print("answer " + json.dumps(answer))
"""


def fake_image(board: BoardConfig, site: SiteConfig | None, **changes: Any) -> Image:
    """Return an image for a board; `changes` bend what the unit says (`identity`, `self_test`) or let it fail."""
    manifest = {"leezenflow_release": 1, "version": leezenflow.__version__, "board": board.name, "files": []}
    files = {
        "/boot.py": b"# Leezenflow contributors\n",
        "/main.py": (_MAIN % (changes, leezenflow.__version__)).encode(),
        "/a/leezenflow_device/main.py": b"# filler\n" * 600,
        "/a/manifest.json": json.dumps(manifest).encode(),
        "/board.json": encode_json(board.values),
    }
    if site is not None:
        files["/site.json"] = encode_json(site.values)
    return Image(files)


def fake_board(folder: Path, chip: str = "virtual", *, name: str = "bench", sha256: str = "") -> BoardConfig:
    """Return a board with a chip of that kind whose panel is virtual, and its file `folder`/`name`.toml."""
    suffix = "bin" if chip.startswith("ESP") else "uf2"
    pins = f'[interpreter]\nfile = "X-*.{suffix}"\nsha256 = {[sha256] if sha256 else []}\n' if chip != "virtual" else ""
    file = folder / f"{name}.toml"
    file.write_text(
        f'[board]\ntitle = "Bench"\nchip = "{chip}"\nmicropython = ["X"]\n[display]\ndriver = "virtual"\n{pins}'
        '[source]\nverified = "none"\n'
    )
    return read_board(str(file))
