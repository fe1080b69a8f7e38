# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files SUMO reads: a straight path with one signal, and the riders on it."""

from dataclasses import dataclass
from pathlib import Path

from leezenflow_host.flow.riders import Rider, RiderModel

APPROACH, EXIT, SIGNAL = "approach", "exit", "signal"
# The lane's speed limit must never be what slows a rider down.
_LANE_SPEED_MS = 30


@dataclass(frozen=True)
class Path2D:
    """The straight path: from its beginning to the display, on to the stop line, and behind it; metres.

    `width_m` is what riders have to ride beside each other.
    """

    lead_m: float = 100.0
    distance_m: float = 110.0
    behind_m: float = 60.0
    width_m: float = 2.0

    @property
    def approach_m(self) -> float:
        """From the beginning to the stop line."""
        return self.lead_m + self.distance_m

    @property
    def length_m(self) -> float:
        """The whole way."""
        return self.approach_m + self.behind_m


def write_network(file: Path, path: Path2D) -> None:
    """Write the path as a SUMO network (net.xml): two lanes in a row, a signal between them."""
    width, line, end, side = path.width_m, path.approach_m, path.length_m, -path.width_m / 2
    lane = f'allow="bicycle" speed="{_LANE_SPEED_MS}" width="{width:.2f}"'
    file.write_text(
        f"""<net version="1.20">
 <location netOffset="0,0" convBoundary="0,0,{end:.2f},0" origBoundary="0,0,{end:.2f},0" projParameter="!"/>
 <edge id=":s_0" function="internal">
  <lane id=":s_0_0" index="0" {lane} length="0.10" shape="{line:.2f},{side:.2f} {line:.2f},{side:.2f}"/>
 </edge>
 <edge id="{APPROACH}" from="a" to="s" priority="1">
  <lane id="{APPROACH}_0" index="0" {lane} length="{line:.2f}" shape="0,{side:.2f} {line:.2f},{side:.2f}"/>
 </edge>
 <edge id="{EXIT}" from="s" to="b" priority="1">
  <lane id="{EXIT}_0" index="0" {lane} length="{end - line:.2f}" shape="{line:.2f},{side:.2f} {end:.2f},{side:.2f}"/>
 </edge>
 <tlLogic id="{SIGNAL}" type="static" programID="0" offset="0"><phase duration="100000" state="r"/></tlLogic>
 <junction id="a" type="dead_end" x="0" y="0" incLanes="" intLanes="" shape="0,0 0,{-width:.2f}"/>
 <junction id="b" type="dead_end" x="{end:.2f}" y="0" incLanes="{EXIT}_0" intLanes=""
  shape="{end:.2f},{-width:.2f} {end:.2f},0"/>
 <junction id="s" type="traffic_light" x="{line:.2f}" y="0" incLanes="{APPROACH}_0" intLanes=":s_0_0"
  shape="{line:.2f},0 {line:.2f},{-width:.2f} {line:.2f},0">
  <request index="0" response="0" foes="0" cont="0"/>
 </junction>
 <connection from="{APPROACH}" to="{EXIT}" fromLane="0" toLane="0" via=":s_0_0" tl="{SIGNAL}" linkIndex="0"
  dir="s" state="O"/>
 <connection from=":s_0" to="{EXIT}" fromLane="0" toLane="0" dir="s" state="M"/>
</net>
""",
        encoding="utf-8",
    )


def write_riders(file: Path, riders: list[Rider], model: RiderModel) -> None:
    """Write the riders as a SUMO route file; each has a type of their own, so that nothing about them is random.

    sigma 0: SUMO adds no dawdling of its own. Sublane model SL2015; a bicycle is 1.6 m long and 0.65 m wide (SUMO's
    own), and keeps 0.5 m to the one before it. SUMO's usual 20 km/h would hold back who is told to ride faster.
    """
    lines = ["<routes>", f' <route id="way" edges="{APPROACH} {EXIT}"/>']
    for rider in riders:
        lines.append(
            f' <vType id="{rider.name}" vClass="bicycle" maxSpeed="{rider.speed_ms:.3f}" speedFactor="1" speedDev="0"'
            f' desiredMaxSpeed="{_LANE_SPEED_MS}"'
            f' accel="{model.acceleration_ms2}" decel="{model.deceleration_ms2}" emergencyDecel="4" sigma="0"'
            f' tau="1" minGap="0.5" minGapLat="0.2" laneChangeModel="SL2015" latAlignment="arbitrary"'
            f' jmDriveAfterRedTime="{rider.red_tolerance_s:.1f}" jmDriveRedSpeed="{model.red_speed_ms}"/>'
        )
    for rider in riders:
        lines.append(
            f' <vehicle id="{rider.name}" type="{rider.name}" route="way" depart="{rider.enters_s:.2f}"'
            ' departSpeed="desired" departPosLat="right"/>'
        )
    file.write_text("\n".join([*lines, "</routes>", ""]), encoding="utf-8")
