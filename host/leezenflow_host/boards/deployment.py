# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the files of a board to an image, so that a cut at any moment leaves the old unit or the new one, whole.

The release goes into the slot that does not run, changed configuration beside the old one (`<path>.next`), and then
one rename of /boot.json brings both into force. What is left to do then, the loader does as well.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from leezenflow_host.errors import BoardError
from leezenflow_host.image import MANIFEST, RELEASE_MODULE, ROOT_KEYS, SLOT, Image

SLOTS = ("a", "b")
BOOT, LOADER, CERTIFICATES = "/boot.json", "/main.py", "/certs"
# How a file is called until the board has hashed it, and until /boot.json says that it counts.
NEW, NEXT = ".new", ".next"
# What the file system needs besides: folders that grow, and blocks that are being replaced.
_SPARE_BLOCKS = 6
# LittleFS keeps shorter files in their folder: an eighth of a block.
_INLINE_BYTES = 512

# Runs on the board: /boot.json when all that it says is done, a list of files with hashes and sizes, and a rename that
# happens only for the right content.
_BOARD_CODE = f"""
import os, hashlib, binascii, json
def _lz_boot():
    try:
        with open("{BOOT}") as f:
            b = json.load(f)
    except (OSError, ValueError):
        b = None
    if not isinstance(b, dict):
        b = {{}}
    if isinstance(b.get("config"), list):
        for p in b["config"]:
            try:
                os.rename(p + "{NEXT}", p)
            except (OSError, TypeError):
                pass
        del b["config"]
        with open("{BOOT}{NEW}", "w") as f:
            json.dump(b, f)
        os.rename("{BOOT}{NEW}", "{BOOT}")
    print(repr(b))
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
            print(repr((p, _lz_hash(p), os.stat(p)[6])))
        elif deep:
            print(repr((p, None, 0)))
            _lz_list(p, deep)
def _lz_place(p, digest):
    if _lz_hash(p + "{NEW}") == digest:
        os.rename(p + "{NEW}", p)
        print(True)
    else:
        os.remove(p + "{NEW}")
        print(False)
"""

Progress = Callable[[int, int, str], None]


class Link(Protocol):
    """What is needed of a connection to a board."""

    def execute(self, code: str) -> str:
        """Run code and return what it printed."""
        ...

    def evaluate(self, code: str) -> list[Any]:
        """Run code that prints one literal a line; return them."""
        ...

    def write_file(self, path: str, content: bytes, progress: Callable[[int], None]) -> None:
        """Write a file."""
        ...


@dataclass
class Deployment:
    """What a deployment did: device paths in the order of the work."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0


@dataclass
class Present:
    """What is on a board: hashes (None: a folder) and sizes by path, what /boot.json says, and its blocks."""

    files: Mapping[str, str | None]
    boot: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    block_bytes: int = 4096
    free_blocks: int = 1_000_000

    def holds_release(self, slot: str) -> bool:
        """Whether the loader would run the release in a slot."""
        main = (f"/{slot}/{RELEASE_MODULE}.{suffix}" for suffix in ("py", "mpy"))
        return f"/{slot}/{MANIFEST}" in self.files and any(path in self.files for path in main)

    @property
    def running(self) -> str | None:
        """The proven slot that the loader would run; one on trial is not proven."""
        for slot in (self.boot.get("active"), *SLOTS):
            if slot in SLOTS and self.holds_release(slot):
                return slot
        return None


@dataclass
class Work:
    """What has to be done to a board. `release` and `configuration` map device paths to contents, in order."""

    slot: str
    stale: list[str]
    release: dict[str, bytes]
    configuration: dict[str, bytes]
    loader: bytes | None
    boot: dict[str, Any]
    before: dict[str, Any] | None
    in_place: bool = False

    @property
    def changed(self) -> list[str]:
        """Device paths that will be written, in order."""
        return [*self.configuration, *self.release, *([LOADER] if self.loader is not None else ())]


def deploy_image(link: Link, image: Image, progress: Progress | None = None) -> Deployment:
    """Bring the board's files to `image`; `progress(done, total, path)` counts bytes. BoardError says what is wrong."""
    present = _look(link)
    work = plan_deployment(image, present)
    done = Deployment(unchanged=len(image.files) - len(work.changed))
    if work.before is not None:
        _write(link, BOOT, _encode(work.before))
    for path in work.stale:
        link.execute(f"os.{'rmdir' if present.files[path] is None else 'remove'}({path!r})")
        done.removed.append(path)
    folders = {path for path, digest in present.files.items() if digest is None} - set(work.stale)
    contents = {**work.configuration, **work.release, **({LOADER: work.loader} if work.loader is not None else {})}
    total = sum(map(len, contents.values()))
    written = 0
    for path, content in contents.items():
        _make_folders(link, path, folders)
        place = path + NEXT if path in work.configuration else path
        _write(link, place, content, _count(progress, written, total, path))
        written += len(content)
        done.written.append(path)
    if work.boot != (work.before or present.boot):
        _write(link, BOOT, _encode(work.boot))
        link.execute("_lz_boot()")
    return done


