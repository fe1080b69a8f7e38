# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a unit is (Board) and where it stands (Site), from the json that the host checked and compiled.

The host has checked every value with all errors at once. Here only what would fail later, far from its cause, is
checked again: a file of another version, a missing key, a value of another type.
"""

from leezenflow.errors import LeezenflowError

BOARD_FORMAT = 1
SITE_FORMAT = 1

_MISSING = object()


def _take(values, where, key, kinds, default=_MISSING):
    """Return `values[key]`, an instance of `kinds`; the default also stands for null."""
    value = values.get(key)
    if value is None:
        if default is not _MISSING:
            return default
        raise LeezenflowError("%s: %s is missing; install the configuration again" % (where, key))
    # bool is an int for Python, never for us.
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise LeezenflowError(
            "%s: %s is %r, a value of the wrong type; install the configuration again" % (where, key, value)
        )
    return value


def _check_format(values, where, key, known):
    if not isinstance(values, dict):
        raise LeezenflowError("%s: not a json object; install the configuration again" % where)
    found = values.get(key)
    if found != known:
        raise LeezenflowError(
            "%s: %s is %r, this firmware reads %d; install firmware and configuration together"
            % (where, key, found, known)
        )


class Board:
    """A physical build: chip, display and the way to a network.

    `display` is a dict with `driver`, `width`, `height` (visible pixels, 32 and 96 unless the board says otherwise)
    and the driver's own options; `network` is a dict, or None where the board has none; `light` names the ambient light
    sensor and its options, None without one.
    """

    def __init__(self, name, title, chip, display, network=None, light=None):
        self.name = name
        self.title = title
        self.chip = chip
        self.display = display
        self.driver = display["driver"]
        self.width = display["width"]
        self.height = display["height"]
        self.network = network
        self.light = light

    @classmethod
    def from_dict(cls, values, where="board.json"):
        """Return the Board that compiled json describes; LeezenflowError names the file (`where`) and the key."""
        _check_format(values, where, "leezenflow_board", BOARD_FORMAT)
        display = _take(values, where, "display", dict)
        inside = where + ": display"
        _take(display, inside, "driver", str)
        _take(display, inside, "width", int)
        _take(display, inside, "height", int)
        return cls(
            _take(values, where, "name", str),
            _take(values, where, "title", str, ""),
            _take(values, where, "chip", str),
            display,
            _take(values, where, "network", dict, None),
            _take(values, where, "light", dict, None),
        )


class Site:
    """Where a unit stands and whom it advises.

    `region` is None for any region. `cruise_ms` and `sprint_ms` are the rider's travel times from the display to the
    stop line (`sprint_ms` None: never advise to sprint). `clearance` is "red" or "green": what amber after green
    counts as. `max_wrong_permille` is the share of wrong claims that the site accepts, None: no limit asked for.
    `source` is the URL the messages come from, `adapter` the name of their decoder; both may be None on a laptop.
    `brightness` (1..255) is the most the panel gets; `light` (None: always that) is a dict of `latitude_cdeg`,
    `longitude_cdeg` (hundredths of a degree, or None), `floor` and `night` ([from, to, brightness], minutes UTC; None).
    """

    def __init__(
        self,
        signal_group,
        intersection_id,
        region=None,
        cruise_ms=22000,
        sprint_ms=None,
        clearance="red",
        max_wrong_permille=None,
        adapter=None,
        adapter_options=None,
        source=None,
        look="green_wave",
        look_options=None,
        brightness=255,
        unit_name="",
        light=None,
    ):
        self.signal_group = signal_group
        self.intersection_id = intersection_id
        self.region = region
        self.cruise_ms = cruise_ms
        self.sprint_ms = sprint_ms
        self.clearance = clearance
        self.max_wrong_permille = max_wrong_permille
        self.adapter = adapter
        self.adapter_options = adapter_options if adapter_options is not None else {}
        self.source = source
        self.look = look
        self.look_options = look_options if look_options is not None else {}
        self.brightness = brightness
        self.unit_name = unit_name
        self.light = light

    @classmethod
    def from_dict(cls, values, where="site.json"):
        """Return the Site that compiled json describes; LeezenflowError names the file (`where`) and the key."""
        _check_format(values, where, "leezenflow_site", SITE_FORMAT)
        signal = _take(values, where, "signal", dict)
        rider = _take(values, where, "rider", dict)
        look = _take(values, where, "look", dict, {})
        unit = _take(values, where, "unit", dict, {})
        inside = where + ": signal"
        clearance = _take(signal, inside, "clearance", str, "red")
        if clearance not in ("red", "green"):
            raise LeezenflowError('%s: clearance is %r, it must be "red" or "green"' % (inside, clearance))
        look_options = {}
        for key in look:
            if key not in ("name", "brightness"):
                look_options[key] = look[key]
        return cls(
            _take(signal, inside, "signal_group", int),
            _take(signal, inside, "intersection", int),
            _take(signal, inside, "region", int, None),
            _take(rider, where + ": rider", "cruise_ms", int),
            _take(rider, where + ": rider", "sprint_ms", int, None),
            clearance,
            _take(signal, inside, "max_wrong_permille", int, None),
            _take(signal, inside, "adapter", str, None),
            _take(signal, inside, "options", dict, {}),
            _take(signal, inside, "source", str, None),
            _take(look, where + ": look", "name", str, "green_wave"),
            look_options,
            _take(look, where + ": look", "brightness", int, 255),
            _take(unit, where + ": unit", "name", str, ""),
            _take(values, where, "light", dict, None),
        )
