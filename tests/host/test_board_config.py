# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Board files: every bundled one is right, and everything that is wrong with one is told at once."""

from pathlib import Path

import pytest

from leezenflow.board import Board
from leezenflow_host.board_config import board_folder, board_names, display_options, read_board, read_board_file
from leezenflow_host.drivers import driver_names, driver_options, read_literals
from leezenflow_host.errors import InputError
from leezenflow_host.image import build_image
from leezenflow_host.problems import describe_option

BOARD = """
[board]
title = "On the bench"
chip = "RP2040"
micropython = ["RPI_PICO"]
[display]
driver = "hub75_rp2"
rotation = 90
panel_widths = [64, 32]
oe_pin = 14
latch_pin = 15
[network]
kind = "wifi"
[device]
fps = 30
[source]
verified = "none"
pins = "read off the board"
"""


@pytest.fixture
def board_file(tmp_path: Path) -> Path:
    return tmp_path / "bench.toml"


def complaints(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_board_file(file)
    return str(error.value)


@pytest.mark.parametrize("name", board_names())
def test_a_bundled_board_is_right_and_readable_on_the_device(name):
    config = read_board(name)
    board = config.board()
    assert (board.name, board.width, board.height) == (name, 32, 96)
    assert config.source, "says where its numbers come from"
    assert bool(config.micropython) != config.is_linux


def test_the_boards_of_the_house_are_there():
    assert {
        *("virtual", "interstate75", "interstate75_w", "interstate75_w_rp2040", "pico_w_hub75", "pico2_w_hub75"),
        *("pico_w_ws2812", "esp32_neopixel", "raspberrypi_neopixel", "raspberrypi_rgb_hat"),
    } <= set(board_names())
    assert (board_folder() / "virtual.toml").is_file()


def test_a_board_in_full_is_compiled_with_every_default(board_file):
    board_file.write_text(BOARD)
    config = read_board(str(board_file))
    display = config.values["display"]
    assert (display["width"], display["height"], display["oe_pin"], display["planes"]) == (32, 96, 14, 8)
    assert config.values["device"] == {"fps": 30}
    assert config.values["network"] == {"kind": "wifi", "country": "DE"}
    assert (config.name, config.title, config.chip, config.verified) == ("bench", "On the bench", "RP2040", "none")
    assert config.source == {"pins": "read off the board"}
    assert config.virtual is None
    assert Board.from_dict(config.values).display == display


def test_a_board_with_ethernet_and_one_with_a_setup_button(board_file):
    board_file.write_text(BOARD.replace('kind = "wifi"', 'kind = "ethernet_w5500"\ncs_pin = 5'))
    network = read_board(str(board_file)).values["network"]
    assert (network["kind"], network["cs_pin"], network["reset_pin"]) == ("ethernet_w5500", 5, 20)
    assert "setup" not in read_board(str(board_file)).values
    board_file.write_text(BOARD.replace("[network]", "[setup]\nbutton = 14\n[network]"))
    board = read_board(str(board_file))
    assert board.values["setup"] == {"button": 14, "active_low": True}
    image = build_image(board, None, compiler=None)
    for name in ("setup_button", "setup_portal", "setup_page", "networks/wifi", "networks/addresses"):
        assert f"/a/leezenflow_device/{name}.py" in image.files
    assert not any("ethernet" in path for path in image.files)


def test_all_problems_are_told_at_once(board_file):
    text = complaints(
        board_file,
        """[board]
title = ""
chip = "RP2400"
micropythn = []
[display]
driver = "hub75_rp2"
rotaton = 90
oe_pin = 99
planes = "8"
[network]
country = "Germany"
[device]
fps = 100
wachdog_ms = 1
[source]
verified = "yes"
pins = 3
[virtul]
""",
    )
    assert len(text.splitlines()) == 13
    for words in (
        ":2: [board] title is ''",
        ':3: [board] chip is \'RP2400\': give the chip: "RP2040", "RP2350"',
        ":4: [board] micropythn is an unknown key; did you mean 'micropython'?",
        "[board] micropython is missing",
        ":7: [display] rotaton is an unknown option; did you mean 'rotation'?",
        ":8: [display] oe_pin is 99: give a whole number from 0 to 29 (GPIO of OE",
        ":9: [display] planes is '8': give a whole number from 5 to 11",
        ":11: [network] country is 'Germany'",
        ":13: [device] fps is 100: give a whole number from 1 to 50",
        ":14: [device] wachdog_ms is an unknown option; did you mean 'watchdog_ms'",
        ":16: [source] verified is 'yes'",
        ":17: [source] pins is 3: give text",
        ":18: virtul is an unknown key; did you mean 'virtual'?",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("replaced", "by", "words"),
    [
        ("hub75_rp2", "hub75_rp", "[display] driver is 'hub75_rp', which is not known; did you mean 'hub75_rp2'"),
        ('driver = "hub75_rp2"', "", "[display] driver is missing: give one of "),
        ("[64, 32]", "[64, 64]", "display does not fit together: panel_widths = [64, 64]"),
        ("[64, 32]", '[64, "32"]', "panel_widths is [64, '32']: give a list of numbers from 1 to 512"),
        ("rotation = 90", "rotation = 45", "[display] rotation is 45: give 0, 90, 180 or 270"),
        ('pins = "read off the board"', "pins = 3", "[source] pins is 3: give text"),
        ("[network]", "[virtual]\nheap_kb = 128\n[network]", 'is a table for chip = "virtual" only'),
        ("[source]", "[sources]", "source is missing: give a table [source]"),
        ('["RPI_PICO"]', "[]", "[board] micropython is []"),
        ('kind = "wifi"', 'kind = "wify"', "[network] kind is 'wify', which is not known; did you mean 'wifi'"),
        ('kind = "wifi"', 'kind = "ethernet_w5500"\ncs_pin = 99', "[network] cs_pin is 99: give a whole number"),
        ('kind = "wifi"', 'kind = "ethernet_w5500"\ncountry = "DE"', "country is an unknown option"),
        ("[network]", "[setup]\nbuton = 3\n[network]", "[setup] buton is an unknown option; did you mean 'button'?"),
        ("[network]", "[setup]\n[network]", "[setup] button is missing: give a whole number from 0 to 47 (pin of"),
        ('kind = "wifi"', 'kind = "ethernet_w5500"\n[setup]\nbutton = 3', "setup is a table for boards with"),
    ],
)
def test_a_wrong_value_says_what_is_allowed(board_file, replaced, by, words):
    assert replaced in BOARD
    assert words in complaints(board_file, BOARD.replace(replaced, by, 1))


LINUX = """
[board]
title = "On a Raspberry Pi"
chip = "linux"
[display]
driver = "neopixel_blinka"
pin = "D10"
[device]
fps = 10
[source]
verified = "none"
"""


def test_a_linux_unit_takes_displays_of_the_host(board_file):
    board_file.write_text(LINUX)
    config = read_board(str(board_file))
    assert config.is_linux and config.micropython == []
    assert (config.values["display"]["pin"], config.values["display"]["wiring"]) == ("D10", "rows")
    with pytest.raises(InputError, match=r"bench is a Linux unit.* run: leezenflow run --board bench"):
        config.require_device()
    read_board("virtual").require_device()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LINUX.replace("neopixel_blinka", "hub75_rp2"), "runs on boards, not on a Linux unit"),
        (LINUX.replace('"linux"', '"linux"\nmicropython = ["X"]'), "micropython is for boards"),
        (LINUX.replace("[device]", "[network]\n[device]"), "network is a table for boards"),
        (LINUX.replace("[device]", '[light]\nsensor = "bh1750"\n[device]'), "light is a table for boards"),
        (LINUX.replace("fps = 10", "health_s = 10"), "[device] health_s is an unknown option"),
        (BOARD.replace("hub75_rp2", "neopixel_blinka"), 'runs on a Linux unit (chip = "linux"), not here'),
        (BOARD.replace('micropython = ["RPI_PICO"]', ""), "[board] micropython is missing"),
        (BOARD.replace("[device]", "[light]\n[device]"), "[light] sensor is missing: give one of adc_light, bh1750"),
        (BOARD.replace("[device]", '[light]\nsensor = "bh1751"\n[device]'), "did you mean 'bh1750'"),
        (BOARD.replace("[device]", '[light]\nsensor = "bh1750"\nsda_pin = 99\n[device]'), "sda_pin is 99"),
    ],
)
def test_what_belongs_to_another_kind_of_unit_is_refused(board_file, text, words):
    assert words in complaints(board_file, text)