def plan_deployment(image: Image, present: Present) -> Work:
    """Compare an image with what is on a board. BoardError where there is no room."""
    running = present.running
    files = _release_files(image)
    if running is not None and _holds_exactly(present, running, files):
        slot, in_place = running, False
    else:
        slot = SLOTS[0] if running is None else SLOTS[1 - SLOTS.index(running)]
        in_place = running is not None and not _has_room(image, present, slot, ())
    others: tuple[str, ...] = ()
    if in_place:
        assert running is not None
        slot, others = running, (slot,)
    if not _has_room(image, present, slot, others):
        needed = _blocks_needed(present, slot, files)
        raise BoardError(
            f"The file system of the board is too full: {needed * present.block_bytes // 1024} kB are needed, "
            f"{present.free_blocks * present.block_bytes // 1024} kB are free. "
            "Delete what does not belong to Leezenflow."
        )
    configuration = {
        path: content
        for path, content in image.files.items()
        if not path.startswith(SLOT + "/") and path != LOADER and present.files.get(path) != _sha256(content)
    }
    loader = image.files.get(LOADER)
    if loader is not None and present.files.get(LOADER) == _sha256(loader):
        loader = None
    boot = _new_boot(image, present, slot, configuration)
    before = None
    if running not in (None, slot) and (present.boot.get("active"), present.boot.get("try")) != (running, None):
        # From now on the other slot may not be what runs, whatever happens.
        before = {**present.boot, "active": running, "try": None, "left": 0}
    return Work(
        slot=slot,
        stale=_stale(image, present, slot, others),
        release=_missing(present, slot, files),
        configuration=configuration,
        loader=loader,
        boot=boot,
        before=before,
        in_place=in_place,
    )


def _look(link: Link) -> Present:
    link.execute(_BOARD_CODE)
    boot = link.evaluate("_lz_boot()")[0]
    folders = "\n".join(f"_lz_list({folder!r}, True)" for folder in ("/a", "/b", CERTIFICATES))
    entries = link.evaluate(f"_lz_list('/', False)\n{folders}")
    block, free = link.evaluate("s = os.statvfs('/')\nprint((s[0], s[3]))")[0]
    return Present(
        {path: digest for path, digest, _ in entries}, boot, {path: size for path, _, size in entries}, block, free
    )


def _release_files(image: Image) -> dict[str, bytes]:
    """The files of the image's slot by their path in it; the manifest, which makes it a release, is the last."""
    files = {path[len(SLOT) + 1 :]: content for path, content in image.files.items() if path.startswith(SLOT + "/")}
    return dict(sorted(files.items(), key=lambda item: (item[0] == MANIFEST, item[0])))


