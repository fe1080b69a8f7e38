# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boards: one TOML file a physical build, checked here, compiled to /board.json for the device."""

import copy
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

import leezenflow_host
from leezenflow.board import BOARD_FORMAT, Board
from leezenflow.errors import LeezenflowError
from leezenflow.pixel_map import OPTIONS as PIXEL_MAP_OPTIONS
from leezenflow.pixel_map import PixelMap
from leezenflow_host.drivers import Options, driver_file, driver_names, driver_options, package_folder, read_literals
from leezenflow_host.errors import InputError
from leezenflow_host.problems import Problems, Table, check_options, check_tables, did_you_mean, read_toml

# Files of the device that declare what may stand in [device].
_DEVICE_MODULES = ("app", "health", "ticks")
# A unit with this for a chip is a computer that drives its panel itself.
LINUX = "linux"
# What an interpreter's image is called, on chips that get one from us.
_IMAGE_SUFFIX = {"RP2040": ".uf2", "RP2350": ".uf2", "ESP32": ".bin", "ESP32S3": ".bin"}
_PIXEL_MAP_IMPORT = r"^\s*from leezenflow(\.pixel_map import| import pixel_map)\b"
_LINUX_DEVICE_OPTIONS = ("fps",)


class BoardTable(Table):
    """What the build is."""

    title: str = Field(min_length=1, max_length=80, description="what it is, in up to 80 characters")
    chip: Literal["RP2040", "RP2350", "ESP32", "ESP32S3", "virtual", "linux"] = Field(
        description='the chip: "RP2040", "RP2350", "ESP32", "ESP32S3", "virtual", or "linux" for a Linux unit'
    )
    micropython: list[str] | None = Field(
        None, min_length=1, description='the names of the MicroPython builds that fit, such as ["RPI_PICO"]'
    )


class VirtualTable(Table):
    """The size of a virtual board."""

    heap_kb: int = Field(default=320, ge=64, le=4096, description="the heap in kB, 64 to 4096")
    flash_kb: int = Field(default=848, ge=128, le=16384, description="the file system in kB, 128 to 16384")


class InterpreterTable(Table):
    """Which image of MicroPython `flash` and kits may install; an empty list of hashes: none was pinned yet."""

    file: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.*?\[\]-]*\.(uf2|bin)$",
        description='the name of the image with * for what changes, such as "RPI_PICO_W-*.uf2" (.bin on an ESP32)',
    )
    versions: list[Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")]] = Field(
        [], description='the versions of MicroPython whose images are pinned, such as ["1.28.0"]'
    )
    sha256: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        [], description="the SHA-256 of each pinned image, 64 small hex digits each; [] while none is pinned"
    )


class SourceTable(Table):
    """Where the numbers come from; any further keys hold text."""

    model_config = ConfigDict(extra="allow")

    verified: Literal["hardware", "emulation", "none"] = Field(
        description='how this build was tried: "hardware", "emulation" or "none"'
    )


class BoardTables(Table):
    """A whole board file; [display], [light] and [device] are checked against what drivers and device declare."""

    board: BoardTable = Field(description="a table [board]")
    display: dict[str, Any] = Field(description="a table [display]")
    network: dict[str, Any] | None = Field(None, description="a table [network]")
    setup: dict[str, Any] | None = Field(None, description="a table [setup]")
    light: dict[str, Any] | None = Field(None, description="a table [light]")
    sensors: dict[str, Any] | None = Field(None, description="tables [sensors.<name>]")
    device: dict[str, Any] = Field({}, description="a table [device]")
    virtual: VirtualTable | None = Field(None, description="a table [virtual]")
    interpreter: InterpreterTable | None = Field(None, description="a table [interpreter]")
    source: SourceTable = Field(description='a table [source] with verified = "hardware", "emulation" or "none"')


class BoardConfig:
    """A checked board: `values` is what goes into /board.json.

    `micropython` lists the interpreter builds that fit (none for a Linux unit), `source` says where the numbers come
    from, `virtual` is the size of a virtual board (None for real ones), `interpreter` says which images may be
    installed (None where none is installed), `file` where all this was read.
    """

    def __init__(self, file: Path, values: dict[str, Any], tables: BoardTables) -> None:
        self.file = file
        self.values = values
        self.name: str = values["name"]
        self.title = tables.board.title
        self.chip = tables.board.chip
        self.driver: str = values["display"]["driver"]
        self.micropython = tables.board.micropython or []
        self.verified = tables.source.verified
        self.source: dict[str, str] = dict(tables.source.model_extra or {})
        self.virtual = (tables.virtual or VirtualTable()) if tables.board.chip == "virtual" else None
        suffix = _IMAGE_SUFFIX.get(self.chip)
        default = InterpreterTable(file=f"{self.micropython[0]}-*{suffix}", versions=[], sha256=[]) if suffix else None
        self.interpreter = tables.interpreter or default

    def board(self) -> Board:
        """Return the core's view of this board."""
        return Board.from_dict(copy.deepcopy(self.values), str(self.file))

    @property
    def is_linux(self) -> bool:
        """True for a computer that drives its panel itself: nothing is installed on a board there."""
        return self.chip == LINUX

    def require_device(self) -> None:
        """Refuse what is no board with MicroPython; InputError names the way for a Linux unit."""
        if self.is_linux:
            raise InputError(
                f"{self.name} is a Linux unit, not a board that firmware is installed on: install Leezenflow on that "
                f"computer (pip install 'leezenflow[pi]') and run: leezenflow run --board {self.name} --site FILE.toml"
            )