IMAGE = """
[interpreter]
file = "RPI_PICO-[0-9]*-v*.uf2"
versions = ["1.28.0"]
sha256 = ["%s"]
""" % ("0a" * 32)


def test_an_interpreter_is_pinned_by_its_hash(board_file):
    board_file.write_text(BOARD)
    unpinned = read_board(str(board_file)).interpreter
    assert unpinned is not None and (unpinned.file, unpinned.sha256) == ("RPI_PICO-*.uf2", [])
    board_file.write_text(BOARD + IMAGE)
    config = read_board(str(board_file))
    assert config.interpreter is not None and config.interpreter.sha256 == ["0a" * 32]
    assert "interpreter" not in config.values, "no business of the device"
    assert read_board("virtual").interpreter is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOARD + IMAGE.replace("0a0a", "0A0A"), "[interpreter] sha256 is '0A0A"),
        (BOARD + IMAGE.replace(".uf2", ".bin"), "an image for RP2040 ends in .uf2"),
        (BOARD + IMAGE.replace("RPI_PICO-", "../RPI_PICO-"), "[interpreter] file is '../RPI_PICO-"),
        (BOARD + IMAGE.replace('"1.28.0"', '"v1.28"'), "[interpreter] versions is 'v1.28'"),
        (BOARD + IMAGE.replace("file", "files"), "[interpreter] files is an unknown key; did you mean 'file'?"),
        (BOARD + "[interpreter]\nfile = 'X-*.uf2'\nversions = ['1.28.0']\n", "versions are named, but no sha256"),
        (LINUX + IMAGE, 'interpreter is a table for chips that get an image, not for "linux": leave it out'),
    ],
)
def test_a_wrong_interpreter_says_what_is_allowed(board_file, text, words):
    assert words in complaints(board_file, text)


