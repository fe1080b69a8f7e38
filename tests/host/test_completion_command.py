# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Tab key, in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from leezenflow_host import cli

COMPLETE = """
source "$1"
COMP_WORDS=("${@:3}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_leezenflow_completion "$2"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something called leezenflow that a shell can start."""
    file = tmp_path_factory.mktemp("bin") / "leezenflow"
    file.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m leezenflow_host "$@"\n')
    file.chmod(0o755)
    return file


def complete(program: Path, tmp_path: Path, *words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    script = tmp_path / "completion.bash"
    made = subprocess.run([program, "completion", "bash"], env=environment, capture_output=True, text=True, check=True)
    script.write_text(made.stdout)
    command = ["bash", "--norc", "-c", COMPLETE, "bash", str(script), str(program), "leezenflow", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("comple",), ["completion"]),
        (("kit", ""), ["build", "check", "show"]),
        (("kit", "build", "--inter"), ["--interpreter"]),
        (("completion", ""), ["bash", "fish", "zsh"]),
        (("flash", "--board", "interstate75_w"), ["interstate75_w", "interstate75_w_rp2040"]),
        (("boards", "show", "virt"), ["virtual"]),
    ],
)
def test_bash_offers_commands_options_and_choices(program: Path, tmp_path: Path, words: tuple[str, ...], offered):
    if shutil.which("bash") is None:
        pytest.skip("no bash here: that the Tab key works in it is not covered")
    assert complete(program, tmp_path, *words) == offered


def offered(words: list[str], begun: str) -> list[tuple[str, str]]:
    """What is offered for `begun` behind `words`: text and kind."""
    found = ShellComplete(cli.root, {}, "leezenflow", "_LEEZENFLOW_COMPLETE").get_completions(words, begun)
    return [(item.value, item.type) for item in found]


def test_ports_and_files_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEEZENFLOW_PORTS", str(tmp_path))
    (tmp_path / "usb-1").touch()
    for command in ("flash", "install", "doctor", "monitor"):
        assert offered([command, "--port"], "") == [(f"{tmp_path}/usb-1", "plain"), ("virtual", "plain")]
        assert offered([command, "--port"], "v") == [("virtual", "plain")]
        assert offered([command, "--port"], "/media/") == [("/media/", "file")]
    for command in ("flash", "install", "run"):
        assert offered([command, "--site"], "nor") == [("nor", "file")]
        assert offered([command, "--board"], "./my") == [("./my", "file")]


@pytest.mark.parametrize(("shell", "part"), [("zsh", "compdef"), ("fish", "complete --no-files --command leezenflow")])
def test_other_shells_get_their_script(capsys: pytest.CaptureFixture[str], shell: str, part: str):
    assert cli.run(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert part in out and "_LEEZENFLOW_COMPLETE" in out


def test_another_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["completion", "csh"]) == 2
    assert "'csh' is not one of" in capsys.readouterr().err