def board_folder() -> Path:
    """Return the folder of the board files that come with Leezenflow: package data, or the checkout's own."""
    installed = Path(str(files(leezenflow_host) / "board_configs"))
    return installed if installed.is_dir() else package_folder("leezenflow_host").parents[1] / "board_configs"


def board_names() -> list[str]:
    """Return the names of all boards that come with Leezenflow."""
    return sorted(file.stem for file in board_folder().glob("*.toml"))


def read_board(name: str) -> BoardConfig:
    """Return the board of that name, or of the file that `name` is the path of; InputError with all its problems."""
    if name.endswith(".toml") or "/" in name:
        return read_board_file(Path(name))
    if name not in board_names():
        raise InputError(f"There is no board {name!r}{did_you_mean(name, board_names())}")
    return read_board_file(board_folder() / f"{name}.toml")


def read_board_file(file: Path) -> BoardConfig:
    """Read and check a board file; InputError with all its problems."""
    tables, text = read_toml(file, "a board configuration")
    problems = Problems(str(file), text)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", file.stem):
        raise InputError(f"{file}: name the file like the board: small letters, digits and underscores.")
    checked = check_tables(BoardTables, tables, problems)
    display_table, device_table = tables.get("display"), tables.get("device", {})
    board_table = tables.get("board")
    linux = isinstance(board_table, Mapping) and board_table.get("chip") == LINUX
    display = _check_display(display_table, linux, problems) if isinstance(display_table, Mapping) else {}
    if isinstance(device_table, Mapping):
        check_options(_device_options(linux), device_table, ("device",), problems)
    light = _check_light(tables["light"], problems) if isinstance(tables.get("light"), Mapping) else None
    network = _check_network(tables["network"], problems) if isinstance(tables.get("network"), Mapping) else None
    setup = _check_setup(tables, problems) if isinstance(tables.get("setup"), Mapping) else None
    sensors = _check_sensors(tables["sensors"], problems) if isinstance(tables.get("sensors"), Mapping) else None
    if isinstance(board_table, Mapping):
        _check_runtime(tables, board_table, problems)
    if isinstance(tables.get("source"), Mapping):
        for key, value in tables["source"].items():
            if key != "verified" and not isinstance(value, str):
                problems.add(("source", key), f"is {value!r}: give text that says where the numbers come from")
    problems.raise_if_any()
    assert checked is not None
    values: dict[str, Any] = {
        "leezenflow_board": BOARD_FORMAT,
        "name": file.stem,
        "title": checked.board.title,
        "chip": checked.board.chip,
        "display": display,
        "device": dict(checked.device),
        "network": network,
    }
    if setup is not None:
        values["setup"] = setup
    if light is not None:
        values["light"] = light
    if sensors:
        values["sensors"] = sensors
    return BoardConfig(file, values, checked)


def display_options(driver: str) -> Options:
    """Return all options of [display] for a board's or a host's driver: its own, and the pixel map's if it uses one."""
    kind = "display" if driver in driver_names("display") else "host_display"
    own = driver_options(kind, driver)
    uses_map = re.search(_PIXEL_MAP_IMPORT, driver_file(kind, driver).read_text(), re.M)
    return {**PIXEL_MAP_OPTIONS, **own} if uses_map else own


def _check_runtime(tables: Mapping[str, Any], board: Mapping[str, Any], problems: Problems) -> None:
    """Check what only boards, virtual boards or Linux units have."""
    chip = board.get("chip")
    if "virtual" in tables and chip != "virtual":
        problems.add(("virtual",), 'is a table for chip = "virtual" only: leave it out')
    if isinstance(tables.get("interpreter"), Mapping):
        _check_interpreter(tables["interpreter"], str(chip), problems)
    if chip != LINUX:
        if "micropython" not in board:
            wanted = BoardTable.model_fields["micropython"].description
            problems.add(("board", "micropython"), f"is missing: give {wanted}")
        return
    if "micropython" in board:
        problems.add(("board", "micropython"), "is for boards: a Linux unit runs Python, leave it out")
    for table in ("network", "light", "setup"):
        if table in tables:
            problems.add((table,), "is a table for boards: the system of a Linux unit sees to that, leave it out")


