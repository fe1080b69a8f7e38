# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites: where a unit stands and whom it advises. TOML for people, checked here, compiled to /site.json for boards."""

import copy
import importlib
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

import leezenflow_host
from leezenflow.board import SITE_FORMAT, Site
from leezenflow.errors import LeezenflowError
from leezenflow.source_url import parse_source
from leezenflow_host.drivers import adapter_runtimes, driver_names, driver_options
from leezenflow_host.problems import Key, Problems, Table, check_options, check_tables, describe_option, read_toml

# What a laptop assumes where nobody says otherwise; the first generation in Münster stood like that.
DEFAULT_DISTANCE_M = 110.0
DEFAULT_CRUISE_KMH = 18.0


def parse_intersection(value: Any) -> tuple[int | None, int]:
    """Return (region, id) of "49:1090", or (None, id) of "1090" or 1090: any region. ValueError in words."""
    found = re.fullmatch(r"(?:(\d{1,5}):)?(\d{1,5})", str(value).strip()) if type(value) in (str, int) else None
    if found is None:
        raise ValueError('give "REGION:ID" such as "49:1090", or "ID" for any region')
    region = int(found[1]) if found[1] else None
    if (region or 0) > 65535 or int(found[2]) > 65535:
        raise ValueError("region and id are numbers up to 65535")
    return region, int(found[2])


class UnitTable(Table):
    """Who the unit is to its operators."""

    name: str = Field("", max_length=63, description="a name of up to 63 characters")


class SignalTable(Table):
    """Which signal group, and how its messages arrive."""

    intersection: Annotated[tuple[int | None, int], BeforeValidator(parse_intersection)] = Field(
        description='"REGION:ID" such as "49:1090", or "ID" for any region'
    )
    signal_group: int = Field(ge=1, le=255, description="the number of the signal group, 1 to 255")
    adapter: str | None = Field(None, description="the name of the adapter that reads the messages, as text")
    options: dict[str, Any] = Field({}, description="a table of the adapter's options")
    source: str | Annotated[list[str], Field(min_length=1, max_length=4)] | None = Field(
        None,
        description='where the messages come from, such as "mqtt://broker:1883/topic", or a list of up to 4 in order '
        "of preference",
    )
    failover_s: int = Field(
        20, ge=5, le=3600, description="seconds without a message after which the next source is tried, 5 to 3600"
    )
    clearance: Literal["red", "green"] = Field("red", description='"red" or "green": what amber after green counts as')
    max_wrong: float | None = Field(
        None, ge=0, le=100, description="the share of wrong claims that is acceptable, in percent, 0 to 100"
    )


class RiderTable(Table):
    """The way and the pace of the riders."""

    distance_m: float = Field(
        ge=5, le=500, description="the way from the display to the stop line in metres, a number from 5 to 500"
    )
    cruise_kmh: float = Field(
        DEFAULT_CRUISE_KMH, ge=5, le=40, description="the usual speed in km/h, a number from 5 to 40"
    )
    sprint_kmh: float | None = Field(
        None, ge=5, le=40, description="the speed of those who hurry in km/h, a number from 5 to 40"
    )


