# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of the cut-point suite: small releases that know what they are, keys, and the rig on MicroPython."""

import ast
import base64
import functools
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.signing import KeyList, PublicKey, SigningKey
from leezenflow_host.signing.key_lists import write_root_keys

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("firmware/leezenflow_device", "firmware", "signal_adapters")
PARTS = 4
BOARD = "rig"
# 384 kB: small, because every cut point copies it.
BLOCKS = 96

_MAIN = """
import json
from leezenflow import {names}
version = {version}
def run():
    with open("/board.json") as file:
        board = json.load(file)
    with open("/site.json") as file:
        site = json.load(file)
    raise RuntimeError(([version, {versions}], site["place"] if site["place"] == board["place"] else None))
"""


@functools.lru_cache(maxsize=4)
def key(name: str) -> SigningKey:
    """A key by its part in a test: "root", "release", "stranger"."""
    return SigningKey.generate()


def release_files(version: int, parts: int = PARTS) -> dict[str, bytes]:
    """A release by paths in its slot, without a manifest: each part knows the version, and main has seen all."""
    files = {"leezenflow/__init__.py": b"# package\n", "leezenflow_device/__init__.py": b"# package\n"}
    for number in range(parts):
        # Of different lengths: some fit into a directory entry, others take more than a block.
        files[f"leezenflow/part{number}.py"] = b"version = %d\n" % version + b"#" * (number * number * 600)
    names = [f"part{number}" for number in range(parts)]
    main = _MAIN.format(
        names=", ".join(names), version=version, versions=", ".join(f"{name}.version" for name in names)
    )
    files["leezenflow_device/main.py"] = main.encode()
    # One that does not change, and one that only this version has.
    files["leezenflow/same.py"] = b"# the same\n" * 100
    files[f"leezenflow/only{version}.py"] = b"#\n"
    return files


def manifest(version: int, files: Mapping[str, bytes], **changes: Any) -> str:
    """The manifest of a release."""
    values = {
        "leezenflow_release": 1,
        "product": "leezenflow",
        "board": BOARD,
        "release": version,
        "version": f"0.{version}",
        "min_micropython": [1, 24],
        "mpy": None,
        "files": [[path, len(files[path]), hashlib.sha256(files[path]).hexdigest()] for path in sorted(files)],
    }
    return json.dumps({**values, **changes}, separators=(",", ":"))


def configuration(place: int) -> dict[str, bytes]:
    """The files outside the slots, for a place by number."""
    roots = write_root_keys([PublicKey(key("root").modulus)]).encode()
    return {
        "/boot.py": b"# dark %d\n" % place,
        "/board.json": b'{"name":"%s","place":%d,"display":{"driver":"x"}}' % (BOARD.encode(), place),
        "/site.json": b'{"place":%d}' % place,
        "/root_keys.json": roots,
    }


def unit_files(version: int, place: int = 1, slot: str = "a") -> dict[str, bytes]:
    """All files of a unit that runs `version` in `slot`."""
    files = release_files(version)
    tree = {f"/{slot}/{path}": content for path, content in files.items()}
    tree[f"/{slot}/manifest.json"] = manifest(version, files).encode()
    boot = {"active": slot, "try": None, "left": 0, "floor": version, "bad": [], "keys": 0}
    return {**tree, **configuration(place), "/boot.json": json.dumps(boot).encode()}


def begin_command(text: str, keys: KeyList | None = None) -> dict[str, str]:
    """The `begin` of an update with this manifest, signed by the release key."""
    listed = (keys or KeyList(1, (PublicKey(key("release").modulus),))).text()
    return {
        "manifest": text,
        "signature": base64.b64encode(key("release").sign(text.encode())).decode(),
        "keys": listed,
        "keys_signature": base64.b64encode(key("root").sign(listed.encode())).decode(),
    }


def update(version: int) -> dict[str, Any]:
    """An update as the rig takes it."""
    files = release_files(version)
    # The display's driver and the like are asked for by the board's configuration.
    files["leezenflow_device/displays/x.py"] = b"#\n"
    return {"version": version, "begin": begin_command(manifest(version, files)), "files": files}


class Rig:
    """MicroPython with a flash in memory; `run` executes code in the rig's names."""

    def __init__(self, micropython: str, heap_kb: int = 24_000) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="power-cut-")
        job = Path(self._folder.name) / "job.json"
        job.write_text(json.dumps({"sources": [str(ROOT / source) for source in SOURCES]}))
        self._process = subprocess.Popen(
            [micropython, "-X", f"heapsize={heap_kb}k", str(Path(__file__).with_name("power_cut_rig.py")), str(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def run(self, code: str) -> str:
        """Return what `code` printed; fails where it raises."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"run": code}) + "\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            if line == "\x04\n":
                assert "Traceback" not in said, said
                return said
            said += line
        raise AssertionError(f"the rig ended: {said}")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of plain values."""
        return ast.literal_eval(self.run(f"print(repr({expression}))").splitlines()[-1])

    def make_flash(self, files: Mapping[str, bytes], blocks: int = BLOCKS) -> None:
        """Begin with a new flash that holds `files`."""
        self.define("files", files)
        self.run(f"flash = make_flash({blocks}, files)")

    def define(self, name: str, value: Any) -> None:
        """Give the rig a value: bytes, text, numbers, and dicts and lists of them."""
        self.run(f"{name} = {value!r}")

    def sweep(self, procedure: str, check: str, step: int = 1, *, quiet: bool = False) -> dict[str, Any]:
        """Run `procedure` on the flash and `check` after each cut in it (expressions); the figures."""
        self.run(f"before, journal = note(flash, lambda: {procedure})")
        figures = self.evaluate(f"sweep(before, journal, lambda: {check}, {step})")
        if not quiet:
            print(f"{procedure}: {describe(figures)}")
        return figures


class RigLink:
    """The rig in the place of a board at a serial port, for deployments."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def execute(self, code: str) -> str:
        """As BoardLink does."""
        return self._rig.run(code)

    def evaluate(self, code: str) -> list[Any]:
        """As BoardLink does."""
        return [ast.literal_eval(line) for line in self.execute(code).splitlines() if line.strip()]

    def write_file(self, path: str, content: bytes, progress: Callable[[int], None]) -> None:
        """As mpremote does: opened once, written in pieces, closed."""
        self.execute(f"f = open({path!r}, 'wb')\nw = f.write")
        for at in range(0, len(content), 1024):
            self.execute(f"w({content[at : at + 1024]!r})")
        self.execute("f.close()")


assert all(hasattr(BoardLink, name) for name in ("execute", "evaluate", "write_file"))


def describe(figures: Mapping[str, Any]) -> str:
    """The figures in one line."""
    return (
        f"{figures['cut_points']} cut points, {figures['states']} states, {figures['broken']} broken {figures['seen']}"
    )
