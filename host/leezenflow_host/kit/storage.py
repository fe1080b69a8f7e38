# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kits on a disk: a folder, or one zip file; written whole or not at all, the same bytes for the same content."""

import contextlib
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from leezenflow_host.errors import InputError
from leezenflow_host.kit.manifest import MANIFEST

SECRETS = "secrets/"
_OPEN, _CLOSED = 0o644, 0o600
_NO_TIME = (1980, 1, 1, 0, 0, 0)
# No file of a kit is near this; a zip that claims more is not ours.
MAX_FILE_BYTES = 256 << 20


class Store(Protocol):
    """Where a kit's files are."""

    def sizes(self) -> dict[str, int]:
        """Return the size of every file, by its path in the kit."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of a file; InputError that names it when it cannot be read."""
        ...


def open_store(kit: Path) -> Store:
    """Return the store for a kit's path; InputError if there is nothing of the kind."""
    if kit.is_dir():
        return FolderStore(kit)
    if not kit.exists():
        raise InputError(f"{kit}: there is no such kit. Build one: leezenflow kit build --out {kit} --board BOARD")
    return ZipStore(kit)


class FolderStore:
    """A kit in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sizes(self) -> dict[str, int]:
        """See `Store`; links are no files of a kit."""
        found: dict[str, int] = {}
        for file in sorted(self._folder.rglob("*")):
            mode = file.lstat().st_mode
            if stat.S_ISDIR(mode):
                continue
            path = file.relative_to(self._folder).as_posix()
            found[path] = file.lstat().st_size if stat.S_ISREG(mode) else -1
        return found

    def read(self, path: str) -> bytes:
        """See `Store`."""
        try:
            return (self._folder / path).read_bytes()
        except OSError as error:
            raise InputError(f"{self._folder}: {path} cannot be read ({error.strerror}).") from None


class ZipStore:
    """A kit in a zip file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise InputError(f"{file} is no kit: {error}. Copy it once more, or build it again.") from None

    def sizes(self) -> dict[str, int]:
        """See `Store`; a name that is there twice counts as damage."""
        found: dict[str, int] = {}
        for entry in self._zip.infolist():
            if not entry.is_dir():
                found[entry.filename] = -1 if entry.filename in found else entry.file_size
        return found

    def read(self, path: str) -> bytes:
        """See `Store`."""
        try:
            if self._zip.getinfo(path).file_size > MAX_FILE_BYTES:
                raise InputError(f"{self._file}: {path} is longer than any file of a kit.")
            return self._zip.read(path)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, zlib.error) as error:
            raise InputError(
                f"{self._file}: {path} is damaged ({error}). Copy the kit once more, or build it again."
            ) from None


def write_kit(target: Path, files: Mapping[str, bytes], *, replace: bool = False) -> None:
    """Write a kit (its files with kit.json) to a folder, or to a file whose name ends in .zip.

    InputError where there is something else, or a kit and not `replace`. Files in secrets/ are for their owner only,
    and so is a zip that has some.
    """
    check_target(target, replace=replace)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.suffix.lower() == ".zip":
            _write_zip(part, files)
            part.replace(target)
        else:
            _write_folder(part, files)
            _swap(part, target)
    except OSError as error:
        # The system names a file that nobody asked for, or none.
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(part) if part.is_dir() else part.unlink()


def check_target(target: Path, *, replace: bool) -> None:
    """Refuse to write a kit over anything but nothing, an empty folder, or (with `replace`) a kit."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not _is_kit(target):
        raise InputError(f"{target} holds other things; name a new file or folder for the kit.")
    if not replace:
        raise InputError(f"{target} is there already. Give --yes to replace that kit.")


def _is_kit(target: Path) -> bool:
    if target.is_dir():
        return (target / MANIFEST).is_file()
    try:
        with zipfile.ZipFile(target) as file:
            return MANIFEST in file.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def _write_zip(part: Path, files: Mapping[str, bytes]) -> None:
    closed = any(path.startswith(SECRETS) for path in files)
    with _open_new(part, _CLOSED if closed else _OPEN) as descriptor:
        with os.fdopen(descriptor, "wb", closefd=False) as raw, zipfile.ZipFile(raw, "w") as file:
            for path in sorted(files):
                entry = zipfile.ZipInfo(path, _NO_TIME)
                entry.create_system = 3  # the same bytes, wherever it is built
                entry.external_attr = (stat.S_IFREG | (_CLOSED if path.startswith(SECRETS) else _OPEN)) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                file.writestr(entry, files[path], compresslevel=9)
        os.fsync(descriptor)


def _write_folder(part: Path, files: Mapping[str, bytes]) -> None:
    for path in sorted(files):
        file = part / path
        file.parent.mkdir(parents=True, exist_ok=True)
        secret = path.startswith(SECRETS)
        if secret:
            file.parent.chmod(0o700)
        with _open_new(file, _CLOSED if secret else _OPEN) as descriptor:
            with os.fdopen(descriptor, "wb", closefd=False) as opened:
                opened.write(files[path])
            os.fsync(descriptor)


@contextlib.contextmanager
def _open_new(path: Path, mode: int) -> Iterator[int]:
    """Create a file with its mode from the first moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _swap(part: Path, target: Path) -> None:
    """Put a finished folder into its place; what was there goes only when the new one is there."""
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
