# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: an intersection, its program, its traffic, and what goes wrong with its messages, in TOML.

The bundled ones are files in `scenarios/`; the name of one is its file's.
"""

import datetime
import itertools
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, model_validator

from leezenflow_host.errors import InputError
from leezenflow_host.problems import Problems, Table, check_tables, did_you_mean, read_toml

Seconds = Annotated[int, Field(ge=0, le=3600, description="whole seconds, 0 to 3600")]
Share = Annotated[float, Field(ge=0, le=1, description="a share from 0.0 to 1.0")]


class IntersectionTable(Table):
    """Which intersection the messages say they are about."""

    region: int = Field(49, ge=0, le=65535, description="a region, 0 to 65535")
    id: int = Field(1090, ge=0, le=65535, description="an id, 0 to 65535")
    name: str = Field("generated", max_length=63, description="a name of up to 63 characters")
    idle_groups: list[int] = Field([], description="numbers of signal groups that are listed without state")


class GroupTable(Table):
    """One signal group: when it is green follows from the stages, its transitions from here (VwV-StVO to § 37)."""

    green_in: list[str] = Field(min_length=1, description="a list of names of stages")
    green_state: Literal[5, 6] = Field(5, description="5 (must yield) or 6 (no conflicts)")
    red_amber_s: Seconds = 1
    amber_s: Seconds = 2


class StageTable(Table):
    """One stage: its green lasts between `min_s` and `max_s`, `usual_s` on average."""

    min_s: int = Field(ge=1, le=3600, description="whole seconds from 1")
    usual_s: int = Field(ge=1, le=3600, description="whole seconds between min_s and max_s")
    max_s: int = Field(ge=1, le=3600, description="whole seconds from usual_s")

    @model_validator(mode="after")
    def _check_order(self) -> "StageTable":
        if not self.min_s <= self.usual_s <= self.max_s:
            raise ValueError("give min_s <= usual_s <= max_s")
        return self


class ProgramTable(Table):
    """How the controller works."""

    fixed_time: bool = Field(False, description="true or false")
    order: list[str] = Field(min_length=1, description="a list of names of stages, in their order")
    intergreen_s: int = Field(6, ge=1, le=60, description="whole seconds from 1 to 60")
    notice_s: int = Field(3, ge=1, le=30, description="whole seconds from 1 to 30: how long before it a switch is sure")
    unknown_likely: Share = 0.0


class BusTable(Table):
    """Buses that ask for a stage, `notice_s` before they reach the stop line."""

    stage: str = Field(description="the name of the stage that is green for buses")
    per_hour: float = Field(0, ge=0, le=600, description="a number per hour, 0 to 600")
    at_s: list[int] = Field([], description="a list of seconds from the beginning at which a bus asks")
    notice_s: Seconds = 15
    stretch_s: Seconds = 10


class MessagesTable(Table):
    """When messages are sent and how they travel."""

    period_ms: int = Field(1000, ge=50, le=60000, description="milliseconds from 50 to 60000")
    latency_ms: int = Field(90, ge=0, le=10000, description="milliseconds from 0 to 10000")
    jitter_ms: int = Field(30, ge=0, le=10000, description="milliseconds from 0 to 10000")
    receiver_offset_ms: int = Field(0, ge=-600000, le=600000, description="milliseconds, the receiver's clock ahead")
    lost: Share = 0.0
    burst: int = Field(1, ge=1, le=1000, description="messages that are lost together, from 1")
    doubled: Share = 0.0
    late: Share = 0.0
    cut: Share = 0.0


class SilenceTable(Table):
    """A time without messages."""

    at_s: Seconds
    length_s: Seconds


class FlashingTable(Table):
    """A time in which the lamps flash amber (event state 9) and the controller forecasts nothing."""

    at_s: Seconds
    length_s: Seconds


class ClockTable(Table):
    """A fault of the controller's clock: from `at_s` on it stands for `stands_s`, then goes on, `step_ms` further."""

    at_s: Seconds
    step_ms: int = Field(0, ge=-3_600_000, le=3_600_000, description="milliseconds ahead of before, up to an hour")
    stands_s: Seconds = 0

    @model_validator(mode="after")
    def _check_fault(self) -> "ClockTable":
        if not self.step_ms and not self.stands_s:
            raise ValueError("give step_ms or stands_s, or both")
        return self


