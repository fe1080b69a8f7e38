# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow install`: a board brought to its image, a tree for other tools, and what stands in the way."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from leezenflow_host import cli
from leezenflow_host.board_config import read_board
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.commands import install
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.flashing import installation
from leezenflow_host.image import build_image
from leezenflow_host.mpy import Abi
from leezenflow_host.site_config import example_site

# In the place of the firmware: what is tested here is its installation.
LOADER = b"# Leezenflow contributors\nprint('The unit works')\n"
FAILING = b"# Leezenflow contributors\nprint('KeyError: x\\nThe panel is dark; starting again in 10 s.')\n"


@pytest.fixture(autouse=True)
def state_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(install, "VIRTUAL_START_S", 0.2)
    return tmp_path / "state" / "leezenflow"


@pytest.fixture
def loader(monkeypatch):
    """Return a function that puts another loader into every image."""

    def replace(content: bytes) -> None:
        def build(*arguments, **options):
            image = build_image(*arguments, **options)
            image.files["/main.py"] = content
            return image

        monkeypatch.setattr(install, "build_image", build)

    replace(LOADER)
    return replace


@pytest.fixture
def site_file(tmp_path) -> Path:
    file = tmp_path / "north.toml"
    file.write_text(
        '[signal]\nintersection = 7\nsignal_group = 3\nadapter = "spatem_uper"\nsource = "udp://0.0.0.0:4711"\n'
        "[rider]\ndistance_m = 60\n"
    )
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["install", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def file_on_board(state_folder: Path, path: str) -> bytes | None:
    with VirtualBoard(state_folder / "virtual.flash") as board, SerialBoard(board.port) as connection:
        return connection.read_file(path)


def test_a_virtual_board_is_installed_and_then_up_to_date(capsys, loader, micropython, state_folder):
    code, out, err = run(capsys, "--board", "virtual", "--port", "virtual")
    assert (code, err) == (0, "")
    count = len(build_image(read_board("virtual"), example_site()).files)
    assert f"for virtual on virtual: {count} files written" in out and "0 were right already, 0 removed" in out
    assert out.endswith("The unit runs.\n")
    code, out, err = run(capsys, "--board", "virtual", "--port", "virtual")
    assert (code, err) == (0, "")
    assert f"0 files written (0 kB), {count} were right already, 0 removed" in out
    site = file_on_board(state_folder, "/site.json")
    assert site is not None and json.loads(site) == example_site().values


def test_boards_with_names_are_different_boards(capsys, loader, micropython, state_folder):
    assert run(capsys, "--board", "virtual", "--port", "virtual:north-1")[0] == 0
    assert [file.name for file in state_folder.iterdir()] == ["north-1.flash"]
    code, _, err = run(capsys, "--board", "virtual", "--port", "virtual:../x")
    assert (code, "cannot name a virtual board" in err) == (2, True)


def test_a_site_is_installed_and_stays_when_none_is_named(capsys, loader, micropython, site_file, state_folder):
    assert run(capsys, "--board", "virtual", "--site", str(site_file), "--port", "virtual")[0] == 0
    first = file_on_board(state_folder, "/site.json")
    assert first is not None and json.loads(first)["signal"]["intersection"] == 7
    # The same board as if it were a real one, which has no example to fall back on.
    with VirtualBoard(state_folder / "virtual.flash") as board:
        code, out, err = _install_real(capsys, board.port)
    assert (code, err) == (0, "")
    assert "0 files written" in out
    assert file_on_board(state_folder, "/site.json") == first


def _install_real(capsys, port: str, *arguments: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(install, "find_site", lambda board, name: None)
        return run(capsys, "--board", "virtual", "--port", port, *arguments)


def test_without_any_site_the_firmware_is_installed_and_says_so(capsys, loader, micropython):
    with VirtualBoard() as board:
        code, out, err = _install_real(capsys, board.port)
        assert (code, err) == (0, "")
        assert "There is no site: the panel stays dark" in out
        with SerialBoard(board.port) as connection:
            assert connection.read_file("/site.json") is None
            connection._link.write_file("/site.json", b"{", lambda count: None)
        code, _, err = _install_real(capsys, board.port)
        assert (code, "name one with --site" in err) == (2, True)


def test_a_unit_that_does_not_start_is_an_error(capsys, loader, micropython):
    loader(FAILING)
    code, out, err = run(capsys, "--board", "virtual", "--port", "virtual")
    assert (code, err) == (1, "Error: Everything is installed, but the unit does not start: KeyError: x\n")
    assert "The unit runs" not in out


def test_another_program_is_not_replaced_unasked(capsys, loader, micropython, monkeypatch):
    with VirtualBoard() as board:
        with SerialBoard(board.port) as connection:
            connection._link.write_file("/main.py", b"print('mine')", lambda count: None)
        arguments = ("--board", "virtual", "--site", "example", "--port", board.port)
        code, _, err = run(capsys, *arguments)
        assert (code, "has another program (/main.py). Give --yes to replace it" in err) == (2, True)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda text: "n")
        assert run(capsys, *arguments)[0] == 130
        with SerialBoard(board.port) as connection:
            assert connection.read_file("/main.py") == b"print('mine')"
        assert run(capsys, *arguments, "--yes")[0] == 0
        with SerialBoard(board.port) as connection:
            assert connection.read_file("/main.py") == LOADER


def test_secrets_go_to_the_board_and_stay(capsys, loader, micropython, state_folder, tmp_path):
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"wifi": {"ssid": "x", "password": "y"}}')
    assert run(capsys, "--board", "virtual", "--port", "virtual", "--secrets", str(secrets))[0] == 0
    assert run(capsys, "--board", "virtual", "--port", "virtual")[0] == 0
    assert file_on_board(state_folder, "/secrets.json") == secrets.read_bytes()
    for wrong in ("[1]", "{"):
        secrets.write_text(wrong)
        code, _, err = run(capsys, "--board", "virtual", "--stage", str(tmp_path / "t"), "--secrets", str(secrets))
        assert (code, "not a json object such as" in err) == (2, True)


