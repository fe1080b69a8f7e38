# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of intersections for a person: read from a file, one of them chosen, beside what its groups show."""

import re
from pathlib import Path
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_host.commands.decode import decode_all
from leezenflow_host.decoding.payloads import read_file
from leezenflow_host.decoding.tree import reference
from leezenflow_host.errors import InputError
from leezenflow_host.lane_candidates import Candidate, bicycle_kind, find_candidates

_PLACE = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*")
# A lane further away than this belongs to another street.
MAX_BESIDE_M = 50.0


def parse_place(text: str) -> tuple[float, float]:
    """Return latitude and longitude in degrees; InputError says how to write them."""
    found = _PLACE.fullmatch(text)
    if not found or not -90 <= float(found[1]) <= 90 or not -180 <= float(found[2]) <= 180:
        raise InputError(f'--at {text}: write latitude and longitude in degrees, as in "51.9607,7.6261".')
    return float(found[1]), float(found[2])


def read_maps(file: Path) -> list[dict[str, Any]]:
    """Return all intersections described in the file, the newest revision seen last."""
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    fault = None
    for _, message in decode_all(read_file(file), None):
        if isinstance(message, SignalError):
            fault = message
        elif "map" in message:
            for geometry in message["map"]["intersections"]:
                found[geometry["region"], geometry["id"]] = geometry
    if not found:
        reason = f" ({fault})" if fault else ""
        raise InputError(f"{file}: there is no MAPEM or MAP in it{reason}. Ask the operator for one, or record it.")
    return list(found.values())


def choose_map(maps: list[dict[str, Any]], wanted: str | None, file: Path) -> dict[str, Any]:
    """Return the wanted intersection, or the only one; InputError names those there are."""
    names = ", ".join(reference(geometry) for geometry in maps)
    if wanted is None:
        if len(maps) > 1:
            raise InputError(f"{file}: several intersections. Choose one with --intersection: {names}.")
        return maps[0]
    for geometry in maps:
        if wanted in (reference(geometry), str(geometry["id"])):
            return geometry
    raise InputError(f"--intersection {wanted}: not in {file}. It holds {names}.")


def candidates_at(
    geometry: dict[str, Any], at_text: str, heading: float | None, all_lanes: bool, file: Path
) -> tuple[list[Candidate], list[str]]:
    """Return the lanes that pass a display, the best first, and remarks; InputError where none is near."""
    lat, long = parse_place(at_text)
    no_lane = not any(bicycle_kind(lane) for lane in geometry["lanes"])
    found = find_candidates(geometry, lat, long, heading, every_lane=all_lanes or no_lane)
    near = [candidate for candidate in found if candidate.beside_m <= MAX_BESIDE_M]
    if not near:
        distance = f"the nearest is {found[0].beside_m:.0f} m away" if found else "there is none with a signal group"
        raise InputError(
            f"{file}: no lane of intersection {reference(geometry)} passes within {MAX_BESIDE_M:.0f} m of {at_text}; "
            f"{distance}. Check --at (latitude first), or try --all-lanes."
        )
    notes = ["This MAP has no lane for bicycles: these are the lanes of motor traffic."] if no_lane else []
    return near, notes
