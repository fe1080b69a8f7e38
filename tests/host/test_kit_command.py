# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow kit`: what it says, where it writes, and its exit codes."""

from pathlib import Path

import pytest

from leezenflow_host import cli
from leezenflow_host.kit import Kit


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["kit", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write_site(folder: Path) -> Path:
    file = folder / "north.toml"
    file.write_text(
        '[unit]\nname = "north-1"\n[signal]\nintersection = 7\nsignal_group = 3\nadapter = "spatem_uper"\n'
        'source = "udp://0.0.0.0:4711"\n[rider]\ndistance_m = 60\n'
    )
    return file


def test_a_kit_is_built_checked_and_shown(capsys, tmp_path: Path):
    write_site(tmp_path)
    (tmp_path / "s.json").write_text('{"wifi": {"password": "hunter2"}}')
    arguments = ("build", "--out", "kit.zip", "--board", "virtual", "--board", "pico_w_hub75", "--site", "north.toml")
    code, out, err = run(capsys, *arguments, "--secrets", "north-1=s.json")
    assert code == 0
    assert out.startswith("Wrote kit.zip: ")
    assert "Note: No image of MicroPython for pico_w_hub75" in err
    assert "Note: This kit holds the secrets of 1 unit." in err
    code, out, err = run(capsys, "check", "kit.zip")
    assert (code, err) == (0, "") and out.startswith("kit.zip: right (")
    code, out, err = run(capsys, "show", "kit.zip")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "board virtual: needs no image of MicroPython" in lines
    assert "board pico_w_hub75: no image of MicroPython here" in lines
    assert "site north (unit north-1), with secrets" in lines
    assert "hunter2" not in out


def test_no_secrets_wins(capsys, tmp_path: Path):
    (tmp_path / "s.json").write_text("{}")
    arguments = ("build", "--out", "kit", "--board", "virtual", "--secrets", "a=s.json", "--no-secrets")
    assert run(capsys, *arguments)[0] == 0
    assert Kit.open(tmp_path / "kit").secrets("a") is None


def test_a_dry_run_writes_nothing(capsys, tmp_path: Path):
    code, out, _ = run(capsys, "build", "--out", "kit", "--board", "virtual", "--dry-run")
    assert code == 0
    assert "boards/virtual.toml" in out and "Would write kit: " in out
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_kit_is_replaced_only_when_asked(capsys, tmp_path: Path):
    assert run(capsys, "build", "--out", "kit", "--board", "virtual")[0] == 0
    code, out, err = run(capsys, "build", "--out", "kit", "--board", "virtual")
    assert (code, out) == (2, "") and "Give --yes to replace that kit." in err
    assert run(capsys, "build", "--out", "kit", "--board", "virtual", "--yes")[0] == 0


@pytest.mark.parametrize("verb", ["check", "show"])
def test_a_damaged_kit_is_refused(capsys, tmp_path: Path, verb: str):
    run(capsys, "build", "--out", "kit", "--board", "virtual")
    (tmp_path / "kit/boards/virtual.toml").write_text("[board]\n")
    code, out, err = run(capsys, verb, "kit")
    assert (code, out) == (2, "")
    assert "kit: boards/virtual.toml is damaged" in err and "build it again" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--board", "virtul"), "There is no board 'virtul'; did you mean 'virtual'?"),
        (("--board", "raspberrypi_neopixel"), "is a Linux unit, not a board"),
        (("--board", "virtual", "--site", "nowhere.toml"), "nowhere.toml: there is no such file"),
        (("--board", "virtual", "--secrets", "north"), "--secrets north: write UNIT=FILE"),
        (("--board", "virtual", "--secrets", "a=x", "--secrets", "a=y"), "--secrets a: given twice"),
        ((), "Missing option '--board'"),
    ],
)
def test_wrong_input_exits_with_2_and_leaves_nothing(capsys, tmp_path: Path, arguments: tuple[str, ...], message: str):
    code, out, err = run(capsys, "build", "--out", "kit", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert not (tmp_path / "kit").exists()