class Scenario(Table):
    """A whole scenario."""

    title: str = Field(max_length=200, description="one line that says what happens")
    start: AwareDatetime = Field(description="a date and time with a time zone, such as 2026-05-12T07:50:00Z")
    duration_s: int = Field(1800, ge=1, le=86400, description="whole seconds, up to a day")
    intersection: IntersectionTable = Field(IntersectionTable.model_construct(), description="a table [intersection]")
    program: ProgramTable = Field(description="a table [program]")
    stage: dict[str, StageTable] = Field(min_length=1, description="tables [stage.NAME]")
    group: dict[str, GroupTable] = Field(min_length=1, description="tables [group.NUMBER]")
    bus: BusTable | None = Field(None, description="a table [bus]")
    messages: MessagesTable = Field(MessagesTable.model_construct(), description="a table [messages]")
    silence: list[SilenceTable] = Field([], description="tables [[silence]]")
    flashing: list[FlashingTable] = Field([], description="tables [[flashing]]")
    clock: list[ClockTable] = Field([], description="tables [[clock]]")

    @property
    def start_ms(self) -> int:
        """The beginning in Unix ms."""
        return round(self.start.astimezone(datetime.UTC).timestamp() * 1000)


def scenario_names() -> list[str]:
    """Names of the bundled scenarios."""
    folder = Path(str(files("leezenflow_host") / "simulation" / "scenarios"))
    return sorted(file.stem for file in folder.glob("*.toml"))


def load_scenario(name: str) -> tuple[str, Scenario]:
    """Return (name, scenario) of a bundled scenario's name or of a TOML file; InputError with all that is wrong."""
    names = scenario_names()
    if name in names:
        file = Path(str(files("leezenflow_host") / "simulation" / "scenarios" / f"{name}.toml"))
    elif name.endswith(".toml") or "/" in name:
        file = Path(name)
    else:
        raise InputError(
            f"there is no scenario {name!r}{did_you_mean(name, names)}. For a file of your own, end its name in .toml."
        )
    tables, text = read_toml(file, "a scenario")
    return file.stem, check_scenario(tables, Problems(str(file) if name not in names else name, text))


def check_scenario(tables: dict[str, Any], problems: Problems) -> Scenario:
    """Check what stands in a scenario's TOML; InputError with everything that is wrong with it."""
    scenario = check_tables(Scenario, tables, problems)
    if scenario is None:
        problems.raise_if_any()
        raise AssertionError
    stages = scenario.stage
    for stage in scenario.program.order:
        if stage not in stages:
            problems.add_unknown_value(("program", "order"), stage, stages)
    if scenario.bus is not None and scenario.bus.stage not in scenario.program.order:
        problems.add_unknown_value(("bus", "stage"), scenario.bus.stage, scenario.program.order)
    for number, group in scenario.group.items():
        if not number.isdecimal() or not 1 <= int(number) <= 254:
            problems.add(("group", number), "is no number of a signal group, 1 to 254")
        for stage in group.green_in:
            if stage not in scenario.program.order:
                problems.add_unknown_value(("group", number, "green_in"), stage, scenario.program.order)
        if group.amber_s + group.red_amber_s > scenario.program.intergreen_s:
            problems.add(("group", number, "amber_s"), "and red_amber_s must fit into the program's intergreen_s")
    faults = sorted(scenario.clock, key=lambda fault: fault.at_s)
    for before, after in itertools.pairwise(faults):
        if after.at_s < before.at_s + max(before.stands_s, 1):
            problems.add(("clock",), f"at_s {after.at_s} comes before the fault at_s {before.at_s} is over")
    problems.raise_if_any()
    return scenario
