# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages what one board needs for one site, and nothing else: the exact tree of files on the device."""

import ast
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import leezenflow
from leezenflow.source_url import parse_source
from leezenflow_host.board_config import BoardConfig
from leezenflow_host.boards.identity import OLDEST_MICROPYTHON
from leezenflow_host.drivers import adapter_runtimes, driver_file, driver_names, package_folder, read_literals
from leezenflow_host.errors import InputError
from leezenflow_host.mpy import Compiler, compiler_for_chip
from leezenflow_host.public_names import choose_names, replace_public_names
from leezenflow_host.secrets_file import secret_files
from leezenflow_host.self_test_message import STORED_MESSAGE, stored_message
from leezenflow_host.short_names import shorten_names
from leezenflow_host.shrink import shrink
from leezenflow_host.site_config import SiteConfig
from leezenflow_host.syntax import parse_module

PACKAGES = ("leezenflow", "leezenflow_adapters", "leezenflow_device")
SLOT = "/a"
MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
PRODUCT = "leezenflow"
ROOT_KEYS = "/root_keys.json"
# What an option of [device] loads.
_OPTION_MODULES = (("time_server", "timekeeping"),)
# Always there: what a unit shows when it must show nothing, and what a technician looks at first.
_LOOKS = ("dark", "test_pattern")
# The loader takes a slot for a release when this module is in it; installers put it there last.
RELEASE_MODULE = "leezenflow_device/main"


class Image:
    """The files of one board: `files` maps absolute device paths to contents, in the order of the tree."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    @property
    def release_file(self) -> str:
        """Path of the file by which the loader knows that the slot holds a whole release."""
        return next(path for path in self.files if path.rpartition(".")[0] == f"{SLOT}/{RELEASE_MODULE}")

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(map(len, self.files.values()))

    def write_to(self, folder: Path) -> None:
        """Write the tree into an empty folder or over an earlier one; InputError for a folder with other things."""
        earlier = folder / SLOT[1:] / "manifest.json"
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file; name a folder for the device tree.")
        if folder.is_dir() and any(folder.iterdir()) and not earlier.is_file():
            raise InputError(f"{folder} holds other things; name a new or empty folder for the device tree.")
        wanted = {folder / path[1:] for path in self.files}
        for stale in sorted((folder / SLOT[1:]).rglob("*"), reverse=True) if folder.is_dir() else ():
            if stale.is_dir():
                if not any(stale.iterdir()):
                    stale.rmdir()
            elif stale not in wanted:
                stale.unlink()
        for name in ("site.json", "secrets.json", "root_keys.json"):
            if f"/{name}" not in self.files:
                (folder / name).unlink(missing_ok=True)
        for path, content in self.files.items():
            file = folder / path[1:]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def build_image(
    board: BoardConfig,
    site: SiteConfig | None,
    *,
    compiler: Compiler | Literal["chip"] | None = "chip",
    secrets: bytes | None = None,
    root_keys: bytes | None = None,
) -> Image:
    """Stage `board` for `site` (None: firmware and board alone, which shows /picture.bin or stays dark).

    With a `compiler` the modules are .mpy, with None .py; "chip" compiles for the board's chip if mpy-cross is there:
    a board that compiles all of it itself may not find room for a message afterwards. `secrets` is the content of
    a secrets file (see `secrets_file`), `root_keys` that of a file of public root keys (see `signing`). InputError
    where the site lacks what a board needs, or names what does not run on boards.
    """
    board.require_device()
    if site is not None:
        site.require_device()
    if compiler == "chip":
        compiler = compiler_for_chip(board.chip)
    files: dict[str, bytes] = {
        "/boot.py": _render_boot(board),
        "/main.py": (package_folder("leezenflow_device") / "loader.py").read_bytes(),
    }
    message = None if site is None else stored_message(site.values["signal"]["adapter"])
    for path, content in stage_release(board, _roots(board, site), compiler, message).items():
        files[f"{SLOT}/{path}"] = content
    files["/board.json"] = _encode(board.values)
    if site is not None:
        files["/site.json"] = _encode(site.values)
    if secrets is not None:
        files.update(secret_files(secrets))
    if root_keys is not None:
        files[ROOT_KEYS] = root_keys
    return Image(files)


def stage_release(
    board: BoardConfig,
    roots: Iterable[str],
    compiler: Compiler | None,
    message: bytes | None = None,
    number: int | None = None,
) -> dict[str, bytes]:
    """Return the files of a slot by their path in it, the manifest last: `roots` and all that they import.

    `message` is the stored message for the self-test, `number` counts releases (default: from the version).
    """
    release: dict[str, bytes] = {}
    sources = {module: module_text(module) for module in sorted(_closure(roots))}
    if compiler is not None:
        sources = replace_public_names(shorten_names(shrink(sources)))
    for module, text in sources.items():
        file = module_file(module)
        assert file is not None
        path = file.relative_to(package_folder(module.split(".")[0]).parent).as_posix()
        content = text.encode()
        if compiler is not None:
            content, path = compiler.compile(content, module), f"{path[:-3]}.mpy"
        release[path] = content
    if message is not None:
        release[STORED_MESSAGE] = message
    release = {path: release[path] for path in sorted(release)}
    release[MANIFEST] = _encode(_manifest(board, release, compiler, release_number() if number is None else number))
    return release


def installed_names(board: BoardConfig, site: SiteConfig) -> dict[str, str]:
    """Return what the names in an image's sources are called on the board, for programs that are run beside it.

    (For `short_names.replace_names`. Private names are not in it.)
    """
    return choose_names(
        shorten_names(shrink({module: module_text(module) for module in _closure(_roots(board, site))}))
    )


def fleet_roots(board: BoardConfig, sites: Iterable[SiteConfig]) -> list[str]:
    """Return what a release for all of `sites` needs; without any, what any site of this board may name."""
    sites = list(sites)
    if sites:
        return sorted({root for site in sites for root in _roots(board, site)})
    roots = _roots(board, None)
    adapters = (name for name in driver_names("adapter") if "device" in adapter_runtimes(name))
    roots += [f"leezenflow_adapters.{name}" for name in adapters]
    roots += [f"leezenflow.renderings.{name}" for name in driver_names("look")]
    roots += [f"leezenflow_device.transports.{name}" for name in (*driver_names("transport"), "failover")]
    return [*roots, "leezenflow_device.light", "leezenflow.sun"]


def release_number(version: str = leezenflow.__version__) -> int:
    """Return the number of the release that a version is: 10203 for 1.2.3."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    if found is None:
        raise InputError(f"The version {version!r} is none like 1.2.3; name the release by a number.")
    major, minor, patch = (int(part or 0) for part in found.groups())
    return (major * 100 + minor) * 100 + patch


