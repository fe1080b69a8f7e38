# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Site files: what is right compiles to what boards read, and everything that is wrong is told at once."""

from pathlib import Path

import pytest

from leezenflow.board import Site
from leezenflow_host.board_config import read_board
from leezenflow_host.errors import InputError
from leezenflow_host.image import build_image
from leezenflow_host.site_config import example_site, parse_intersection, read_site, travel_time_ms

SITE = """
[unit]
name = "north"
[signal]
intersection = "49:1090"
signal_group = 12
adapter = "spatem_xml"
source = "mqtt://127.0.0.1:1883/spat/1090?qos=1"
clearance = "green"
max_wrong = 2.5
[rider]
distance_m = 110
cruise_kmh = 18
sprint_kmh = 24.5
[look]
name = "green_wave"
palette = "night"
brightness = 90
"""


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    return tmp_path / "site.toml"


def complaints(file: Path, text: str) -> list[str]:
    """The lines of the complaint about a site file, without the name of the file."""
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_site(file)
    return [line.removeprefix(f"{file}:") for line in str(error.value).splitlines()]


def test_a_site_in_full_is_compiled_as_boards_read_it(site_file):
    site_file.write_text(SITE)
    values = read_site(site_file).values
    assert values == {
        "leezenflow_site": 1,
        "unit": {"name": "north"},
        "signal": {
            "region": 49,
            "intersection": 1090,
            "signal_group": 12,
            "adapter": "spatem_xml",
            "options": {},
            "source": "mqtt://127.0.0.1:1883/spat/1090?qos=1",
            "clearance": "green",
            "max_wrong_permille": 25,
        },
        "rider": {"cruise_ms": 22000, "sprint_ms": 16163},
        "look": {"name": "green_wave", "brightness": 90, "palette": "night"},
    }
    site = Site.from_dict(values)
    assert (site.region, site.intersection_id, site.signal_group, site.sprint_ms) == (49, 1090, 12, 16163)


def test_little_is_enough(site_file):
    site_file.write_text("[signal]\nintersection = 1090\nsignal_group = 1\n[rider]\ndistance_m = 50\n")
    site = read_site(site_file).site()
    assert (site.region, site.intersection_id, site.cruise_ms, site.sprint_ms) == (None, 1090, 10000, None)
    assert (site.look, site.look_options, site.brightness, site.clearance) == (
        "green_wave",
        {"palette": "muenster"},
        255,
        "red",
    )


def test_the_bundled_example_is_right_and_fit_for_a_board():
    example = example_site()
    example.require_device()
    assert example.values["signal"]["intersection"] == 1090
    assert example.values["rider"] == {"cruise_ms": 22000, "sprint_ms": 16500}


def test_all_problems_are_told_at_once_with_line_key_and_a_guess(site_file):
    found = complaints(
        site_file,
        """[unit]
nmae = "x"
[signal]
intersection = "one"
signal_group = "12"
adapter = "spatem_xlm"
source = "mqt://broker/topic"
clearance = "amber"
[rider]
distance_m = 2
cruise_kmh = 18
sprint_kmh = 15
[look]
name = "green_wav"
brightness = 900
[lok]
""",
    )
    assert [line.split(" ")[0] for line in found] == [f"{n}:" for n in (2, 4, 5, 6, 7, 8, 10, 12, 14, 15, 16)]
    text = "\n".join(found)
    for words in (
        "[unit] nmae is an unknown key; did you mean 'name'?",
        '[signal] intersection is \'one\': give "REGION:ID" such as "49:1090"',
        "[signal] signal_group is '12': give the number of the signal group, 1 to 255",
        "[signal] adapter is 'spatem_xlm', which is not known; did you mean 'spatem_xml'",
        "[signal] source has 'mqt://', which is not known; did you mean 'mqtt'",
        '[signal] clearance is \'amber\': give "red" or "green"',
        "[rider] distance_m is 2: give the way from the display to the stop line in metres, a number from 5 to 500",
        "[rider] sprint_kmh is 15: give more than the usual speed (18 km/h), or leave it out",
        "[look] name is 'green_wav', which is not known; did you mean 'green_wave'",
        "[look] brightness is 900: give a whole number from 1 to 255",
        "lok is an unknown key; did you mean 'look'?",
    ):
        assert words in text