def test_stage_writes_the_tree_and_touches_no_port(capsys, site_file, tmp_path, monkeypatch):
    monkeypatch.setattr(install, "SerialBoard", None)
    tree = tmp_path / "tree"
    code, out, err = run(
        capsys, "--board", "interstate75", "--site", str(site_file), "--stage", str(tree), "--port", "/dev/none"
    )
    assert (code, err) == (0, "")
    assert out.startswith(f"Wrote the files of interstate75 to {tree}: ")
    assert json.loads((tree / "board.json").read_text())["name"] == "interstate75"
    assert json.loads((tree / "site.json").read_text())["signal"]["signal_group"] == 3
    assert (tree / "a/leezenflow_adapters/spatem_uper.mpy").is_file()
    assert "DARK_PINS = ((13, 1),)" in (tree / "boot.py").read_text()
    code, _, _ = run(capsys, "--board", "interstate75", "--no-mpy", "--stage", str(tree))
    assert code == 0
    assert (tree / "a/leezenflow/engine.py").is_file() and not (tree / "site.json").exists()
    assert not (tree / "a/leezenflow/engine.mpy").exists()


def test_dry_run_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(install, "SerialBoard", None)
    tree = tmp_path / "tree"
    code, out, err = run(capsys, "--board", "virtual", "--stage", str(tree), "--port", "virtual", "--dry-run")
    assert (code, err) == (0, "")
    assert "  /boot.py\n" in out and out.splitlines()[-1].startswith("Would install Leezenflow ")
    assert not tree.exists()


