# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a simulated study assumes, in words with its numbers: printed with every result, in every form of it."""

from leezenflow_host.flow.riders import ARRIVAL_MARGIN_S, GROUP_HEADWAY_S, RiderModel
from leezenflow_host.flow.study import ARITHMETIC, DISPLAY, PERFECT, SIGNALS, UNSHIFTED, WITHOUT, StudySetup
from leezenflow_host.flow.sumo_worker import MOVING_MS, STOP_MS

NOT_THE_FIELD_STUDY = (
    "This is a model. It does not reproduce the field study of 2021 (6.6 % fewer stops at one site), and its figures "
    "are no forecast for a real site: they change with every assumption above."
)

MEANINGS = {
    WITHOUT: "no display: everybody rides the own speed up to the signal",
    DISPLAY: "our own core on the messages, as a unit would run it",
    PERFECT: "knows what the lamp will show on arrival: the most that better forecasts could give",
    ARITHMETIC: "the controller's likely times added up and believed, stale after 2.6 s",
    UNSHIFTED: "shows what the lamp shows now, as if riders arrived at once",
}
"""Condition -> what it is."""


def list_assumptions(setup: StudySetup) -> list[str]:
    """Return the assumptions behind a study, one sentence or two each."""
    return [*_signal(setup), *_place(setup), *_riders(setup.model), *_display(setup), *_measures(setup)]


def _signal(setup: StudySetup) -> list[str]:
    if setup.trace is not None:
        if setup.truth_file is not None:
            source = f"the lamp did what {setup.truth_file.name} says"
        else:
            source = "the lamp did what the recording itself shows later"
        return [
            f"Signal: the recording {setup.trace.name}; {source}. Every simulated day has this same signal history, so "
            "the intervals hold for other riders, not for other days."
        ]
    return [
        f"Signal: generated, scenario {SIGNALS[setup.signal or 'fixed']}, {setup.duration_s} s a day, another one each "
        "day. No real signal behaves like this; forecasts are the truth plus an error that shrinks.",
    ]


def _place(setup: StudySetup) -> list[str]:
    path = setup.path
    return [
        f"Place: a straight, level path {path.width_m:g} m wide, only bicycles, no crossing traffic, no wind; riders "
        f"enter {path.lead_m:g} m before the display and leave {path.behind_m:g} m behind the stop line. The display "
        f"stands {path.distance_m:g} m before the stop line.",
        f"SUMO with sublanes of {setup.lateral_m:g} m and steps of {setup.step_s:g} s: bicycles 1.6 m long, 0.65 m "
        "wide, beside each other where the width allows; Krauss's car-following without dawdling (sigma 0).",
    ]


def _riders(model: RiderModel) -> list[str]:
    groups = "one by one" if model.group_size <= 1 else f"in groups of {model.group_size:g} on average"
    headway = "" if model.group_size <= 1 else f", {GROUP_HEADWAY_S:g} s from one to the next"
    coasting = (
        f"Who sees no green within {model.coast_m:g} m of the line coasts at {model.coast_factor:.0%} of the own speed."
        if model.coast_m > 0
        else "Nobody coasts towards a red they see: all ride up to the line and brake there, which makes more full "
        "stops than reality has, with and without a display."
    )
    return [
        f"Riders: {model.flow_per_hour:g} an hour, at random (Poisson), {groups}{headway}. Own speed "
        f"{model.speed_ms * 3.6:.1f} km/h, standard deviation {model.speed_spread:.0%}, cut at two of them; "
        f"acceleration {model.acceleration_ms2:g} m/s², braking {model.deceleration_ms2:g} m/s². {coasting}",
        f"Red light: {model.early_red_share:.0%} of the riders cross when it is less than 1 s old, "
        f"{model.any_red_share:.0%} at any time, at {model.red_speed_ms * 3.6:.0f} km/h or less. A display changes "
        "nobody's mind about that; it changes who meets red.",
    ]


def _display(setup: StudySetup) -> list[str]:
    model, site = setup.model, setup.site
    sprint = (
        "The site advises no sprint."
        if site.sprint_ms is None
        else f"Sprint is advised at {setup.path.distance_m / site.sprint_ms * 3600:.0f} km/h and tried by whoever "
        f"needs at most {model.fastest_factor:g} times the own speed for it."
    )
    return [
        f"Compliance: {model.compliance:.0%} of the riders read the display, once, as they pass it, and believe it; "
        "assumed, never measured. The others see nothing.",
        f"What they do: red for so long more means to come that much later, plus {ARRIVAL_MARGIN_S:g} s, but no slower "
        f"than {model.slowest_ms * 3.6:.0f} km/h (who would have to crawl rides on and waits); green means to go on, a "
        f"little faster when it is about to end. {sprint} From {model.sight_m:g} m on, who sees green rides the "
        f"own speed or faster. The display reckons with {setup.path.distance_m / site.cruise_ms * 3600:.1f} km/h for "
        "everybody.",
    ]


def _measures(setup: StudySetup) -> list[str]:
    return [
        f"A stop: slower than {STOP_MS:g} m/s before the stop line or behind it; it is over above {MOVING_MS:g} m/s. "
        "Control delay: travel time less the time at the own speed. Felt loss: 1.1 min a stop and 2.0 min a minute of "
        "waiting. Energy: rolling, air and inertia of 90 kg at the wheel, braking gives none back.",
        f"Intervals: 95 %, t over {len(setup.seeds)} days; riders and signals of a day are the same under every "
        "condition (paired).",
    ]
