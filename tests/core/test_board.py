# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Board and Site read what the host compiled, and name file and key of what they cannot read."""

import json

from leezenflow.board import Board, Site
from leezenflow.errors import LeezenflowError


def board_values():
    return {
        "leezenflow_board": 1,
        "name": "bench",
        "title": "A board on the bench",
        "chip": "RP2040",
        "display": {"driver": "virtual", "width": 32, "height": 96, "rotation": 90},
        "network": None,
    }


def site_values():
    return {
        "leezenflow_site": 1,
        "unit": {"name": "north"},
        "signal": {
            "region": 49,
            "intersection": 1090,
            "signal_group": 12,
            "adapter": "spatem_xml",
            "options": {"limit": 3},
            "source": "mqtt://127.0.0.1:1883/spat/1090",
            "clearance": "green",
            "max_wrong_permille": 25,
        },
        "rider": {"cruise_ms": 22000, "sprint_ms": 16500},
        "look": {"name": "dark", "palette": "muenster", "brightness": 128},
    }


def complaint(cls, values, where=None):
    try:
        if where is None:
            cls.from_dict(values)
        else:
            cls.from_dict(values, where)
    except LeezenflowError as error:
        return str(error)
    raise AssertionError("accepted: %r" % (values,))


def without(values, *path):
    part = values
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return values


def with_value(values, value, *path):
    part = values
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return values


def test_board_keeps_the_drivers_own_options():
    board = Board.from_dict(json.loads(json.dumps(board_values())))
    assert (board.name, board.title, board.chip) == ("bench", "A board on the bench", "RP2040")
    assert (board.driver, board.width, board.height) == ("virtual", 32, 96)
    assert board.display["rotation"] == 90
    assert board.network is None


def test_board_with_a_network():
    board = Board.from_dict(with_value(board_values(), {"kind": "wifi", "country": "DE"}, "network"))
    assert board.network == {"kind": "wifi", "country": "DE"}


def test_site_in_full():
    site = Site.from_dict(json.loads(json.dumps(site_values())))
    assert (site.region, site.intersection_id, site.signal_group) == (49, 1090, 12)
    assert (site.adapter, site.adapter_options) == ("spatem_xml", {"limit": 3})
    assert site.source == "mqtt://127.0.0.1:1883/spat/1090"
    assert (site.clearance, site.max_wrong_permille) == ("green", 25)
    assert (site.cruise_ms, site.sprint_ms) == (22000, 16500)
    assert (site.look, site.look_options, site.brightness) == ("dark", {"palette": "muenster"}, 128)
    assert site.unit_name == "north"


def test_light_is_there_where_it_was_asked_for():
    light = {"latitude_cdeg": 5196, "longitude_cdeg": 763, "floor": 6, "night": [1260, 270, 20]}
    assert Site.from_dict(with_value(site_values(), light, "light")).light == light
    assert Site.from_dict(site_values()).light is None
    sensor = {"sensor": "bh1750", "i2c": 0}
    assert Board.from_dict(with_value(board_values(), sensor, "light")).light == sensor
    assert Board.from_dict(board_values()).light is None


def test_site_needs_only_the_signal_and_the_travel_time():
    values = {"leezenflow_site": 1, "signal": {"intersection": 7, "signal_group": 1}, "rider": {"cruise_ms": 1000}}
    site = Site.from_dict(values)
    assert (site.region, site.adapter, site.source, site.adapter_options) == (None, None, None, {})
    assert (site.clearance, site.max_wrong_permille, site.sprint_ms) == ("red", None, None)
    assert (site.look, site.look_options, site.brightness, site.unit_name) == ("green_wave", {}, 255, "")


def test_options_of_two_sites_are_not_the_same_dict():
    one, other = Site(1, 7), Site(1, 7)
    one.look_options["palette"] = "night"
    one.adapter_options["x"] = 1
    assert other.look_options == {} and other.adapter_options == {}


def test_missing_key_is_named_with_its_file_and_section():
    text = complaint(Site, without(site_values(), "signal", "signal_group"), "/site.json")
    assert text.startswith("/site.json: signal: signal_group is missing")
    assert "rider: cruise_ms is missing" in complaint(Site, without(site_values(), "rider", "cruise_ms"))
    assert "display: driver is missing" in complaint(Board, without(board_values(), "display", "driver"))
    assert "board.json: name is missing" in complaint(Board, without(board_values(), "name"))


def test_wrong_type_is_named():
    text = complaint(Site, with_value(site_values(), "12", "signal", "signal_group"))
    assert "signal_group is '12'" in text
    assert "cruise_ms" in complaint(Site, with_value(site_values(), True, "rider", "cruise_ms"))
    assert "width" in complaint(Board, with_value(board_values(), "32", "display", "width"))
    assert "network" in complaint(Board, with_value(board_values(), "wifi", "network"))


def test_unknown_clearance_is_refused():
    text = complaint(Site, with_value(site_values(), "amber", "signal", "clearance"))
    assert "clearance is 'amber'" in text


def test_other_version_and_foreign_json_are_refused():
    assert "leezenflow_board is 2" in complaint(Board, with_value(board_values(), 2, "leezenflow_board"))
    assert "leezenflow_site is None" in complaint(Site, without(site_values(), "leezenflow_site"))
    assert "not a json object" in complaint(Site, [1, 2])
