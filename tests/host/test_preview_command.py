# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow preview`, as a person calls it."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.palettes import PALETTES
from leezenflow.renderings import test_pattern as pattern
from leezenflow.spatem import IntersectionState
from leezenflow_host.cli import run
from leezenflow_host.commands import preview as preview_command
from leezenflow_host.preview import picture_colours
from leezenflow_host.showcase import ACTS, LENGTH_MS, showcase_frames
from leezenflow_host.terminal_screen import TerminalScreen, describe_advice, terminal_depth
from leezenflow_host.trace import TraceHeader, TraceWriter

START_MS = 1_680_768_300_000
GREEN = PALETTES["muenster"][1]
SIGNAL = ("--intersection", "49:1090", "--signal-group", "12")


class OneColourDecoder:
    """Reads payloads of two numbers: event state, and the seconds since the recording began."""

    def __init__(self) -> None:
        self.state = IntersectionState()
        self._payload = b""

    def begin(self, buffer: bytes, start: int, end: int) -> None:
        self._payload = bytes(buffer[start:end])

    def step(self) -> bool:
        event_state, second = (int(word) for word in self._payload.split())
        state = self.state
        state.clear()
        state.region, state.id = 49, 1090
        state.moy, state.time_stamp = 138_000 + second // 60, second % 60 * 1000
        state.movement.signal_group = 12
        event = state.movement.add_event()
        assert event is not None
        event.event_state = event_state
        event.min_end_time = event.likely_time = event.max_end_time = 900
        event.confidence = 15
        return True


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty seconds of green until 90 s, one message a second."""
    path = tmp_path / "green.jsonl"
    with TraceWriter(path, TraceHeader("spatem_xml", "made up", "")) as writer:
        for second in range(21):
            writer.write(START_MS + second * 1000, "/spat/1090", b"6 %d" % second)

    def build_decoder(site: Any) -> OneColourDecoder:
        return OneColourDecoder()

    monkeypatch.setattr(preview_command, "build_decoder", build_decoder)
    return path


def read_png(path: Path, scale: int = 8) -> list[Any]:
    """Colours of the picture's pixels."""
    with Image.open(path) as image:
        assert image.size == (32 * scale, 96 * scale)
        small = image.convert("RGB").resize((32, 96), Image.Resampling.BOX)
    return [small.getpixel((index % 32, index // 32)) for index in range(32 * 96)]


def drawn_test_pattern() -> Canvas:
    canvas = Canvas()
    pattern.Look(canvas).draw(Advice(), canvas, 0)
    return canvas


def test_the_test_pattern_needs_no_recording(tmp_path: Path) -> None:
    assert run(["preview", "--look", "test_pattern", "--png", str(tmp_path / "a.png")]) == 0
    canvas = drawn_test_pattern()
    colours = picture_colours(canvas)
    assert read_png(tmp_path / "a.png") == [colours[index] for index in canvas.pixels]


def test_a_still_look_stays_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", "--look", "test_pattern"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 48
    assert lines[0] == "@" * 32


def test_a_picture_for_the_board_is_what_the_canvas_takes(tmp_path: Path) -> None:
    assert run(["preview", "--look", "test_pattern", "--picture", str(tmp_path / "picture.bin")]) == 0
    assert (tmp_path / "picture.bin").read_bytes() == drawn_test_pattern().picture()


def test_a_recording_as_png_and_gif(trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gif, png = tmp_path / "a.gif", tmp_path / "a.png"
    assert run(["preview", str(trace), *SIGNAL, "--gif", str(gif), "--png", str(png), "--scale", "4"]) == 0
    assert "pictures" in capsys.readouterr().err
    colours = read_png(png, 4)
    green = [colour for colour in colours if colour == GREEN]
    # 69 s of 90 s are left for who arrives 22 s later.
    assert 32 * 62 * 0.4 < len(green) < 32 * 62 * 0.9
    with Image.open(gif) as image:
        assert image.size == (128, 384)
        assert getattr(image, "n_frames", 1) > 150
        length_ms = 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            length_ms += image.info["duration"]
    assert abs(length_ms - 21_000) <= 200


def test_faster_gifs_are_shorter(trace: Path, tmp_path: Path) -> None:
    assert run(["preview", str(trace), *SIGNAL, "--gif", str(tmp_path / "a.gif"), "--speed", "100"]) == 0
    with Image.open(tmp_path / "a.gif") as image:
        assert 2 <= getattr(image, "n_frames", 1) <= 12


def test_only_a_stretch(trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, later = tmp_path / "first.png", tmp_path / "later.png"
    assert run(["preview", str(trace), *SIGNAL, "--png", str(first), "--for", "0"]) == 0
    assert set(read_png(first)) == {(0, 0, 0)}  # one message is no evidence yet
    assert run(["preview", str(trace), *SIGNAL, "--png", str(later), "--from", "5", "--for", "1"]) == 0
    assert GREEN in read_png(later)
    assert run(["preview", str(trace), *SIGNAL, "--png", str(later), "--from", "60"]) == 2
    assert "no frame" in capsys.readouterr().err


def test_without_a_terminal_each_change_is_a_line(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", str(trace), *SIGNAL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("dark (") and lines[0].endswith(" at 0.0 s")
    assert lines[-1].startswith("green, ")
    assert len(lines) <= 3


def test_a_recording_without_the_signal_says_so(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OneColourDecoder, "step", lambda self: False)
    assert run(["preview", str(trace), *SIGNAL, "--png", str(tmp_path / "a.png")]) == 0
    assert "every frame is dark" in capsys.readouterr().err


def test_damaged_lines_are_named(trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with trace.open("a") as file:
        file.write("{broken\n")
    assert run(["preview", str(trace), *SIGNAL, "--png", str(tmp_path / "a.png")]) == 0
    assert "line 23" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--look", "gren_wave"], ["no look", "did you mean 'green_wave'"]),
        (["--look", "green_wave", "--palette", "nigth"], ["no palette", "did you mean 'night'"]),
        (["nowhere.jsonl"], ["nowhere.jsonl"]),
        (["--speed", "0"], ["speed"]),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", *arguments, "--png", "never.png"]) == 2
    error = capsys.readouterr().err
    for word in words:
        assert word in error
    assert not Path("never.png").exists()


def test_a_recording_needs_to_know_the_signal(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", str(trace)]) == 2
    assert "--signal-group" in capsys.readouterr().err


def test_the_showcase_shows_every_kind() -> None:
    frames = [(at_ms, advice.kind, advice.remaining_ms) for at_ms, advice in showcase_frames(10)]
    assert {kind for _, kind, _ in frames} == {"green", "sprint", "red", "uncertain", "dark"}
    assert [at_ms for at_ms, _, _ in frames] == list(range(0, LENGTH_MS, 100))
    assert all(left_ms is None or left_ms > 0 for _, _, left_ms in frames)
    assert len(ACTS) == 8


def test_words_for_an_advice() -> None:
    advice = Advice()
    assert describe_advice(advice) == "dark (no_data)"
    advice.claim("green", 13_600, 30_000, 90)
    assert describe_advice(advice) == "green, 14 s of 30 s left"
    advice.claim("red", 2_000, None, 90)
    assert describe_advice(advice) == "red, 2 s left"
    advice.decline("dark", None)
    assert describe_advice(advice) == "dark"


def test_a_file_is_no_terminal() -> None:
    stream = io.StringIO()
    assert terminal_depth(stream) == "plain"
    with TerminalScreen(stream) as screen:
        screen.show(Canvas(), ["green, 14 s"])
        screen.show(Canvas(), ["green, 13 s"])
        screen.show(Canvas(), ["red, 30 s"])
        screen.show(Canvas(), [])
    assert stream.getvalue() == "green, 14 s\nred, 30 s\n\n"


def test_a_terminal_without_half_blocks_gets_plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    leader, follower = pty.openpty()
    with open(follower, "w", encoding="utf-8") as stream:
        assert terminal_depth(stream) == "true"
    os.close(leader)
    leader, follower = pty.openpty()
    with open(follower, "w", encoding="iso-8859-1") as stream:
        assert terminal_depth(stream) == "plain"
    os.close(leader)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("lines", "columns", "rows"), [(50, 32, 48), (24, 16, 24)])
def test_in_a_terminal_the_picture_is_live(lines: int, columns: int, rows: int) -> None:
    leader, follower = pty.openpty()
    subprocess.run(["stty", "rows", str(lines), "cols", "100"], stdin=follower, check=True)
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "leezenflow_host", "preview", "--speed", "100"]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment) as child:
        os.close(follower)
        shown = bytearray()
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:
                break
            if not block:
                break
            shown += block
    os.close(leader)
    assert child.returncode == 0
    text = shown.decode()
    assert text.startswith("\x1b[?1049h\x1b[?25l")
    assert text.endswith("\x1b[?25h\x1b[?1049l")
    assert text.count("▀") == columns * rows * text.count("\x1b[H")
    assert text.count("\x1b[H") == LENGTH_MS // 1000
    assert "38;2;{};{};{}".format(*GREEN) in text
    assert "green, 16 s of 16 s left" in text
