# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kit that was checked: every file is there, none is damaged, and nothing else lies between them."""

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from leezenflow_host.board_config import BoardConfig, read_board_file
from leezenflow_host.errors import InputError
from leezenflow_host.image import Image
from leezenflow_host.kit.manifest import MANIFEST, MAX_MANIFEST_BYTES, damage, decode_manifest, sha256
from leezenflow_host.kit.storage import Store, open_store
from leezenflow_host.problems import did_you_mean
from leezenflow_host.site_config import SiteConfig, read_site


class Kit:
    """An open kit; `Kit.open` checks all of it first. `facts` is kit.json."""

    def __init__(self, path: Path, facts: dict[str, Any], files: dict[str, bytes]) -> None:
        self.path = path
        self.facts = facts
        self._files = files

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the kit at `path` (a folder or a zip file); InputError that names the file which is wrong."""
        store, name = open_store(path), str(path)
        sizes = store.sizes()
        if MANIFEST not in sizes:
            raise InputError(f"{name} is no kit: there is no {MANIFEST} in it.")
        if sizes[MANIFEST] > MAX_MANIFEST_BYTES:
            raise damage(name, MANIFEST, "is longer than any")
        facts = decode_manifest(store.read(MANIFEST), name)
        return cls(path, facts, _read_checked(store, sizes, facts, name))

    @property
    def boards(self) -> list[str]:
        """Names of the boards that the kit is for."""
        return sorted(self.facts["boards"])

    @property
    def sites(self) -> list[str]:
        """Names of its sites: those of their files."""
        return sorted(self.facts["sites"])

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(map(len, self._files.values()))

    def board(self, name: str) -> BoardConfig:
        """Return a board of the kit; InputError if the kit has none of that name."""
        return read_board_file(self._path_of(self._choose("boards", name, "board")))

    def interpreter(self, board: BoardConfig | str) -> Path | None:
        """Return the image of MicroPython for a board, None if the kit has none. Its hash was checked."""
        name = board if isinstance(board, str) else board.name
        found = self.facts["interpreters"].get(name)
        return None if found is None else self._path_of(found["file"])

    def site(self, name: str) -> SiteConfig:
        """Return a site by the name of its file or of its unit; InputError if the kit has none of that name."""
        for stem, site in self.facts["sites"].items():
            if name in (stem, f"{stem}.toml", site["unit"]):
                return read_site(self._path_of(site["file"]))
        raise self._unknown("site", name, self.sites)

    def image(self, board: BoardConfig | str, site: str | None) -> Image | None:
        """Return the firmware staged for a board and one of the sites (None: no site), None if the kit has none."""
        name = board if isinstance(board, str) else board.name
        prefix = f"devices/{name}--{site or 'no-site'}/"
        order = self.facts["devices"].get(prefix[:-1], [])
        return Image({path: self._files[prefix + path[1:]] for path in order}) if order else None

    def secrets(self, unit: str) -> bytes | None:
        """Return the content of a unit's secrets file, None if the kit has none for it."""
        path = self.facts["secrets"].get(unit)
        return None if path is None else self._files[path]

    @property
    def release(self) -> Path | None:
        """The signed update file, None if the kit has none."""
        path = self.facts["release"]
        return None if path is None else self._path_of(path)

    @property
    def root_keys(self) -> bytes | None:
        """The public root keys for boards (root_keys.json), None if the kit has none."""
        return self._files.get("keys/root_keys.json")

    def _choose(self, table: str, name: str, what: str) -> str:
        if name not in self.facts[table]:
            raise self._unknown(what, name, sorted(self.facts[table]))
        return self.facts[table][name]

    def _unknown(self, what: str, name: str, known: list[str]) -> InputError:
        return InputError(f"{self.path} has no {what} {name!r}{did_you_mean(name, known)}")

    def _path_of(self, path: str) -> Path:
        """Return where a file of the kit lies on the disk; what comes from a zip is there as long as this object."""
        if self.path.is_dir():
            return self.path / path
        file = Path(self._unpacked.name) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self._files[path])
        return file

    @cached_property
    def _unpacked(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="leezenflow-kit-")


def _read_checked(store: Store, sizes: dict[str, int], facts: dict[str, Any], name: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path, size, digest in facts["files"]:
        if path not in sizes:
            raise damage(name, path, "is missing")
        if sizes[path] != size:
            raise damage(name, path, "is damaged: it has another length")
        content = files[path] = store.read(path)
        if sha256(content) != digest:
            raise damage(name, path, "is damaged: its SHA-256 is another")
    for path in sizes:
        if path not in files and path != MANIFEST:
            raise damage(name, path, "does not belong to the kit; delete it")
    return files
