# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow run` as a process: a panel that is lit while it works and dark whatever ends it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from leezenflow_host import cli
from leezenflow_host.linux_unit.notifier import Notifier

# Adafruit's library on a Pi without a Pi: what the strand shows stands in a file. PLANT names what goes wrong.
NEOPIXEL = """
import os, pathlib, time
STRAND = pathlib.Path(os.environ["STRAND"])

class NeoPixel:
    def __init__(self, pin, count, brightness, auto_write, pixel_order):
        self.leds = [(0, 0, 0)] * count
        self.frames = 0
    def __setitem__(self, place, colours):
        self.leds[place] = colours
    def fill(self, colour):
        self.leds = [(0, 0, 0)] * len(self.leds)
    def show(self):
        lit = sum(any(led) for led in self.leds)
        self.frames += 1
        if lit and self.frames > 3 and os.environ.get("PLANT") == "fail":
            raise RuntimeError("the DMA channel is gone")
        if lit and self.frames > 3 and os.environ.get("PLANT") == "hang":
            time.sleep(3600)
        part = STRAND.with_suffix(".part")
        part.write_text(str(lit))
        part.replace(STRAND)
    def deinit(self):
        pass
"""


@pytest.fixture
def strand(tmp_path: Path) -> Path:
    """The file that stands for the LEDs; libraries of a Pi lie beside it."""
    folder = tmp_path / "pi"
    folder.mkdir()
    (folder / "neopixel.py").write_text(NEOPIXEL)
    (folder / "board.py").write_text("D18 = 18\n")
    return tmp_path / "strand"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A site that shows the test pattern: the panel is lit without any network."""
    file = tmp_path / "site.toml"
    file.write_text(
        '[unit]\nname = "box 1"\n[signal]\nintersection = 7\nsignal_group = 3\n[rider]\ndistance_m = 60\n'
        '[look]\nname = "test_pattern"\n'
    )
    return file


def start(strand: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """`leezenflow run` on the Pi without a Pi."""
    command = [sys.executable, "-m", "leezenflow_host", "run", "--board", "raspberrypi_neopixel", *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "STRAND": str(strand), "PYTHONPATH": str(strand.parent / "pi"), **environment},
    )


@pytest.fixture
def lit(strand: Path, picture: Path) -> "Iterator[subprocess.Popen[str]]":
    """A unit whose panel is lit."""
    process = start(strand, "--site", str(picture), "--health", "1")
    try:
        wait_until(lambda: lights(strand) > 0, "the panel is lit", 90)
        yield process
    finally:
        process.kill()
        process.communicate()


def lights(strand: Path) -> int:
    """How many LEDs are lit."""
    return int(strand.read_text()) if strand.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_is_dark_and_content(strand: Path, lit: "subprocess.Popen[str]", number: int) -> None:
    assert lit.stdout is not None
    assert lit.stdout.readline().startswith('health {"version":')
    lit.send_signal(number)
    _, errors = lit.communicate(timeout=60)
    assert (lit.returncode, errors) == (0, "")
    assert lights(strand) == 0


def test_what_a_kill_leaves_shining_is_darkened_by_the_service(strand: Path, lit: "subprocess.Popen[str]") -> None:
    lit.kill()
    lit.communicate(timeout=60)
    assert lights(strand) > 0
    darken = start(strand, "--darken")
    assert darken.communicate(timeout=60) == ("", "")
    assert darken.returncode == 0
    assert lights(strand) == 0


def test_a_display_that_fails_is_darkened_and_the_unit_ends(strand: Path, picture: Path) -> None:
    process = start(strand, "--site", str(picture), PLANT="fail")
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "the DMA channel is gone" in errors and "Traceback" not in errors
    assert lights(strand) == 0


def test_a_display_that_hangs_is_darkened_and_the_process_ended(strand: Path, picture: Path) -> None:
    process = start(strand, "--site", str(picture), PLANT="hang")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "no frame was drawn for 8 s" in errors
    assert lights(strand) == 0


def test_the_service_manager_hears_of_it(strand: Path, picture: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(90)
        process = start(strand, "--site", str(picture), NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            assert manager.recv(200).startswith(b"READY=1\n")
            assert lights(strand) > 0  # ready means: the first picture is there
            assert [manager.recv(200) for _ in range(2)] == [b"WATCHDOG=1\n"] * 2
            process.terminate()
            told = b""
            while b"STOPPING" not in told:
                told = manager.recv(200)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.communicate()


def test_notifications_without_a_manager_or_with_a_deaf_one(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}, {"NOTIFY_SOCKET": "vsock:1:2"}):
        notifier = Notifier(environment)
        notifier.alive()
        notifier.say("x")
        notifier.close()
        notifier.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(b"\0leezenflow-test-" + str(os.getpid()).encode())
        notifier = Notifier({"NOTIFY_SOCKET": f"@leezenflow-test-{os.getpid()}"})
        notifier.say("green")
        assert manager.recv(100) == b"STATUS=green\n"
        notifier.close()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["run", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_service_file(capsys: pytest.CaptureFixture[str], picture: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "100%.json"
    code, text, errors = run(
        capsys,
        *("--board", "raspberrypi_rgb_hat", "--site", str(picture), "--secrets", str(secrets), "--systemd-unit"),
    )
    assert (code, errors) == (0, "")
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    program, *words = lines["ExecStart"].split()
    assert os.path.isabs(program)
    assert words == [
        *("run", "--board", "raspberrypi_rgb_hat", "--site", str(picture)),
        *("--memory", "%S/leezenflow/memory.bin", "--secrets", "%d/secrets.json"),
    ]
    assert lines["ExecStopPost"] == f"{program} run --board raspberrypi_rgb_hat --darken"
    assert lines["LoadCredential"] == f"secrets.json:{tmp_path}/100%%.json"
    assert lines["Type"] == "notify" and lines["Restart"] == "always" and int(lines["WatchdogSec"]) > 8
    assert "DeviceAllow=/dev/gpiomem rw" in text and "NoNewPrivileges=yes" in text
    code, text, _ = run(capsys, "--board", "virtual", "--site", str(picture), "--systemd-unit")
    assert code == 0 and "LoadCredential" not in text and "--secrets" not in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--board", "virtual"), "Give --site FILE.toml"),
        (("--board", "virtual", "--systemd-unit"), "needs the site's file"),
        (("--board", "pico_w_hub75", "--site", "example"), "leezenflow install --board pico_w_hub75"),
        (("--board", "virtual", "--site", "example", "--display", "terminl"), "did you mean 'terminal'"),
        (("--board", "virtual", "--site", "example", "--secrets", "nowhere.json"), "nowhere.json"),
        (("--board", "raspberrypi_neopixl", "--site", "example"), "did you mean 'raspberrypi_neopixel'"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str) -> None:
    code, _, errors = run(capsys, *arguments)
    assert code in (1, 2)
    assert complaint in " ".join(errors.split())


def test_install_names_this_command_for_a_linux_board(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.run(["install", "--board", "raspberrypi_neopixel", "--port", "virtual"])
    errors = " ".join(capsys.readouterr().err.split())
    assert code == 2
    assert "leezenflow run --board raspberrypi_neopixel --site FILE.toml" in errors
