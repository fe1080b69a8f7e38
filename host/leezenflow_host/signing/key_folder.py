# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder with a city's keys: made once, and rotated when a release key is lost, stolen, or somebody leaves."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from leezenflow_host.errors import InputError
from leezenflow_host.signing.key_lists import (
    MOST_KEYS,
    KeyList,
    PublicKey,
    read_key_list,
    read_root_keys,
    write_root_keys,
)
from leezenflow_host.signing.signing_key import SigningKey, is_signed, load_key

ROOT_KEYS, KEYS, KEYS_SIGNATURE = "root_keys.json", "keys.json", "keys.json.sig"
ROOTS = 2


@dataclass
class NewKeys:
    """Files that are about to be written into a folder: contents by name, and which of them are secret."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)

    def add(self, name: str, content: bytes, *, secret: bool = False) -> None:
        """Note a file."""
        self.files[name] = content
        if secret:
            self.secret.add(name)

    def write(self) -> None:
        """Write all files, the secret ones readable by their owner alone; a public one appears whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Secret keys first: a list must never name a key that nobody has.
        for name in sorted(self.files, key=lambda name: (name not in self.secret, name)):
            part = self.folder / f".{name}.{os.getpid()}.part"
            mode = 0o600 if name in self.secret else 0o644
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                    file.write(self.files[name])
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.folder / name)
            finally:
                part.unlink(missing_ok=True)


def make_keys(folder: Path, password: str | None = None) -> NewKeys:
    """Return two new roots, a release key, and the public files about them; InputError where `folder` has keys."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the keys.")
    present = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
    if any(name.endswith(".pem") or name in (ROOT_KEYS, KEYS) for name in present):
        raise InputError(
            f"{folder} has keys already ({', '.join(present[:4])}); units trust those. For another release key: "
            "leezenflow keys rotate."
        )
    roots = [SigningKey.generate() for _ in range(ROOTS)]
    release = SigningKey.generate()
    new = NewKeys(folder)
    for number, root in enumerate(roots, 1):
        new.add(f"root-{number}.pem", root.pem(password), secret=True)
    new.add("release-1.pem", release.pem(password), secret=True)
    new.add(ROOT_KEYS, write_root_keys([PublicKey(root.modulus) for root in roots]).encode())
    _add_list(new, KeyList(1, (PublicKey(release.modulus),)), roots[0])
    return new


class KeyFolder:
    """The public files of a folder of keys, checked. InputError names the file that is missing or wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _, self.roots = read_root_keys(folder / ROOT_KEYS)
        self.keys_text = _read(folder / KEYS)
        self.keys_signature = _read(folder / KEYS_SIGNATURE)
        self.keys = read_key_list(self.keys_text, str(folder / KEYS))
        if not is_signed(self.keys_text, self.keys_signature, [root.modulus for root in self.roots]):
            raise InputError(
                f"{folder / KEYS_SIGNATURE} is not the signature of {KEYS} by a key in {ROOT_KEYS}: one of the three "
                "files was changed. Take all three from the same backup, or sign again: leezenflow keys sign."
            )

    def rotate(self, root_file: Path | None, *, keep: bool = False, password: str | None = None) -> NewKeys:
        """Return a new release key and the list that names it, version + 1; with `keep` the keys so far count, too."""
        root = load_key(root_file or self._find_root())
        if root.modulus not in [known.modulus for known in self.roots]:
            raise InputError(f"{root_file} is no root key of {self.folder / ROOT_KEYS}: units would refuse its list.")
        release = SigningKey.generate()
        numbers = [int(found[1]) for path in self.folder.glob("release-*.pem") if (found := _number(path.name))]
        new = NewKeys(self.folder)
        new.add(f"release-{max([0, self.keys.version, *numbers]) + 1}.pem", release.pem(password), secret=True)
        keys = (PublicKey(release.modulus), *(self.keys.keys if keep else ()))
        if len(keys) > MOST_KEYS:
            raise InputError(f"Units take a list of at most {MOST_KEYS} release keys: rotate without --keep.")
        _add_list(new, KeyList(self.keys.version + 1, keys), root)
        return new

    def require_listed(self, key: SigningKey, file: Path) -> None:
        """InputError unless `key` is one of the release keys that count."""
        if key.modulus not in [listed.modulus for listed in self.keys.keys]:
            listed = ", ".join(listed.key_id for listed in self.keys.keys)
            raise InputError(
                f"{file} is the key {key.key_id}, but {self.folder / KEYS} lists {listed}: units would refuse what it "
                "signs. Sign with a key that is listed."
            )

    def _find_root(self) -> Path:
        present = sorted(self.folder.glob("root-*.pem"))
        if not present:
            raise InputError(f"{self.folder} holds no root key (they are kept elsewhere); name it with --root.")
        return present[0]


def _add_list(new: NewKeys, keys: KeyList, root: SigningKey) -> None:
    text = keys.text().encode()
    new.add(KEYS, text)
    new.add(KEYS_SIGNATURE, root.sign(text))


def _number(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"release-(\d{1,6})\.pem", name)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; `leezenflow keys new --out DIR` makes it.") from None