def test_missing_tables_and_keys_are_named(site_file):
    assert complaints(site_file, "") == [
        " signal is missing: give a table [signal]",
        " rider is missing: give a table [rider]",
    ]
    found = complaints(site_file, "[signal]\n[rider]\n")
    assert [line.split(" ")[2] for line in found] == ["intersection", "signal_group", "distance_m"]


@pytest.mark.parametrize(
    ("replaced", "by", "words"),
    [
        ("mqtt://127.0.0.1:1883/spat/1090?qos=1", "mqtt://u:secret@h/t", "[signal] source is not usable"),
        ("qos=1", "qos=3", "[signal] source has qos=3: give a whole number from 0 to 1"),
        ("qos=1", "qqs=1", "[signal] source has 'qqs=', which is not known; did you mean 'qos'?"),
        ("night", "nigth", "[look] palette is 'nigth': give 'colour_vision_safe',"),
        ('palette = "night"', 'paalette = "night"', "[look] paalette is an unknown option; did you mean 'palette'?"),
        ("max_wrong = 2.5", "max_wrong = 101", "[signal] max_wrong is 101"),
        ("signal_group = 12", "signal_group = 0", "[signal] signal_group is 0"),
        ("signal_group = 12", "signal_group = true", "[signal] signal_group is True"),
        ("49:1090", "49:65536", "region and id are numbers up to 65535"),
        ("cruise_kmh = 18", "cruise_kmh = 60", "[rider] cruise_kmh is 60"),
        ('clearance = "green"', "[signal.options]\nx = 1", "[signal.options] x is an unknown option"),
        ('adapter = "spatem_xml"', "options = {x = 1}", "[signal] options is there without an adapter"),
        ("[unit]", "unit = 3\n[uni]", "unit is 3"),
    ],
)
def test_a_wrong_value_says_what_is_allowed(site_file, replaced, by, words):
    assert replaced in SITE
    assert words in "\n".join(complaints(site_file, SITE.replace(replaced, by)))


def test_what_is_not_toml_is_said_with_its_place(site_file):
    assert "not TOML" in complaints(site_file, "[signal]\nadapter = spatem_xml\n")[0]
    assert "line 2" in complaints(site_file, "[signal]\nadapter = spatem_xml\n")[0]


def test_what_is_no_file_or_no_text_is_said(site_file):
    with pytest.raises(InputError, match="there is no such file; a site configuration was expected there"):
        read_site(site_file)
    with pytest.raises(InputError, match="is a folder"):
        read_site(site_file.parent)
    site_file.write_bytes(b'[unit]\nname = "\xff"')
    with pytest.raises(InputError, match="byte 15 is not UTF-8"):
        read_site(site_file)


def test_a_site_for_a_board_needs_adapter_and_source(site_file):
    site_file.write_text("[signal]\nintersection = 1\nsignal_group = 1\n[rider]\ndistance_m = 50\n")
    with pytest.raises(InputError) as error:
        read_site(site_file).require_device()
    assert "source is missing" in str(error.value)
    assert "adapter is missing: give one of " in str(error.value) and "spatem_xml" in str(error.value)


def test_a_still_picture_needs_no_messages(site_file):
    site_file.write_text(
        '[signal]\nintersection = 1\nsignal_group = 1\n[rider]\ndistance_m = 50\n[look]\nname = "test_pattern"\n'
        'palette = "night"\n'
    )
    site = read_site(site_file)
    site.require_device()
    assert "palette" not in site.values["look"]


def test_travel_times_are_whole_milliseconds():
    assert travel_time_ms(110, 18) == 22000
    assert travel_time_ms(100, 17) == 21176


@pytest.mark.parametrize("text", ["49:1090:1", ":1090", "49:", "-1", "4 9:1", "", None, 1.5, True, "1e3"])
def test_what_is_no_intersection(text):
    with pytest.raises(ValueError, match="give"):
        parse_intersection(text)


def test_intersections():
    assert parse_intersection("49:1090") == (49, 1090)
    assert parse_intersection(" 1090 ") == (None, 1090)
    assert parse_intersection(0) == (None, 0)
    assert parse_intersection("0:65535") == (0, 65535)


LIGHT = """
[light]
latitude = 51.96
longitude = 7.625
night = "22:00-05:30"
night_brightness = 15
utc_offset_h = 1
"""


