# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options about signal and rider that commands share: options over site file over the recording's header."""

from pathlib import Path

import pytest
import rich_click as click
from click.testing import CliRunner

from leezenflow_host.errors import InputError
from leezenflow_host.site_options import SiteOptions, UnknownSignalError, site_from_options, site_options

SITE = """
[signal]
intersection = "49:1090"
signal_group = 12
adapter = "spatem_xml"
[rider]
distance_m = 80
cruise_kmh = 16
[look]
name = "dark"
"""


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(SITE)
    return file


def test_options_alone_are_a_site():
    site = site_from_options(SiteOptions(intersection="49:1090", signal_group=12, sprint=24, max_wrong=5))
    assert (site.region, site.intersection_id, site.signal_group) == (49, 1090, 12)
    assert (site.cruise_ms, site.sprint_ms, site.max_wrong_permille) == (22000, 16500, 50)


def test_options_override_the_site_file(site_file):
    site = site_from_options(SiteOptions(site=site_file, signal_group=14, distance=160.0))
    assert (site.intersection_id, site.signal_group, site.cruise_ms, site.look) == (1090, 14, 36000, "dark")


def test_a_recording_fills_what_nobody_said():
    header = {"leezenflow_trace": 1, "adapter": "spatem_xml", "intersection": "49:1090", "signal_group": 12}
    site = site_from_options(SiteOptions(), header)
    assert (site.region, site.intersection_id, site.signal_group, site.adapter) == (49, 1090, 12, "spatem_xml")
    assert site_from_options(SiteOptions(signal_group=14), header).signal_group == 14


def test_a_recording_knows_its_adapter_better_than_a_site_file_but_not_than_an_option(site_file):
    header = {"adapter": "spatem_uper", "signal_group": 99}
    site = site_from_options(SiteOptions(site=site_file), header)
    assert (site.adapter, site.signal_group) == ("spatem_uper", 12)
    assert site_from_options(SiteOptions(site=site_file, adapter="spatem_xml"), header).adapter == "spatem_xml"


def test_an_unknown_signal_names_what_is_missing():
    with pytest.raises(UnknownSignalError) as error:
        site_from_options(SiteOptions(intersection="1090"), {"adapter": "spatem_xml"})
    assert error.value.missing == ["--signal-group"]
    with pytest.raises(UnknownSignalError, match="--intersection and --signal-group"):
        site_from_options(SiteOptions())


def test_problems_name_the_option_they_came_from(site_file):
    with pytest.raises(InputError) as error:
        site_from_options(
            SiteOptions(site=site_file, distance=2, speed=50, sprint=45, adapter="spatem_xlm", intersection="x")
        )
    lines = str(error.value).splitlines()
    assert sorted(line.split(" ")[0] for line in lines) == [
        "--adapter",
        "--distance",
        "--intersection",
        "--speed",
        "--sprint",
        "--sprint",
    ]
    with pytest.raises(InputError, match=r"^signal_group in the header of the recording is 'x'"):
        site_from_options(SiteOptions(intersection="1"), {"signal_group": "x"})


def test_the_bundled_example_has_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    site = site_from_options(SiteOptions(site=Path("example")))
    assert (site.intersection_id, site.signal_group) == (1090, 12)
    Path("example").write_text("[signal]")
    with pytest.raises(InputError, match="example:1: "):
        site_from_options(SiteOptions(site=Path("example")))


def test_a_broken_site_file_is_told_as_such(site_file):
    site_file.write_text("signal = 1\nrider = 2\n")
    with pytest.raises(InputError, match=r"site.toml:1: signal is 1: give a table \[signal\]"):
        site_from_options(SiteOptions(site=site_file, signal_group=1))


def test_the_decorator_gathers_the_options_into_one(site_file):
    seen: list[SiteOptions] = []

    @click.command()
    @click.option("--speed", type=float)
    @site_options(speed_flags=("--cruise",))
    def command(speed: float, site_options: SiteOptions) -> None:
        seen.append(site_options)
        assert speed == 10

    arguments = ["--speed", "10", "--cruise", "20", "--intersection", "49:1", "--signal-group", "2", "--distance", "9"]
    arguments += ["--sprint", "30", "--adapter", "a", "--max-wrong", "1", "--memory", "m", "--site", str(site_file)]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert seen == [
        SiteOptions(site_file, "49:1", 2, distance=9, speed=20, sprint=30, adapter="a", max_wrong=1, memory=Path("m"))
    ]


def test_speed_is_the_riders_where_a_command_says_nothing_else():
    seen: list[SiteOptions] = []

    @click.command()
    @site_options()
    def command(site_options: SiteOptions) -> None:
        seen.append(site_options)

    assert CliRunner().invoke(command, ["--speed", "20"]).exit_code == 0
    assert CliRunner().invoke(command, []).exit_code == 0
    assert seen == [SiteOptions(speed=20), SiteOptions()]
