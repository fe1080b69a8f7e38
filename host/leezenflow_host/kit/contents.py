# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into a kit: checked while it is gathered, so that nothing is missing when there is no internet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import leezenflow
from leezenflow_host.board_config import BoardConfig
from leezenflow_host.errors import InputError
from leezenflow_host.flashing.interpreter_image import InterpreterImage, check_image, find_image
from leezenflow_host.image import Image, build_image
from leezenflow_host.kit.manifest import MANIFEST, encode_manifest, is_safe
from leezenflow_host.secrets_file import read_secrets
from leezenflow_host.signing.key_folder import KEYS, KEYS_SIGNATURE, ROOT_KEYS
from leezenflow_host.site_config import SiteConfig, read_site

_PRIVATE = b"PRIVATE KEY"
# Other json files of a folder may be anything, a unit's secrets among it.
_PUBLIC_KEYS = (ROOT_KEYS, KEYS, KEYS_SIGNATURE)
_KEY_ENDINGS = (".pub", ".pem")
_READ_ME = """\
Leezenflow kit
==============

Everything for bringing units into service without internet. With Leezenflow on the laptop:

    leezenflow kit check KIT          is it whole?
    leezenflow kit show KIT           what is in it?
    leezenflow flash --kit KIT --board BOARD --site SITE --port PORT

KIT is this folder, or the zip file it came from. Leezenflow itself, if the folder `tool` is here:

    python3 -m pip install --no-index --find-links tool leezenflow
"""


@dataclass
class KitPlan:
    """A kit that is not written yet: `files` (kit path: content, kit.json among them) and `remarks` in sentences."""

    files: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(map(len, self.files.values()))


def plan_kit(
    boards: Sequence[BoardConfig],
    *,
    sites: Sequence[Path] = (),
    interpreters: Sequence[Path] = (),
    secrets: Mapping[str, Path] | None = None,
    keys: Path | None = None,
    release: Path | None = None,
    wheels: Path | None = None,
    allow_unpinned: bool = False,
) -> KitPlan:
    """Gather a kit; InputError for anything that would not work at the junction.

    `secrets` maps names of units to their secrets files, `keys` is the folder of `leezenflow keys` (private keys stay
    out), `release` a signed update file, `wheels` a folder of Python packages for installing Leezenflow itself.
    """
    plan = KitPlan({"README.txt": _READ_ME.encode()})
    facts: dict[str, Any] = {"tool_version": leezenflow.__version__}
    facts["boards"] = {board.name: _add(plan, f"boards/{board.name}.toml", board.file) for board in boards}
    checked = _read_sites(sites)
    facts["sites"] = {
        stem: {"file": _add(plan, f"sites/{stem}.toml", file), "unit": site.values["unit"]["name"]}
        for stem, (file, site) in checked.items()
    }
    facts["interpreters"] = _add_interpreters(plan, boards, interpreters, allow_unpinned)
    facts["secrets"] = _add_secrets(plan, secrets or {})
    if keys is not None:
        _add_keys(plan, keys)
    facts["release"] = None if release is None else _add_release(plan, release)
    if wheels is not None:
        _add_wheels(plan, wheels)
    # Last, because it takes longest.
    facts["devices"] = _add_devices(plan, boards, {stem: site for stem, (_, site) in checked.items()})
    plan.files[MANIFEST] = encode_manifest(facts, plan.files)
    return plan


def _add(plan: KitPlan, path: str, file: Path) -> str:
    """Put a file into the kit and return its path there."""
    if not is_safe(path):
        raise InputError(f"{file}: a kit cannot hold a file of that name; use letters, digits, . _ and -.")
    try:
        plan.files[path] = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from None
    return path


def _read_sites(files: Sequence[Path]) -> dict[str, tuple[Path, SiteConfig]]:
    """Check all sites; two must not go by the same name."""
    sites: dict[str, tuple[Path, SiteConfig]] = {}
    problems: list[str] = []
    units: dict[str, Path] = {}
    for file in files:
        try:
            site = read_site(file)
            site.require_device()
        except InputError as error:
            problems.append(str(error))
            continue
        unit = site.values["unit"]["name"]
        if file.stem in sites:
            problems.append(f"{file}: there is another site file of that name; rename one of them.")
        elif unit and unit in units:
            problems.append(f"{file}: [unit] name is {unit!r}, as in {units[unit]}; give each unit a name of its own.")
        else:
            sites[file.stem] = (file, site)
            units[unit] = file
    if problems:
        raise InputError("\n".join(problems))
    return sites