def parse_night(value: Any) -> tuple[int, int]:
    """Return (from, to) of "22:00-05:30" in minutes of the day. ValueError in words."""
    found = re.fullmatch(r"(\d\d):(\d\d) ?- ?(\d\d):(\d\d)", value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 23 or int(found[3]) > 23 or int(found[2]) > 59 or int(found[4]) > 59:
        raise ValueError('give "HH:MM-HH:MM" such as "22:00-05:30"')
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if begin == end:
        raise ValueError("it begins when it ends: give a span")
    return begin, end


class LightTable(Table):
    """How the unit follows the light outside, beside what a sensor on its board says."""

    latitude: float | None = Field(None, ge=-90, le=90, description="degrees north, a number from -90 to 90")
    longitude: float | None = Field(None, ge=-180, le=180, description="degrees east, a number from -180 to 180")
    floor: int = Field(6, ge=1, le=255, description="the least brightness, 1 to 255")
    night: Annotated[tuple[int, int] | None, BeforeValidator(parse_night)] = Field(
        None, description='a span of every day such as "22:00-05:30"'
    )
    night_brightness: int = Field(20, ge=1, le=255, description="the most brightness at night, 1 to 255")
    utc_offset_h: float = Field(0, ge=-12, le=14, description="hours that local standard time is ahead of UTC")


class SiteTables(Table):
    """A whole site file; [look] is checked against what the look itself declares."""

    unit: UnitTable = UnitTable.model_construct(name="")
    signal: SignalTable = Field(description="a table [signal]")
    rider: RiderTable = Field(description="a table [rider]")
    look: dict[str, Any] = Field({}, description="a table [look]")
    light: LightTable | None = Field(None, description="a table [light]")


class SiteConfig:
    """A checked site: `values` is what goes into /site.json, `name` the file (or words) it came from."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.name = name
        self.values = values

    def site(self) -> Site:
        """Return the core's view of this site."""
        return Site.from_dict(copy.deepcopy(self.values), self.name)

    def require_device(self) -> None:
        """Check that a board can work with this site; InputError with everything that is missing."""
        problems = Problems(self.name)
        signal = self.values["signal"]
        if self.values["look"]["name"] == "test_pattern" and signal["adapter"] is None:
            # A still picture needs no messages.
            return
        if signal["source"] is None:
            problems.add(("signal", "source"), 'is missing: give a URL such as "mqtt://broker:1883/topic"')
        if signal["adapter"] is None:
            problems.add(("signal", "adapter"), f"is missing: give one of {', '.join(_adapters('device'))}")
        elif "device" not in adapter_runtimes(signal["adapter"]):
            message = f"is {signal['adapter']!r}, which does not run on boards: give one of "
            problems.add(("signal", "adapter"), message + ", ".join(_adapters("device")))
        problems.raise_if_any()


def read_site(file: Path) -> SiteConfig:
    """Read and check a site file; InputError with all its problems."""
    tables, text = read_toml(file, "a site configuration")
    return check_site(tables, Problems(str(file), text))


def example_site() -> SiteConfig:
    """Return the bundled site: the generated intersection of the demo."""
    return read_site(_example_file())


def find_site_file(named: Path) -> Path:
    """Return the file that --site names: "example" is the bundled one, unless there is a file of that name."""
    if str(named) != "example" or named.exists():
        return named
    return _example_file()


def _example_file() -> Path:
    return Path(str(files(leezenflow_host) / "data" / "example_site.toml"))


def travel_time_ms(distance_m: float, speed_kmh: float) -> int:
    """Return how long a rider takes, in ms."""
    return round(distance_m * 3600 / speed_kmh)


def check_site(tables: Mapping[str, Any], problems: Problems) -> SiteConfig:
    """Check a site's tables and compile them; InputError with all problems."""
    checked = check_tables(SiteTables, tables, problems)
    signal_table, look_table = tables.get("signal"), tables.get("look", {})
    options = _check_signal(signal_table, problems) if isinstance(signal_table, Mapping) else {}
    look = _check_look(look_table, problems) if isinstance(look_table, Mapping) else {}
    if isinstance(tables.get("rider"), Mapping):
        _check_speeds(tables["rider"], problems)
    if checked is not None and checked.light is not None and not problems.any:
        _check_place(checked.light, problems)
    problems.raise_if_any()
    assert checked is not None
    signal, rider = checked.signal, checked.rider
    region, intersection_id = signal.intersection
    values: dict[str, Any] = {
        "leezenflow_site": SITE_FORMAT,
        "unit": {"name": checked.unit.name},
        "signal": {
            "region": region,
            "intersection": intersection_id,
            "signal_group": signal.signal_group,
            "adapter": signal.adapter,
            "options": options,
            "source": signal.source,
            "clearance": signal.clearance,
            "max_wrong_permille": None if signal.max_wrong is None else round(signal.max_wrong * 10),
        },
        "rider": {
            "cruise_ms": travel_time_ms(rider.distance_m, rider.cruise_kmh),
            "sprint_ms": None if rider.sprint_kmh is None else travel_time_ms(rider.distance_m, rider.sprint_kmh),
        },
        "look": look,
    }
    if isinstance(signal.source, list):
        first, *others = signal.source
        values["signal"]["source"] = first
        if others:
            values["signal"].update({"more_sources": others, "failover_s": signal.failover_s})
    if checked.light is not None:
        values["light"] = _compile_light(checked.light)
    return SiteConfig(problems.name, values)


def _adapters(runtime: str) -> list[str]:
    return [name for name in driver_names("adapter") if runtime in adapter_runtimes(name)]


def _check_signal(signal: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Check what other files declare: adapter, its options, the source; return the adapter's options."""
    options: dict[str, Any] = {}
    adapter, given, source = signal.get("adapter"), signal.get("options", {}), signal.get("source")
    if isinstance(adapter, str):
        if adapter not in driver_names("adapter"):
            problems.add_unknown_value(("signal", "adapter"), adapter, driver_names("adapter"))
        elif isinstance(given, Mapping):
            options = check_options(driver_options("adapter", adapter), given, ("signal", "options"), problems)
            if not problems.any:
                _check_decoder(adapter, options, problems)
    elif given and adapter is None:
        problems.add(("signal", "options"), "is there without an adapter: name the adapter they belong to")
    sources = source if isinstance(source, list) else [source]
    for url in sources:
        if isinstance(url, str):
            _check_source(url, ("signal", "source"), problems)
    if len(sources) > 1:
        _check_together(sources, problems)
    return options


def _check_together(sources: list[Any], problems: Problems) -> None:
    """What several sources need: to differ, and to say by messages whether they are alive."""
    if len(set(map(str, sources))) < len(sources):
        problems.add(("signal", "source"), "names the same source twice: name each once, in order of preference")
    for url in sources:
        if isinstance(url, str) and url.startswith(("clock://", "lamps://", "usb://")):
            problems.add(("signal", "source"), f"has {url.split(':')[0]}:// in a list: that one stands alone")


def _check_decoder(adapter: str, options: dict[str, Any], problems: Problems) -> None:
    """What an adapter reads out of texts (a signal plan, say) only it can check."""
    try:
        importlib.import_module(f"leezenflow_adapters.{adapter}").Decoder(None, 1, 1, options)
    except LeezenflowError as error:
        problems.add(("signal", "options"), f"are not usable: {error}")


def _check_source(url: str, key: Key, problems: Problems) -> None:
    try:
        source = parse_source(url)
    except LeezenflowError as error:
        problems.add(key, f"is not usable: {error}")
        return
    if source.scheme not in driver_names("transport"):
        problems.add_unknown_value(key, source.scheme, driver_names("transport"), "://")
        return
    declared = driver_options("transport", source.scheme)
    for name, text in source.options.items():
        if name not in declared:
            problems.add_unknown_value(key, name, declared, "=")
            continue
        rule = declared[name]
        value: Any = text
        if rule["type"] == "int" and re.fullmatch(r"-?\d{1,9}", text):
            value = int(text)
        elif rule["type"] == "bool" and text in ("1", "true", "yes", "0", "false", "no"):
            value = text in ("1", "true", "yes")
        inner = Problems("")
        check_options({name: rule}, {name: value}, (), inner)
        if inner.any:
            problems.add(key, f"has {name}={text}: give {describe_option(rule)}")


def _check_look(look: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    name = look.get("name", "green_wave")
    declared = {"brightness": {"type": "int", "range": [1, 255], "default": 255, "help": "255 is the most"}}
    given = {key: value for key, value in look.items() if key != "name"}
    if not isinstance(name, str) or name not in driver_names("look"):
        problems.add_unknown_value(("look", "name"), name, driver_names("look"))
        given = {key: value for key, value in given.items() if key in declared}
    else:
        declared.update(driver_options("look", name))
    if "palette" not in declared:
        # Every site may name its palette, so that a technician can try the test pattern by changing one word.
        given.pop("palette", None)
    return {"name": name, **check_options(declared, given, ("look",), problems)}


def _check_speeds(rider: Mapping[str, Any], problems: Problems) -> None:
    cruise_kmh, sprint_kmh = rider.get("cruise_kmh", DEFAULT_CRUISE_KMH), rider.get("sprint_kmh")
    if isinstance(cruise_kmh, (int, float)) and isinstance(sprint_kmh, (int, float)) and sprint_kmh <= cruise_kmh:
        message = f"is {sprint_kmh:g}: give more than the usual speed ({cruise_kmh:g} km/h), or leave it out"
        problems.add(("rider", "sprint_kmh"), message)


def _check_place(light: LightTable, problems: Problems) -> None:
    """A place needs both its numbers."""
    for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if getattr(light, name) is None and getattr(light, other) is not None:
            problems.add(("light", name), f"is missing: give it with the {other}, in degrees")


def _compile_light(light: LightTable) -> dict[str, Any]:
    """Return [light] for /site.json: hundredths of a degree, minutes of the UTC day."""
    offset_minutes = round(light.utc_offset_h * 60)
    night = None
    if light.night is not None:
        night = [*((minute - offset_minutes) % 1440 for minute in light.night), light.night_brightness]
    return {
        "latitude_cdeg": None if light.latitude is None else round(light.latitude * 100),
        "longitude_cdeg": None if light.longitude is None else round(light.longitude * 100),
        "floor": light.floor,
        "night": night,
    }


def signal_facts(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recording's header says for [signal]: intersection, signal_group, adapter, where it has them."""
    return {key: header[key] for key in ("intersection", "signal_group", "adapter") if header.get(key) is not None}