def module_file(module: str) -> Path | None:
    """Return the source file of one of our modules or packages, None where there is none."""
    package, *inner = module.split(".")
    path = package_folder(package).joinpath(*inner)
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    file = path.with_name(f"{path.name}.py")
    return file if inner and file.is_file() else None


def _roots(board: BoardConfig, site: SiteConfig | None) -> list[str]:
    """What is named in configurations, and the entry: nothing of it is imported by name."""
    roots = [RELEASE_MODULE.replace("/", "."), f"leezenflow_device.displays.{board.driver}"]
    roots += ["leezenflow_device.self_test", "leezenflow_device.updating.trial"]
    roots += [f"leezenflow.renderings.{look}" for look in _LOOKS]
    if board.values["network"] is not None:
        roots.append(f"leezenflow_device.networks.{board.values['network']['kind']}")
    if board.values.get("setup"):
        roots.append("leezenflow_device.setup_button")
    roots += [f"leezenflow_device.verbs.{name}" for name in _verbs()]
    roots.append("leezenflow_device.safe_mode")
    if board.values.get("sensors"):
        roots.append("leezenflow_device.sensing")
        roots += [f"leezenflow_device.sensors.{name}" for name in board.values["sensors"]]
    roots += [f"leezenflow_device.{name}" for option, name in _OPTION_MODULES if board.values["device"].get(option)]
    roots += _light_roots(board, site)
    if site is not None:
        signal = site.values["signal"]
        look = site.values["look"]["name"]
        roots.append(f"leezenflow.renderings.{look}")
        if look == "status":
            roots.append("leezenflow_device.status_lines")
        if signal["adapter"] is not None:
            roots.append(f"leezenflow_adapters.{signal['adapter']}")
        if signal["source"] is not None:
            sources = [signal["source"], *signal.get("more_sources", ())]
            roots += [f"leezenflow_device.transports.{parse_source(source).scheme}" for source in sources]
            if len(sources) > 1:
                roots.append("leezenflow_device.transports.failover")
    return roots