def _check_network(network: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Check how the board reaches a network (names and passwords stand in /secrets.json); return kind and options."""
    kind, names = network.get("kind", "wifi"), driver_names("network")
    if kind not in names:
        problems.add_unknown_value(("network", "kind"), kind, names)
        return {}
    given = {key: value for key, value in network.items() if key != "kind"}
    options = check_options(driver_options("network", kind), given, ("network",), problems)
    country = options.get("country", "DE")
    if not isinstance(country, str) or not re.fullmatch("[A-Z]{2}", country):
        problems.add(("network", "country"), f'is {country!r}: give two capital letters such as "DE"')
    return {"kind": kind, **options}


def _check_setup(tables: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Check the button that opens the first-time setup; return its options."""
    network = tables.get("network")
    if not isinstance(network, Mapping) or network.get("kind", "wifi") != "wifi":
        problems.add(("setup",), 'is a table for boards with [network] kind = "wifi": leave it out')
    declared = read_literals(package_folder("leezenflow_device") / "setup_button.py", "OPTIONS")["OPTIONS"]
    return check_options(declared, tables["setup"], ("setup",), problems)


def _check_interpreter(table: Mapping[str, Any], chip: str, problems: Problems) -> None:
    """Check that a pinned image fits the chip, and that there is a hash for each version."""
    suffix, file = _IMAGE_SUFFIX.get(chip), table.get("file")
    if suffix is None:
        problems.add(("interpreter",), f'is a table for chips that get an image, not for "{chip}": leave it out')
    elif isinstance(file, str) and not file.endswith(suffix):
        problems.add(("interpreter", "file"), f"is {file!r}: an image for {chip} ends in {suffix}")
    if table.get("versions") and not table.get("sha256"):
        problems.add(("interpreter", "versions"), "are named, but no sha256: give the hash of each image, or neither")


def _check_light(light: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Check the ambient light sensor; return its name and options."""
    sensor, names = light.get("sensor"), sensor_names(measuring=False)
    given = {key: value for key, value in light.items() if key != "sensor"}
    if sensor is None:
        problems.add(("light", "sensor"), f"is missing: give one of {', '.join(names)}")
        return {}
    if sensor not in names:
        problems.add_unknown_value(("light", "sensor"), sensor, names)
        return {}
    return {"sensor": sensor, **check_options(driver_options("sensor", sensor), given, ("light",), problems)}


def sensor_names(*, measuring: bool) -> list[str]:
    """Return the names of the sensors for health reports (`measuring`), or of those for ambient light."""
    files = {name: driver_file("sensor", name) for name in driver_names("sensor")}
    return [name for name, file in files.items() if ("MEASURES" in read_literals(file, "MEASURES")) == measuring]


def _check_sensors(sensors: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Check the sensors for health reports; return their options by name."""
    checked: dict[str, Any] = {}
    names = sensor_names(measuring=True)
    for name, given in sensors.items():
        if name not in names:
            problems.add_unknown_value(("sensors",), name, names)
        elif not isinstance(given, Mapping):
            problems.add(("sensors", name), f"is {given!r}: write a table [sensors.{name}]")
        else:
            checked[name] = check_options(driver_options("sensor", name), given, ("sensors", name), problems)
    return checked


def _device_options(linux: bool) -> Options:
    folder = package_folder("leezenflow_device")
    declared: Options = {}
    for module in _DEVICE_MODULES:
        declared.update(read_literals(folder / f"{module}.py", "OPTIONS").get("OPTIONS", {}))
    return {name: declared[name] for name in _LINUX_DEVICE_OPTIONS} if linux else declared


def _check_display(display: Mapping[str, Any], linux: bool, problems: Problems) -> dict[str, Any]:
    size: Options = {
        "width": {"type": "int", "range": [1, 512], "default": 32, "help": "pixels, as a rider sees them"},
        "height": {"type": "int", "range": [1, 512], "default": 96, "help": "pixels, as a rider sees them"},
    }
    driver = display.get("driver")
    names, others = driver_names("host_display"), driver_names("display")
    if not linux:
        names, others = others, names
    given = {key: value for key, value in display.items() if key != "driver"}
    if driver is None:
        problems.add(("display", "driver"), f"is missing: give one of {', '.join(names)}")
        given = {key: value for key, value in given.items() if key in size}
    elif driver in others:
        where = 'boards, not on a Linux unit (chip = "linux")' if linux else 'a Linux unit (chip = "linux"), not here'
        problems.add(("display", "driver"), f"is {driver!r}, which runs on {where}: give one of {', '.join(names)}")
        given = {key: value for key, value in given.items() if key in size}
    elif driver not in names:
        problems.add_unknown_value(("display", "driver"), driver, names)
        given = {key: value for key, value in given.items() if key in size}
    else:
        size.update(display_options(driver))
    values = {"driver": driver, **check_options(size, given, ("display",), problems)}
    if driver in names and not problems.any and "panel_widths" in values:
        divide = values.get("divide", 1)
        try:
            PixelMap(values["width"] // divide, values["height"] // divide, values)
        except LeezenflowError as error:
            problems.add(("display",), f"does not fit together: {error}")
    return values
