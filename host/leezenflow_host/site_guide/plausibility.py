# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is allowed in a site and still likely a mistake: sentences, not errors."""

from pathlib import Path
from typing import Any

from leezenflow.source_url import parse_source
from leezenflow_host.problems import read_toml
from leezenflow_host.site_config import DEFAULT_CRUISE_KMH, SiteConfig

_NEAR_M, _FAR_M = 40, 250
_SLOW_KMH, _FAST_KMH, _SPRINT_KMH = 10, 25, 32
_LONGEST_S = 60
_DIM = 20
# Which ways of transport bring messages of a format; where a format is not named, any may.
_TRANSPORTS = {
    "fixed_time": ("clock",),
    "lamp_sense": ("lamps",),
    "spatem_xml": ("mqtt", "mqtts"),
    "sensorthings": ("mqtt", "mqtts"),
    "udap": ("mqtt", "mqtts"),
    "tscbm": ("udp",),
}
_ONLY_FOR = {"clock": "fixed_time", "lamps": "lamp_sense"}
_NO_ADVICE = ("dark", "status", "test_pattern", "uncertain")


def doubts_about(file: Path, site: SiteConfig) -> list[str]:
    """Return what should be looked at twice in a site that passed its checks."""
    tables, _ = read_toml(file, "a site configuration")
    return [*_rider_doubts(tables["rider"]), *_signal_doubts(site.values["signal"]), *_look_doubts(site.values)]


def _rider_doubts(rider: dict[str, Any]) -> list[str]:
    distance_m, cruise_kmh = rider["distance_m"], rider.get("cruise_kmh", DEFAULT_CRUISE_KMH)
    sprint_kmh = rider.get("sprint_kmh")
    doubts: list[str] = []
    if distance_m < _NEAR_M:
        doubts.append(f"distance_m = {distance_m:g}: so near, riders can hardly act on it; 50 to 200 m are useful.")
    if distance_m > _FAR_M:
        doubts.append(f"distance_m = {distance_m:g}: so far, forecasts are seldom good enough; 50 to 200 m are useful.")
    if not _SLOW_KMH <= cruise_kmh <= _FAST_KMH:
        doubts.append(f"cruise_kmh = {cruise_kmh:g}: usual are 15 to 20 km/h. Is that a speed of bicycles, in km/h?")
    if sprint_kmh is not None and sprint_kmh > _SPRINT_KMH:
        doubts.append(f"sprint_kmh = {sprint_kmh:g}: nobody should be told to ride so fast in a city.")
    if sprint_kmh is not None and sprint_kmh < cruise_kmh * 1.1:
        doubts.append(f"sprint_kmh = {sprint_kmh:g}: hardly faster than {cruise_kmh:g}; riders will see no difference.")
    travel_s = distance_m * 3.6 / cruise_kmh
    if travel_s > _LONGEST_S:
        doubts.append(
            f"Riders take {travel_s:.0f} s to the stop line: few forecasts reach further than {_LONGEST_S} s."
        )
    return doubts


def _signal_doubts(signal: dict[str, Any]) -> list[str]:
    adapter = signal["adapter"]
    doubts: list[str] = []
    for url in (signal["source"], *signal.get("more_sources", ())):
        if url is None:
            continue
        source = parse_source(url)
        usual = _TRANSPORTS.get(adapter or "")
        needed = _ONLY_FOR.get(source.scheme)
        if needed is not None and adapter not in (needed, None):
            doubts.append(f'source = "{source.scheme}://…" speaks {needed}, but adapter = "{adapter}".')
        elif usual and source.scheme not in usual:
            words = " or ".join(f"{scheme}://" for scheme in usual)
            doubts.append(f'adapter = "{adapter}" usually comes by {words}, not by {source.scheme}://.')
        if source.host in ("localhost", "::1") or (source.host or "").startswith("127."):
            doubts.append(f"source names {source.host}: on a board, that is the board itself.")
    return doubts


def _look_doubts(values: dict[str, Any]) -> list[str]:
    look = values["look"]
    doubts: list[str] = []
    if look["name"] in _NO_ADVICE:
        doubts.append(f'look = "{look["name"]}" gives riders no advice.')
    if look["brightness"] < _DIM:
        doubts.append(f"brightness = {look['brightness']}: by day, nobody will see that.")
    if not values["unit"]["name"]:
        doubts.append("[unit] name is empty: reports will call the unit by its chip's number.")
    return doubts