def test_light_is_compiled_to_hundredths_and_utc_minutes(site_file):
    site_file.write_text(SITE + LIGHT)
    site = read_site(site_file)
    light = {"latitude_cdeg": 5196, "longitude_cdeg": 762, "floor": 6, "night": [1260, 270, 15]}
    assert site.values["light"] == light
    assert site.site().light == light
    site_file.write_text(SITE + "[light]\nfloor = 3\n")
    nothing = {"latitude_cdeg": None, "longitude_cdeg": None, "floor": 3, "night": None}
    assert read_site(site_file).values["light"] == nothing
    site_file.write_text(SITE)
    assert "light" not in read_site(site_file).values


@pytest.mark.parametrize(
    ("replaced", "by", "words"),
    [
        ("latitude = 51.96", "", "[light] latitude is missing: give it with the longitude"),
        ("longitude = 7.625", "", "[light] longitude is missing: give it with the latitude"),
        ("latitude = 51.96", "latitude = 519.6", "give degrees north, a number from -90 to 90"),
        ("22:00-05:30", "22-5", "night is '22-5': give \"HH:MM-HH:MM\""),
        ("22:00-05:30", "24:00-05:30", "give"),
        ("22:00-05:30", "05:30-05:30", "it begins when it ends"),
        ("night_brightness = 15", "night_brightness = 0", "the most brightness at night, 1 to 255"),
        ("night_brightness", "night_brightnes", "did you mean 'night_brightness'"),
    ],
)
def test_a_wrong_light_is_named(site_file, replaced, by, words):
    assert replaced in LIGHT
    (line,) = complaints(site_file, SITE + LIGHT.replace(replaced, by))
    assert words in line


def test_a_signal_plan_is_checked_before_it_gets_to_a_board(site_file):
    text = SITE.replace('adapter = "spatem_xml"', 'adapter = "fixed_time"').replace(
        'clearance = "green"', 'options = {plans = ["day ofset=12 red=45 green=45"]}'
    )
    (complaint,) = complaints(site_file, text)
    assert "[signal] options are not usable: fixed_time: plans: 'day ofset=12" in complaint
    site_file.write_text(text.replace("ofset", "offset"))
    assert read_site(site_file).site().adapter_options["settle_s"] == 180


def with_sources(sources: str) -> str:
    return SITE.replace('"mqtt://127.0.0.1:1883/spat/1090?qos=1"', sources)


def test_several_sources_in_order_of_preference(site_file):
    site_file.write_text(with_sources('["mqtts://broker/spat/1090?ca=city.der&qos=1", "udp://0.0.0.0:4711"]'))
    site = read_site(site_file)
    assert site.values["signal"]["source"] == "mqtts://broker/spat/1090?ca=city.der&qos=1"
    assert site.values["signal"]["more_sources"] == ["udp://0.0.0.0:4711"]
    assert site.values["signal"]["failover_s"] == 20
    assert site.site().source == "mqtts://broker/spat/1090?ca=city.der&qos=1"
    site.require_device()
    image = build_image(read_board("virtual"), site, compiler=None)
    for name in ("mqtts", "mqtt", "udp", "failover"):
        assert f"/a/leezenflow_device/transports/{name}.py" in image.files


def test_a_list_of_one_source_is_one_source(site_file):
    site_file.write_text(with_sources('["udp://0.0.0.0:4711"]'))
    site = read_site(site_file)
    assert site.values["signal"]["source"] == "udp://0.0.0.0:4711"
    assert "more_sources" not in site.values["signal"] and "failover_s" not in site.values["signal"]
    image = build_image(read_board("virtual"), site, compiler=None)
    assert not any("failover" in path or "mqtt" in path for path in image.files)


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ('["udp://0.0.0.0:4711", "udp://0.0.0.0:4711"]', "names the same source twice"),
        ('["udp://0.0.0.0:4711", "clock://ntp"]', "has clock:// in a list"),
        ('["usb://", "udp://0.0.0.0:4711"]', "has usb:// in a list: that one stands alone"),
        ('["udp://0.0.0.0:4711", "mqt://b/t"]', "has 'mqt://', which is not known"),
        ('["udp://0.0.0.0:4711", "mqtts://b/t?caa=x"]', "has 'caa=', which is not known; did you mean 'ca'"),
        ("[]", "source is []"),
        ('["udp://0.0.0.0:4711", 7]', "source is"),
        ('"udp://0.0.0.0:4711"\nfailover_s = 2', "failover_s is 2"),
    ],
)
def test_what_is_wrong_with_a_list_of_sources(site_file, sources, words):
    assert words in "\n".join(complaints(site_file, with_sources(sources)))