def test_compiled_or_not_is_a_matter_of_choice(capsys, loader, micropython, state_folder):
    assert run(capsys, "--board", "virtual", "--port", "virtual", "--mpy")[0] == 0
    assert file_on_board(state_folder, "/a/leezenflow/engine.mpy") is not None
    assert run(capsys, "--board", "virtual", "--port", "virtual", "--no-mpy")[0] == 0
    assert file_on_board(state_folder, "/a/leezenflow/engine.mpy") is None
    assert file_on_board(state_folder, "/a/leezenflow/engine.py") is not None


def test_a_board_that_loads_no_mpy_gets_sources(capsys, loader, micropython, state_folder, monkeypatch):
    monkeypatch.setattr(installation.Abi, "from_implementation", lambda mpy: None)
    assert run(capsys, "--board", "virtual", "--port", "virtual")[0] == 0
    assert file_on_board(state_folder, "/a/leezenflow/engine.py") is not None
    code, _, err = run(capsys, "--board", "virtual", "--port", "virtual", "--mpy")
    assert (code, "loads no .mpy files; use --no-mpy" in err) == (1, True)
    monkeypatch.setattr(installation.Abi, "from_implementation", lambda mpy: Abi("5", "x64"))
    assert run(capsys, "--board", "virtual", "--port", "virtual")[0] == 0
    code, _, err = run(capsys, "--board", "virtual", "--port", "virtual", "--mpy")
    assert (code, "The board loads .mpy version 5" in err) == (1, True)


def test_a_terminal_shows_progress(capsys, loader, micropython, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(
        install, "Console", lambda **_: Console(file=screen, force_terminal=True, width=100, legacy_windows=False)
    )
    assert run(capsys, "--board", "virtual", "--port", "virtual")[0] == 0
    assert "virtual" in screen.getvalue() and "kB" in screen.getvalue()


def test_without_mpy_cross_only_who_asks_for_it_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("leezenflow_host.mpy.find_mpy_cross", _no_mpy_cross)
    assert run(capsys, "--board", "interstate75", "--stage", str(tmp_path / "tree"))[0] == 0
    assert (tmp_path / "tree/a/leezenflow/engine.py").is_file()
    code, _, err = run(capsys, "--board", "interstate75", "--stage", str(tmp_path / "other"), "--mpy")
    assert (code, "mpy-cross is not installed" in err) == (1, True)


def _no_mpy_cross() -> str:
    raise LeezenflowError("mpy-cross is not installed")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--board", "virtul", "--port", "virtual"], 2, "There is no board 'virtul'; did you mean 'virtual'"),
        (
            ["--board", "virtual", "--site", "nowhere.toml", "--port", "virtual"],
            2,
            "nowhere.toml: there is no such file",
        ),
        (["--board", "interstate75", "--port", "virtual"], 2, "interstate75 is not a virtual board"),
        (["--board", "interstate75", "--port", "/dev/ttyNONE"], 1, "There is no port /dev/ttyNONE"),
        (["--board", "interstate75"], 2, "Which board? Give --port."),
        (["--port", "virtual"], 2, "Missing option '--board'"),
    ],
)
def test_what_stands_in_the_way(capsys, arguments, code, words):
    got, out, err = run(capsys, *arguments)
    assert (got, out) == (code, "")
    assert words in err


def test_where_no_virtual_board_can_be(capsys, monkeypatch):
    monkeypatch.setenv("MICROPYTHON", "/nowhere")
    code, _, err = run(capsys, "--board", "virtual", "--port", "virtual")
    assert (code, err) == (1, "Error: MICROPYTHON is '/nowhere', which is not a program; correct or unset it.\n")


def test_a_real_board_that_is_another_is_not_touched(capsys, micropython):
    with VirtualBoard() as board:
        code, _, err = run(capsys, "--board", "interstate75", "--port", board.port)
        assert code == 1
        assert "has no chip (it is a virtual board), but interstate75 has an RP2040: nothing was written" in err
        with SerialBoard(board.port) as connection:
            assert connection.read_file("/boot.py") is None
