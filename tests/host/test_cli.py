# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as such: commands found by file name, and every kind of error as one clean message and exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leezenflow_host import cli, commands

COMMAND = """
import rich_click as click
from leezenflow_host.errors import InputError, LeezenflowError, SignalError

@click.command()
@click.option("--number", type=int)
def command(number):
    '''Does one thing.'''
    {body}
"""


@pytest.fixture
def add_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that adds the command `odd-one` with a given body."""

    def add(body: str) -> None:
        (tmp_path / "odd_one.py").write_text(COMMAND.format(body=body))

    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "leezenflow_host.commands.odd_one", raising=False)
    yield add
    sys.modules.pop("leezenflow_host.commands.odd_one", None)


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_file_is_a_command_and_its_underscores_are_hyphens(add_command, capsys):
    add_command("click.echo('done')")
    assert run(["odd-one"], capsys) == (0, "done\n", "")
    code, out, _ = run(["--help"], capsys)
    assert code == 0
    assert "odd-one" in out and "Does one thing" in out


def test_the_version_is_that_of_the_core(capsys):
    import leezenflow

    assert run(["--version"], capsys) == (0, f"leezenflow {leezenflow.__version__}\n", "")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("raise LeezenflowError('the board is gone; plug it in')", 1, "Error: the board is gone; plug it in\n"),
        ("raise InputError('no such site')", 2, "Error: no such site\n"),
        ("raise SignalError('truncated', 'moy', 12)", 1, "Error: truncated: moy (at byte 12)\n"),
        ("raise FileNotFoundError(2, 'No such file or directory', 'x.toml')", 1, "x.toml: No such file or directory"),
        ("raise OSError(28, 'No space left on device')", 1, "Error: No space left on device\n"),
        ("raise click.ClickException('cannot')", 1, "Error: cannot\n"),
        ("raise KeyboardInterrupt", 130, "Stopped.\n"),
        ("raise ZeroDivisionError('x')", 1, "internal error: ZeroDivisionError: x\n"),
    ],
)
def test_every_error_is_a_message_and_an_exit_code(add_command, capsys, body, code, message):
    add_command(body)
    got, out, err = run(["odd-one"], capsys)
    assert (got, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_the_traceback_is_there_for_those_who_ask(add_command, capsys, monkeypatch):
    monkeypatch.setenv("LEEZENFLOW_DEBUG", "1")
    add_command("raise LeezenflowError('the board is gone')")
    code, _, err = run(["odd-one"], capsys)
    assert code == 1
    assert "Traceback" in err and err.endswith("Error: the board is gone\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["od-one"], "No such command 'od-one'"),
        (["odd-one", "--nmber", "1"], "--number"),
        (["odd-one", "--number", "many"], "'many' is not a valid integer"),
        (["odd-one", "surplus"], "surplus"),
    ],
)
def test_wrong_usage_exits_with_2_and_points_to_the_help(add_command, capsys, arguments, message):
    add_command("pass")
    code, out, err = run(arguments, capsys)
    assert (code, out) == (2, "")
    assert message in err and "--help" in err


def _leezenflow(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "leezenflow_host", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables},
    )


def test_sigterm_ends_a_command_as_tidily_as_an_error(tmp_path):
    (tmp_path / "odd_one.py").write_text(
        COMMAND.format(
            body="import time\n    try:\n        click.echo('begun')\n        time.sleep(60)\n"
            "    finally:\n        click.echo('tidy')"
        )
    )
    code = "import sys; from leezenflow_host import cli, commands; commands.__path__.append(sys.argv[1]); "
    code += "cli.main(['odd-one'])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    process.terminate()
    assert process.stdout.read() == "tidy\n"
    assert process.wait() == cli.TERMINATED


def test_a_reader_that_goes_away_is_no_error():
    process = _leezenflow("--help")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 1


def test_output_to_a_pipe_is_plain():
    out, err = _leezenflow("boards", "list").communicate()
    assert "\x1b" not in out + err
    out, err = _leezenflow("nonsense").communicate()
    assert "\x1b" not in out + err


@pytest.mark.parametrize(
    ("words", "streams", "code"),
    [
        ("boards list", "<&- >&- 2>&-", 0),  # a list is a list
        ("doctor", "<&- >&-", 1),  # nobody plugs a board in
        ("decode -", "<&-", 2),  # nothing is decoded
        ("site new x.toml", "<&-", 2),  # nobody can be asked
    ],
)
def test_a_closed_stream_is_an_empty_one(tmp_path, words, streams, code):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "LEEZENFLOW_PORTS": str(tmp_path / "none"),
        "LEEZENFLOW_VOLUMES": str(tmp_path / "none"),
    }
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m leezenflow_host {words} {streams}', sys.executable],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == code, done
    assert "internal error" not in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_letter_that_the_output_lacks_is_a_question_mark(tmp_path):
    nowhere = {"LEEZENFLOW_PORTS": str(tmp_path / "none"), "LEEZENFLOW_VOLUMES": str(tmp_path / "none")}
    process = _leezenflow("doctor", "--lang", "de", PYTHONIOENCODING="ascii", **nowhere)
    out, err = process.communicate()
    assert "N?chster Schritt: " in out
    assert (process.returncode, err) == (1, "")