def test_pins_of_bundled_hub75_boards_are_free_and_in_the_order_the_driver_needs():
    for name in board_names():
        config = read_board(name)
        if config.driver != "hub75_rp2":
            continue
        display = config.values["display"]
        data = range(display["data_pin"], display["data_pin"] + 6)
        address = range(display["address_pin"], display["address_pin"] + 5)
        pins = [*data, *address, display["clock_pin"], display["latch_pin"], display["oe_pin"]]
        assert len(set(pins)) == len(pins) == 14
        assert abs(display["latch_pin"] - display["oe_pin"]) == 1
        # What the radio of a Pico W takes.
        assert not {23, 24, 25, 29}.intersection(pins)


def test_an_unknown_board_is_guessed():
    with pytest.raises(InputError, match="There is no board 'virtal'; did you mean 'virtual'"):
        read_board("virtal")
    with pytest.raises(InputError, match="there are esp32_neopixel, interstate75"):
        read_board("zzz")


def test_a_board_file_that_is_not_there_or_badly_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file; a board configuration was expected"):
        read_board(str(tmp_path / "x.toml"))
    bad = tmp_path / "My Board.toml"
    bad.write_text(BOARD)
    with pytest.raises(InputError, match="small letters, digits and underscores"):
        read_board(str(bad))


@pytest.mark.parametrize("kind", ["display", "host_display", "sensor", "transport", "look", "adapter"])
def test_every_driver_declares_options_that_can_be_read_and_described(kind):
    names = driver_names(kind)
    assert names
    for name in names:
        for option, rule in driver_options(kind, name).items():
            assert describe_option(rule), option
            assert rule["type"] in ("int", "float", "bool", "str", "list")
            assert rule.get("help"), f"{kind} {name}: {option} has no help"


def test_only_drivers_that_use_the_pixel_map_take_its_options():
    assert "rotation" in display_options("hub75_rp2")
    assert "rotation" not in display_options("virtual")


def test_options_that_are_not_literal_are_refused(tmp_path):
    file = tmp_path / "driver.py"
    file.write_text("import machine\nOPTIONS = {'pin': machine.pins()}\n")
    with pytest.raises(InputError, match=r"driver.py:2: OPTIONS must be a literal"):
        read_literals(file, "OPTIONS")
    file.write_text("OPTIONS: dict = {'pin': {'type': 'int'}}\n")
    assert read_literals(file, "OPTIONS", "RUNTIMES") == {"OPTIONS": {"pin": {"type": "int"}}}
