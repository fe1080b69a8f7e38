# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a board is to become: the same for all boards of one command, but for their names."""

import copy
import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from leezenflow_host.board_config import BoardConfig
from leezenflow_host.boards.identity import BoardIdentity
from leezenflow_host.commissioning.words import Language
from leezenflow_host.flashing.installation import choose_compiler
from leezenflow_host.flashing.interpreter_image import InterpreterImage, find_image
from leezenflow_host.image import MANIFEST, SLOT, Image, build_image
from leezenflow_host.kit import Kit
from leezenflow_host.mpy import Compiler
from leezenflow_host.secrets_file import secret_files
from leezenflow_host.site_config import SiteConfig


@dataclass
class Job:
    """Board, site (None: each board keeps its own), and where everything else comes from.

    `unit` names the unit otherwise than its site does, `mpy` chooses compiled modules or sources (None: compiled where
    possible), `replace` allows another program to be replaced, `secrets` is the content of a secrets file (None: that
    of the kit, or what the board has), `root_keys` that of a file of public root keys. Reports go to `out`, in
    `language`.
    """

    board: BoardConfig
    site: SiteConfig | None = None
    out: Path = field(default_factory=Path)
    unit: str | None = None
    secrets: bytes | None = None
    root_keys: bytes | None = None
    interpreter: Path | None = None
    allow_unpinned: bool = False
    kit: Kit | None = None
    kit_site: str | None = None
    mpy: bool | None = None
    replace: bool = False
    operator: str | None = None
    language: Language = "en"
    _names: dict[str, str] = field(default_factory=dict, repr=False)
    _images: dict[str, Image] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def interpreter_image(self) -> InterpreterImage:
        """Return the checked image of MicroPython for this board; InputError says where to get one."""
        with self._lock:
            # What a kit holds was looked at when the kit was made, and the kit is whole.
            from_kit = self.interpreter is None and self.kit is not None
            allowed = self.allow_unpinned or from_kit
            return find_image(self.board, self.interpreter, self.kit, allow_unpinned=allowed)

    def image(self, site: SiteConfig | None, unit: str, identity: BoardIdentity | None = None) -> Image:
        """Return the device's files of a unit, compiled for the interpreter of its board (None: for the chip)."""
        compiler = choose_compiler(self.mpy, self.board, identity)
        # Only one thread builds, and once for all units: they differ only in what comes below.
        with self._lock:
            key = _key_of(site, compiler)
            if key not in self._images:
                self._images[key] = self._stage(site, compiler, identity)
            files = dict(self._images[key].files)
        if site is not None:
            files["/site.json"] = encode_json(site.values)
        secrets = self.secrets
        if secrets is None and self.kit is not None:
            # A unit that got a name of its own shares what the kit has for its site.
            own = "" if self.site is None else self.site.values["unit"]["name"]
            secrets = self.kit.secrets(unit) or self.kit.secrets(own)
        if secrets is not None:
            files.update(secret_files(secrets))
        return Image(files)

    def _stage(self, site: SiteConfig | None, compiler: Compiler | None, identity: BoardIdentity | None) -> Image:
        ready = None
        # A site that the board keeps is none of the kit's.
        if self.kit is not None and self.mpy is None and (site is None or self.site is not None):
            ready = self.kit.image(self.board, self.kit_site)
        if ready is not None and _runs_on(ready, identity):
            return ready
        root_keys = self.root_keys
        if root_keys is None and self.kit is not None:
            root_keys = self.kit.root_keys
        return build_image(self.board, site, compiler=compiler, root_keys=root_keys)

    def claim(self, unit: str, chip_id: str) -> bool:
        """Take a name for a board; False if another board of this job has it."""
        with self._lock:
            return self._names.setdefault(unit, chip_id) == chip_id

    def named(self, site: SiteConfig | None, unit: str) -> SiteConfig | None:
        """Return `site` under the name of a unit."""
        if site is None or site.values["unit"]["name"] == unit:
            return site
        values = copy.deepcopy(site.values)
        values["unit"]["name"] = unit
        return SiteConfig(site.name, values)

    def digest(self) -> str:
        """Return what tells this job from another one, in hex: the same command on the same files gives the same."""
        parts = [self.board.values, None if self.site is None else self.site.values, self.unit, self.mpy]
        whole = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
        for content in (self.secrets, self.root_keys):
            whole.update(hashlib.sha256(content or b"").digest())
        return whole.hexdigest()[:16]


def encode_json(values: object) -> bytes:
    """Return json as images hold it."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _runs_on(image: Image, identity: BoardIdentity | None) -> bool:
    """Whether the modules of a staged image are for the interpreter of a board."""
    mpy = json.loads(image.files[f"{SLOT}/{MANIFEST}"]).get("mpy")
    return mpy is None or identity is None or mpy == identity.mpy


def _key_of(site: SiteConfig | None, compiler: Compiler | None) -> str:
    values = None if site is None else {**site.values, "unit": None}
    return json.dumps([values, None if compiler is None else [compiler.architecture, compiler.version]], sort_keys=True)