def _add_interpreters(
    plan: KitPlan, boards: Sequence[BoardConfig], files: Sequence[Path], allow_unpinned: bool
) -> dict[str, Any]:
    """Find the image of each board among the files, else in the cache; every file given must be for one of them."""
    wanted = [board for board in boards if board.interpreter is not None]
    found: dict[str, InterpreterImage] = {}
    for file in files:
        _give_out(file, wanted, found, allow_unpinned)
    entries: dict[str, Any] = {}
    for board in wanted:
        try:
            image = found.get(board.name) or find_image(board, allow_unpinned=allow_unpinned)
        except InputError as error:
            plan.remarks.append(f"No image of MicroPython for {board.name}, so its boards must have it. {error}")
            continue
        path = f"interpreters/{image.path.name}"
        if plan.files.get(path, image.content) != image.content:
            raise InputError(f"{image.path}: another image of that name is in the kit already; rename one of them.")
        plan.files[path] = image.content
        entries[board.name] = {"file": path, "pinned": image.pinned}
        if not image.pinned:
            plan.remarks.append(f"{image.path.name} is not pinned for {board.name}: nobody vouches for it but you.")
    return entries


def _give_out(
    file: Path, boards: Sequence[BoardConfig], found: dict[str, InterpreterImage], allow_unpinned: bool
) -> None:
    """Note for which boards an image is; InputError if for none."""
    faults: list[str] = []
    given = False
    for board in boards:
        try:
            found[board.name] = check_image(board, file, allow_unpinned=allow_unpinned)
            given = True
        except InputError as error:
            faults.append(str(error))
    if not given:
        raise InputError("\n".join(faults) or f"{file}: no board of this kit gets an interpreter; leave it out.")


def _add_devices(plan: KitPlan, boards: Sequence[BoardConfig], sites: Mapping[str, SiteConfig]) -> dict[str, list[str]]:
    """Stage the exact files of each board for each site (or for none), as `install --stage` does."""
    order: dict[str, list[str]] = {}
    stages: dict[str, SiteConfig | None] = dict(sites) or {"no-site": None}
    for board in boards:
        for stem, site in stages.items():
            image: Image = build_image(board, site)
            folder = f"devices/{board.name}--{stem}"
            order[folder] = list(image.files)
            plan.files.update({folder + path: content for path, content in image.files.items()})
    return order


def _add_secrets(plan: KitPlan, files: Mapping[str, Path]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for unit, file in files.items():
        read_secrets(file)
        entries[unit] = _add(plan, f"secrets/{unit}.json", file)
    if entries:
        plan.remarks.append(
            f"This kit holds the secrets of {len(entries)} unit{'s' if len(entries) > 1 else ''}. Whoever has it can "
            "join your network: keep it like a key, and delete it when the work is done."
        )
    return entries


def _add_keys(plan: KitPlan, folder: Path) -> None:
    """Take the public keys; what can sign does not leave the city's safe."""
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name the one that leezenflow keys made.")
    taken, private = 0, 0
    for file in sorted(folder.iterdir()):
        if not file.is_file() or (file.name not in _PUBLIC_KEYS and file.suffix not in _KEY_ENDINGS):
            continue
        if _PRIVATE in file.read_bytes():
            private += 1
        else:
            _add(plan, f"keys/{file.name}", file)
            taken += 1
    if not taken:
        raise InputError(f"{folder}: there is no public key in it; name the folder that leezenflow keys made.")
    if private:
        plan.remarks.append(f"{private} private key{'s' if private > 1 else ''} in {folder} stayed there.")


def _add_release(plan: KitPlan, file: Path) -> str:
    """Take a signed update file that is whole."""
    from leezenflow_host.release import open_release

    open_release(file)
    return _add(plan, f"release/{file.name}", file)


def _add_wheels(plan: KitPlan, folder: Path) -> None:
    wheels = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if not any(wheel.name.startswith("leezenflow-") for wheel in wheels):
        raise InputError(
            f"{folder}: there is no wheel of Leezenflow in it. Make them: pip wheel leezenflow -w {folder}"
        )
    for wheel in wheels:
        _add(plan, f"tool/{wheel.name}", wheel)