def _verbs() -> list[str]:
    """The commands that a running unit can be given; each is loaded when it comes."""
    folder = package_folder("leezenflow_device") / "verbs"
    return sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


def _light_roots(board: BoardConfig, site: SiteConfig | None) -> list[str]:
    """What sets the brightness, where a sensor or a site asks for it; loaded by name, so that nobody else pays."""
    sensor, light = board.values.get("light"), site.values.get("light") if site is not None else None
    roots = []
    if sensor is not None or light is not None:
        roots.append("leezenflow_device.light")
    if sensor is not None:
        roots.append(f"leezenflow_device.sensors.{sensor['sensor']}")
    if light is not None and light["latitude_cdeg"] is not None:
        roots.append("leezenflow.sun")
    return roots


def _closure(roots: Iterable[str]) -> set[str]:
    """Return `roots` and every module of ours that they import, with the packages they live in."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module in found or module.split(".")[0] not in PACKAGES or _is_host_only(module):
            continue
        file = module_file(module)
        if file is None:
            continue
        found.add(module)
        if "." in module:
            waiting.append(module.rpartition(".")[0])
        waiting.extend(_imports(file, module))
    return found


def _is_host_only(module: str) -> bool:
    """Twins stand in for C modules of MicroPython where there are none: on CPython."""
    return module.endswith("_twin")


def _imports(file: Path, module: str) -> Iterable[str]:
    for node in ast.walk(parse_module(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + (file.name == "__init__.py")]
                base = ".".join([*kept, *([base] if base else [])])
            yield base
            # "from package import name": the name may be a module or something inside the package.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _manifest(board: BoardConfig, release: dict[str, bytes], compiler: Compiler | None, number: int) -> dict[str, Any]:
    return {
        "leezenflow_release": MANIFEST_FORMAT,
        "product": PRODUCT,
        "board": board.name,
        "release": number,
        "version": leezenflow.__version__,
        "min_micropython": list(OLDEST_MICROPYTHON),
        "mpy": None if compiler is None else compiler.abi_number,
        "files": [[path, len(release[path]), hashlib.sha256(release[path]).hexdigest()] for path in sorted(release)],
    }


def _render_boot(board: BoardConfig) -> bytes:
    """Return boot.py with this board's pins: it must not depend on any other file."""
    text = module_text("leezenflow_device.boot")
    display = board.values["display"]
    declared = read_literals(driver_file("display", board.driver), "DARK", "DARK_STRANDS")
    pins = tuple((display[option], level) for option, level in declared.get("DARK", ()))
    # One LED may show several pixels; a few zeros too many do no harm.
    leds = display["width"] * display["height"] // display.get("divide", 1) ** 2
    frame_bytes = leds * len(display.get("colour_order", "GRB"))
    # Strands side by side share the LEDs, on as many pins in a row.
    lanes = display.get("lanes", 1)
    strands = tuple(
        (display[option] + lane, frame_bytes // lanes)
        for option in declared.get("DARK_STRANDS", ())
        for lane in range(lanes)
    )
    for name, value in (("DARK_PINS", pins), ("DARK_STRANDS", strands)):
        old = f"\n{name} = ()\n"
        if text.count(old) != 1:
            raise InputError(f"leezenflow_device/boot.py must hold the line {old.strip()!r} once; it was changed.")
        text = text.replace(old, f"\n{name} = {value!r}\n")
    return text.encode()


def module_text(module: str) -> str:
    """Return the source text of one of our modules."""
    file = module_file(module)
    if file is None:
        raise InputError(f"The module {module} is missing; install Leezenflow again.")
    return file.read_text(encoding="utf-8")


def _encode(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
