# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow map`: which signal group the lane beside a display obeys, and how far its stop line is."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leezenflow.errors import SignalError
from leezenflow_host.commands.decode import decode_all
from leezenflow_host.decoding.payloads import read_file
from leezenflow_host.decoding.tree import clean, reference, state_word
from leezenflow_host.lane_candidates import Candidate
from leezenflow_host.map_reading import candidates_at, choose_map, parse_place, read_maps
from leezenflow_host.number_range import NumberRange

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN = 8


@click.command()
@click.argument("file", type=_FILE)
@click.option("--at", "at_text", metavar="LAT,LON", required=True, help="Where the display stands (WGS 84 degrees).")
@click.option("--heading", type=NumberRange(0, 360), metavar="DEG", help="Which way riders go (0 north, 90 east).")
@click.option("--intersection", metavar="[REGION:]ID", help="The intersection, if the file holds several.")
@click.option("--spat", type=_FILE, metavar="FILE", help="A message or recording: shows what each group shows in it.")
@click.option("--all-lanes", is_flag=True, help="Look at the lanes of motor traffic, too.")
@click.option("--json", "as_json", is_flag=True, help="All candidates, one line each.")
def command(
    file: Path,
    at_text: str,
    heading: float | None,
    intersection: str | None,
    spat: Path | None,
    all_lanes: bool,
    as_json: bool,
) -> None:
    """Find the signal group for a display, from FILE with a MAPEM or J2735 MAP (any form `leezenflow decode` reads).

    The best candidates come first. The last check is always to watch the real lamp while the group changes: give a
    fresh message or recording with --spat to see what each group shows.
    """
    parse_place(at_text)
    geometry = choose_map(read_maps(file), intersection, file)
    near, notes = candidates_at(geometry, at_text, heading, all_lanes, file)
    states, remarks = _read_states(spat, geometry) if spat else ({}, [])
    notes += remarks
    if as_json:
        for candidate in near:
            click.echo(json.dumps(_record(geometry, candidate, states)))
        return
    _print(geometry, near, states, notes)


def _read_states(file: Path, geometry: dict[str, Any]) -> tuple[dict[int, int], list[str]]:
    """The last event state of each signal group of the intersection, and remarks about the messages."""
    states: dict[int, int] = {}
    revision = None
    for _, message in decode_all(read_file(file), None):
        if isinstance(message, SignalError) or "intersections" not in message:
            continue
        for intersection in message["intersections"]:
            same_region = None in (intersection["region"], geometry["region"]) or (
                intersection["region"] == geometry["region"]
            )
            if intersection["id"] == geometry["id"] and same_region:
                revision = intersection["revision"]
                for movement in intersection["movements"]:
                    states[movement["signal_group"]] = movement["events"][0]["state"]
    if not states:
        return states, [f"{file} says nothing about intersection {reference(geometry)}."]
    if revision != geometry["revision"]:
        return states, [
            f"The MAP is revision {geometry['revision']}, the signal messages are of revision {revision}: lanes and "
            "groups may have changed. Ask for the newest MAP."
        ]
    return states, []


def _record(geometry: dict[str, Any], candidate: Candidate, states: dict[int, int]) -> dict[str, Any]:
    record = dataclasses.asdict(candidate)
    for key in ("beside_m", "stop_line_m", "heading", "turn", "extended_m", "score"):
        record[key] = None if record[key] is None else round(record[key], 1)
    return {"intersection": reference(geometry), **record, "event_state": states.get(candidate.signal_group)}


def _print(geometry: dict[str, Any], near: list[Candidate], states: dict[int, int], notes: list[str]) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    name = f' "{clean(geometry["name"])}"' if geometry["name"] else ""
    console.print(Text(f"Intersection {reference(geometry)}{name}, revision {geometry['revision']}"))
    table = Table(box=None, pad_edge=False)
    columns = ["group", "lane", "kind", "goes", "stop line", "beside", "riders go"]
    for column in columns + (["shows"] if states else []):
        table.add_column(column, justify="right" if column in ("group", "stop line", "beside", "riders go") else "left")
    for candidate in near[:_SHOWN]:
        lane = str(candidate.lane_id) + (f' "{clean(candidate.lane_name)}"' if candidate.lane_name else "")
        state = states.get(candidate.signal_group)
        row = [
            Text(str(candidate.signal_group), "bold"),
            Text(lane),
            candidate.kind,
            " ".join(candidate.maneuvers) or "-",
            f"{candidate.stop_line_m:.0f} m" + (" *" if candidate.extended_m else ""),
            f"{candidate.beside_m:.1f} m",
            f"{candidate.heading:.0f}°",
        ]
        table.add_row(*row, *([state_word(state) if state is not None else "-"] if states else []))
    console.print(table)
    if any(candidate.extended_m for candidate in near[:_SHOWN]):
        notes.append("* The MAP draws this lane only near the signal; it is taken to go on straight.")
    if len(near) > _SHOWN:
        notes.append(f"{len(near) - _SHOWN} more: see --json.")
    best = near[0]
    notes.append(
        f'In the site file: intersection = "{reference(geometry)}", signal_group = {best.signal_group}, '
        f"distance_m = {best.stop_line_m:.0f}. Then watch the lamp while the group changes."
    )
    for note in notes:
        console.print(Text(note))