def _missing(present: Present, slot: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What of a release must be written into a slot; the manifest always, if anything."""
    missing = {
        f"/{slot}/{path}": content
        for path, content in files.items()
        if present.files.get(f"/{slot}/{path}") != _sha256(content)
    }
    if missing or any(_stale_in_slot(present, slot, files)):
        missing[f"/{slot}/{MANIFEST}"] = files[MANIFEST]
    return missing


def _holds_exactly(present: Present, slot: str, files: Mapping[str, bytes]) -> bool:
    return present.holds_release(slot) and not _missing(present, slot, files)


def _stale_in_slot(present: Present, slot: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Files and folders of a slot that are not as a release has them."""
    folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    for path, digest in present.files.items():
        if path.startswith(f"/{slot}/"):
            inner = path[len(slot) + 2 :]
            right = inner in folders if digest is None else inner in files and digest == _sha256(files[inner])
            if not right:
                yield path


def _stale(image: Image, present: Present, slot: str, others: tuple[str, ...]) -> list[str]:
    """What must go first, in order: the manifest takes a slot out of service before anything else in it changes."""
    files = _release_files(image)
    stale = set(_stale_in_slot(present, slot, files))
    if _missing(present, slot, files) and f"/{slot}/{MANIFEST}" in present.files:
        stale.add(f"/{slot}/{MANIFEST}")
    for other in others:
        stale |= {path for path in present.files if path.startswith(f"/{other}/")}
    stale |= {
        path
        for path, digest in present.files.items()
        if digest is not None and path.endswith((NEW, NEXT)) and not path.startswith(("/a/", "/b/"))
    }
    return sorted(stale, key=lambda path: (not path.endswith(f"/{MANIFEST}"), -path.count("/"), path))


def _has_room(image: Image, present: Present, slot: str, others: tuple[str, ...]) -> bool:
    files = _release_files(image)
    if not _missing(present, slot, files):
        return True
    stale = (path for path in _stale(image, present, slot, others) if present.files[path] is not None)
    freed = sum(_blocks(present.sizes.get(path, 0), present.block_bytes) for path in stale)
    return _blocks_needed(present, slot, files) + _SPARE_BLOCKS <= present.free_blocks + freed


def _blocks_needed(present: Present, slot: str, files: Mapping[str, bytes]) -> int:
    """Blocks that what is missing will take: each folder is a pair of them."""
    folders = {f"/{slot}/{path.rsplit('/', depth)[0]}" for path in files for depth in range(1, path.count("/") + 1)}
    missing = _missing(present, slot, files).values()
    return sum(_blocks(len(content), present.block_bytes) for content in missing) + 2 * len(
        folders - set(present.files)
    )


def _blocks(size: int, block_bytes: int) -> int:
    return 0 if size <= _INLINE_BYTES else size // block_bytes + 1


def _new_boot(image: Image, present: Present, slot: str, configuration: Mapping[str, bytes]) -> dict[str, Any]:
    """Return /boot.json for the time after this deployment; equal to the one that is there when nothing changes."""
    manifest = image.files[f"{SLOT}/{MANIFEST}"]
    boot = {"active": None, "try": None, "left": 0, "floor": 0, "bad": [], "keys": 0, **present.boot}
    boot |= {"active": slot, "try": None, "left": 0}
    boot["floor"] = max(_count_of(boot["floor"]), _count_of(json.loads(manifest).get("release")))
    bad = boot["bad"] if isinstance(boot["bad"], list) else []
    boot["bad"] = [digest for digest in bad if digest != _sha256(manifest)]
    if ROOT_KEYS in configuration:
        # Other roots count their lists anew.
        boot["keys"] = 0
    if configuration:
        boot["config"] = list(configuration)
    return boot


def _count_of(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _make_folders(link: Link, path: str, present: set[str]) -> None:
    parts = path.split("/")[1:-1]
    for depth in range(1, len(parts) + 1):
        folder = "/" + "/".join(parts[:depth])
        if folder not in present:
            # /a itself is not in a list of its content.
            link.execute(f"try:\n os.stat({folder!r})\nexcept OSError:\n os.mkdir({folder!r})")
            present.add(folder)


def _count(progress: Progress | None, before: int, total: int, path: str) -> Callable[[int], None]:
    return lambda count: progress(before + count, total, path) if progress else None


def _write(link: Link, path: str, content: bytes, progress: Callable[[int], None] = lambda count: None) -> None:
    for _ in range(2):
        link.write_file(path + NEW, content, progress)
        if link.evaluate(f"_lz_place({path!r}, {_sha256(content)!r})") == [True]:
            return
    raise BoardError(f"{path} arrived damaged twice. Use another cable or another USB port, and repeat the command.")


def _encode(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
