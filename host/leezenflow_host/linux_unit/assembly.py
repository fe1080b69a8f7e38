# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a Linux unit together from its board, site and secrets."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leezenflow.canvas import Canvas
from leezenflow.engine import Engine
from leezenflow_host.board_config import BoardConfig
from leezenflow_host.drivers import driver_names
from leezenflow_host.errors import InputError
from leezenflow_host.linux_unit import clocks
from leezenflow_host.linux_unit.dimming import Dimming
from leezenflow_host.linux_unit.feeds import make_feed
from leezenflow_host.linux_unit.health import make_report
from leezenflow_host.linux_unit.memory import UnitMemory
from leezenflow_host.linux_unit.notifier import Notifier
from leezenflow_host.linux_unit.receiver import Receiver
from leezenflow_host.linux_unit.unit import LinuxUnit, StillPicture
from leezenflow_host.problems import did_you_mean
from leezenflow_host.replay import build_decoder
from leezenflow_host.site_config import SiteConfig

_DEFAULT_FPS = 25
TERMINAL = "terminal"


def require_linux(board: BoardConfig) -> None:
    """Refuse boards that get firmware installed; InputError names the way."""
    if not board.is_linux and board.virtual is None:
        raise InputError(
            f"{board.name} is a board that firmware is installed on, not a computer that drives its panel itself: "
            f"run leezenflow install --board {board.name} --port PORT --site FILE.toml"
        )


def display_name(board: BoardConfig, name: str | None = None) -> str:
    """The board's display, or the one that `name` names instead, by its name; `InputError` where there is none."""
    require_linux(board)
    driver = name or (board.driver if board.is_linux else TERMINAL)
    if driver not in driver_names("host_display"):
        raise InputError(
            f"--display {driver}: there is no such display{did_you_mean(driver, driver_names('host_display'))}"
        )
    return driver


def make_display(board: BoardConfig, name: str | None = None) -> Any:
    """The board's display, or the one that `name` names instead; the virtual board's is the terminal."""
    driver = display_name(board, name)
    settings = board.values["display"]
    module = importlib.import_module(f"leezenflow_host.displays.{driver}")
    options = {key: value for key, value in settings.items() if key not in ("driver", "width", "height")}
    return module.Display(options if driver == board.driver else {}, settings["width"], settings["height"])


def make_unit(
    board: BoardConfig,
    site_config: SiteConfig,
    secrets: dict[str, Any],
    display: Any,
    *,
    memory: Path | None = None,
    notifier: Notifier | None = None,
    health_s: int = 60,
    say: Callable[[str], None] = print,
) -> LinuxUnit:
    """The unit, not running yet; `InputError` says what its site lacks."""
    site = site_config.site()
    size = board.values["display"]
    canvas = Canvas(size["width"], size["height"])
    look = importlib.import_module(f"leezenflow.renderings.{site.look}").Look(canvas, site.look_options)
    receiver = unit_memory = None
    if site.look == "test_pattern":
        engine: Any = StillPicture(canvas, look)
    else:
        if site.adapter is None:
            raise InputError(f"{site_config.name}: [signal] adapter is missing: name what reads the messages")
        engine = Engine(site, build_decoder(site), canvas, look)
        receiver = Receiver(make_feed(site, secrets), say)
        if memory is not None:
            unit_memory = UnitMemory(engine, memory, say, clocks.monotonic_ms())
    return LinuxUnit(
        engine,
        canvas,
        display,
        receiver,
        fps=board.values["device"].get("fps", _DEFAULT_FPS),
        memory=unit_memory,
        dimming=Dimming(display, site),
        notifier=notifier,
        report=lambda unit: make_report(unit, site.unit_name, board.name),
        health_s=health_s,
        say=say,
    )
