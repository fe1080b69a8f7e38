# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which every command that works on signal data learns about signal and rider."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import rich_click as click

from leezenflow.board import Site
from leezenflow_host.errors import InputError
from leezenflow_host.problems import Problems, read_toml
from leezenflow_host.site_config import (
    DEFAULT_CRUISE_KMH,
    DEFAULT_DISTANCE_M,
    SiteConfig,
    check_site,
    find_site_file,
    signal_facts,
)

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)

_PREFIX = "site_option_"

# field of SiteOptions: (option as typed, its key in a site file)
_PLACES: dict[str, tuple[str, tuple[str, str]]] = {
    "intersection": ("--intersection", ("signal", "intersection")),
    "signal_group": ("--signal-group", ("signal", "signal_group")),
    "adapter": ("--adapter", ("signal", "adapter")),
    "max_wrong": ("--max-wrong", ("signal", "max_wrong")),
    "distance": ("--distance", ("rider", "distance_m")),
    "speed": ("--speed", ("rider", "cruise_kmh")),
    "sprint": ("--sprint", ("rider", "sprint_kmh")),
}


@dataclasses.dataclass(frozen=True)
class SiteOptions:
    """What was given on the command line; None where nothing was. Speeds in km/h, distance in m, max_wrong in %."""

    site: Path | None = None
    intersection: str | None = None
    signal_group: int | None = None
    distance: float | None = None
    speed: float | None = None
    sprint: float | None = None
    adapter: str | None = None
    max_wrong: float | None = None
    memory: Path | None = None


class UnknownSignalError(InputError):
    """Neither options nor site file nor recording say which signal group is meant; `missing` names the options."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"Which signal? Give {' and '.join(missing)}, or --site FILE.toml that holds the same.")
        self.missing = missing


def site_options(
    *, speed_flags: tuple[str, ...] = ("--speed", "--cruise"), several: bool = False
) -> Callable[[_Command], _Command]:
    """Give a command the options about signal and rider; it receives them as one keyword `site_options`.

    A command whose own --speed is the pace of a recording passes `speed_flags=("--cruise",)`. With `several`, --site
    can be given more than once, and the keyword is a tuple: one `SiteOptions` a site, or the one without.
    """
    words = "Site file ('example': the demo's); single options override it." + (
        " Give it again for more sites." if several else ""
    )
    options = (
        _option("--site", "site", type=_FILE, metavar="FILE.toml", multiple=several, help=words),
        _option("--intersection", "intersection", metavar="[REGION:]ID", help="Intersection, such as 49:1090."),
        _option("--signal-group", "signal_group", type=int, metavar="N", help="Its signal group, 1 to 255."),
        _option(
            *("--distance", "distance"),
            type=float,
            metavar="METRES",
            help=f"From the display to the stop line [default: {DEFAULT_DISTANCE_M:g}].",
        ),
        _option(
            *(*speed_flags, "speed"),
            type=float,
            metavar="KMH",
            help=f"The riders' usual speed [default: {DEFAULT_CRUISE_KMH:g}].",
        ),
        _option("--sprint", "sprint", type=float, metavar="KMH", help="Speed of those who hurry [default: none do]."),
        _option("--adapter", "adapter", metavar="NAME", help="Reads the messages [default: what the recording names]."),
        _option("--max-wrong", "max_wrong", type=float, metavar="PERCENT", help="Acceptable share of wrong claims."),
        _option("--memory", "memory", type=_FILE, metavar="FILE", help="What was learned about this signal."),
    )

    def decorate(function: _Command) -> _Command:
        @functools.wraps(function)
        def command(*args: Any, **values: Any) -> Any:
            given = {field.name: values.pop(_PREFIX + field.name) for field in dataclasses.fields(SiteOptions)}
            if several:
                sites = given.pop("site") or (None,)
                return function(*args, site_options=tuple(SiteOptions(site=site, **given) for site in sites), **values)
            return function(*args, site_options=SiteOptions(**given), **values)

        for option in reversed(options):
            command = option(command)
        return cast(_Command, command)

    return decorate


def _option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Make an option whose parameter (the last of `names`) cannot clash with one of the command's own."""
    return click.option(*names[:-1], _PREFIX + names[-1], **settings)


def site_from_options(options: SiteOptions, header: Mapping[str, Any] | None = None) -> Site:
    """Return the core's Site that options, site file and a recording's header describe together.

    Options win over the site file, and that over the header; only which adapter reads a recording the header knows
    better than a site file does. UnknownSignalError: nothing says which signal; InputError: what is wrong, all at once.
    """
    return site_config_from_options(options, header).site()


def site_config_from_options(options: SiteOptions, header: Mapping[str, Any] | None = None) -> SiteConfig:
    """Return the same as `site_from_options`, compiled as for a board."""
    tables: dict[str, dict[str, Any]] = {}
    text, name = "", "options"
    if options.site is not None:
        tables, text = read_toml(find_site_file(options.site), "a site configuration")
        name = str(options.site)
    labels: dict[tuple[str, ...], str] = {}
    facts = signal_facts(header or {})
    signal = tables.setdefault("signal", {})
    if isinstance(signal, dict):
        for key, value in facts.items():
            if key == "adapter" or key not in signal:
                signal[key] = value
                labels["signal", key] = f"{key} in the header of the recording"
    for field, (flag, key) in _PLACES.items():
        value = getattr(options, field)
        table = tables.setdefault(key[0], {})
        if value is not None and isinstance(table, dict):
            table[key[1]] = value
            labels[key] = flag
    rider = tables["rider"]
    if options.site is None:
        rider.setdefault("distance_m", DEFAULT_DISTANCE_M)
        missing = [_PLACES[field][0] for field in ("intersection", "signal_group") if field not in signal]
        if missing:
            raise UnknownSignalError(missing)
    return check_site(tables, Problems(name, text, labels))
