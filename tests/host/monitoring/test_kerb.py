# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person at the kerb: keys, reaction time, the truth file, the unit's advice beside it, and how right it was."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from linux_units import make_site
from recordings import ORIGIN_MS, write_recording
from serial_peer import SerialPeer, UnitPeer
from waiting import wait_until

from leezenflow_host import cli
from leezenflow_host.commands import monitor as monitor_command
from leezenflow_host.errors import BoardError, InputError
from leezenflow_host.evaluation.truth import load_truth
from leezenflow_host.monitoring import sources
from leezenflow_host.monitoring.kerb_truth import (
    AdviceLog,
    KerbTruth,
    Reaction,
    advice_log_of,
    exercise,
    measure_reaction,
    score_log,
)

SITE = make_site().site()


def test_presses_become_a_truth_file(tmp_path: Path) -> None:
    kerb = KerbTruth(SITE, Reaction(300, 100, "assumed"))
    assert kerb.as_dict(50)["signal_groups"] == {"12": []}
    assert kerb.press("r", 10_300) and kerb.state == 3
    assert not kerb.press("r", 11_000)  # it is red already
    assert not kerb.press("x", 12_000)
    assert not kerb.press("g", 10_200)  # not before the last one
    assert kerb.press("G", 30_300) and kerb.press("a", 40_300)
    kerb.undo()
    assert kerb.press("a", 50_300)
    kerb.write(tmp_path / "kerb.json", 100_000)
    values = json.loads((tmp_path / "kerb.json").read_text())
    assert values["signal_groups"] == {"12": [[10_000, 3], [30_000, 6], [50_000, 8]]}
    # A rider who passes in the last 10 s arrives when nobody looks any more.
    assert (values["from_ms"], values["to_ms"]) == (10_000, 100_000 - SITE.cruise_ms)
    assert values["method"]["reaction_ms"] == 300 and values["method"]["reaction_spread_ms"] == 100
    assert values["method"]["reaction"] == "assumed"
    truth = load_truth(tmp_path / "kerb.json", 12)
    assert [truth.colour_at(at) for at in (9_999, 10_000, 30_000, 50_000)] == ["none", "red", "green", "amber"]
    for _ in range(4):
        kerb.undo()
    assert kerb.state is None
    assert list(tmp_path.iterdir()) == [tmp_path / "kerb.json"]


def test_the_reaction_time_of_an_exercise() -> None:
    found = measure_reaction([0, 250, 260, 240, 270, 230, 4_000])
    assert (found.ms, found.method) == (250, "measured, 5 tries")
    assert 10 <= found.spread_ms <= 20
    with pytest.raises(InputError, match="only 1 of 3 tries count"):
        measure_reaction([250, 0, 3_000])


def test_the_exercise_itself() -> None:
    now = [0]
    shown: list[str] = []
    keys = iter(["", "x", "x", "", "x"] + ["", "x"] * 3 + ["", ""] * 2)

    def read(timeout_s: float) -> str:
        key = next(keys)
        now[0] += 250 if key else round(timeout_s * 1000)
        return key

    delays = exercise(shown.append, read, lambda: 2.0, lambda: now[0])
    # One pressed too early, two never.
    assert delays == [250, 0, 250, 250, 250, 250]
    assert shown[0] == "1 of 8: wait …" and shown[1].startswith("NOW")


def test_how_right_a_unit_was(tmp_path: Path) -> None:
    kerb = KerbTruth(SITE, Reaction(0))
    for second in range(0, 400, 40):
        kerb.press("g" if second % 80 else "r", second * 1000 + 1)
    kerb.write(tmp_path / "kerb.json", 400_000)
    log = AdviceLog(advice_log_of(tmp_path / "kerb.json"))
    for at_ms in range(0, 400_000, 100):
        arrival_s = (at_ms + SITE.cruise_ms) / 1000
        right = "green" if int(arrival_s // 40) % 2 else "red"
        kind = right if at_ms < 300_000 else "green"
        log.note(at_ms, {"kind": kind, "remaining_ms": 1, "certainty": None, "reason": None})
    log.close()
    score = score_log(tmp_path / "kerb.json", tmp_path / "kerb.advice.jsonl", SITE).as_dict()
    assert score["answered_share"] == 1
    assert 0.1 < score["wrong_colour_share"] < 0.2
    assert log.frames == 4_000


def test_evaluate_takes_the_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording made meanwhile is judged against the presses."""
    program = write_recording(tmp_path / "spat.jsonl", 300)
    kerb = KerbTruth(SITE, Reaction(300))
    at_ms = 0
    keys = {3: "r", 4: "r", 5: "g", 6: "g", 7: "a", 8: "a"}
    while at_ms < 300_000:
        state, end = program.state_at(at_ms)
        kerb.press(keys[state], ORIGIN_MS + at_ms + 300)
        at_ms = end
    kerb.write(tmp_path / "kerb.json", ORIGIN_MS + 300_000)
    arguments = ["--intersection", "49:1090", "--signal-group", "12", "--distance", "50", "--adapter", "spatem_xml"]
    files = [str(tmp_path / "spat.jsonl"), "--truth", str(tmp_path / "kerb.json"), "--json", str(tmp_path / "f.json")]
    assert cli.run(["evaluate", *files, *arguments]) == 0, capsys.readouterr().err
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["answered_share"] > 0.5
    assert figures["wrong_colour_share"] < 0.1


def verbs() -> dict[str, Any]:
    """A unit that lets itself be watched."""
    return {"health": lambda command: {"health": {"unit": "north", "version": "0"}}, "watch": lambda command: {}}


class Session:
    """`leezenflow monitor` on a terminal of the test's own."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 120))
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "leezenflow_host", "monitor", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"},
        )
        os.close(theirs)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 4096):
                self.shown += data.decode(errors="replace")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str) -> None:
        """Until the screen shows it."""
        try:
            wait_until(lambda: re.search(text, self.shown) is not None, text, 60)
        except AssertionError:
            pytest.fail(f"{text!r} never came; the last were {self.shown[-800:]!r}")

    def end(self) -> int:
        """The exit code."""
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()


def test_a_session_at_the_kerb(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[signal]\nintersection = "49:1090"\nsignal_group = 12\nadapter = "spatem_xml"\n[rider]\ndistance_m = 50\n'
    )
    truth = tmp_path / "kerb.json"
    stop = threading.Event()
    with UnitPeer(verbs(), held=False) as peer:

        def tell() -> None:
            line = {"at": 1, "kind": "red", "remaining_ms": 5_000, "certainty": 90, "reason": None}
            while not stop.wait(0.1):
                peer.say("advice " + json.dumps({**line, "message_age_ms": 10, "latency_ms": 1}))

        teller = threading.Thread(target=tell, daemon=True)
        session = Session("--port", peer.port, "--truth", str(truth), "--site", str(site), "--reaction", "250")
        try:
            session.wait_for("press at its next change")
            teller.start()
            session.wait_for("red, 5 s left, 90 % certain")
            session.type("r")
            session.wait_for(r"lamp +red")
            time.sleep(0.3)  # two changes of a lamp are not at once
            session.type("g")
            session.wait_for(r"lamp +green")
            session.type("u")
            session.wait_for(r"presses +1")
            session.type("q")
            assert session.end() == 0
        finally:
            stop.set()
            session.process.kill()
            if teller.ident is not None:
                teller.join(30)
    values = json.loads(truth.read_text())
    ((at_ms, state),) = values["signal_groups"]["12"]
    assert state == 3 and values["from_ms"] == at_ms
    assert values["method"]["reaction"] == "stated" and values["method"]["reaction_ms"] == 250
    lines = [json.loads(line) for line in (tmp_path / "kerb.advice.jsonl").read_text().splitlines()]
    assert {line["kind"] for line in lines} == {"red"} and lines[0]["certainty"] == 90
    wait_until(lambda: "Too short to judge" in session.shown, "the report")
    watch = next(command for command in peer.commands if command["do"] == "watch")
    assert watch["every_ms"] == 100


def test_a_session_without_truth_ends_with_q() -> None:
    with UnitPeer(verbs(), held=False) as peer:
        session = Session("--port", peer.port)
        session.wait_for("north, Leezenflow 0")
        session.wait_for("q ends")
        session.type("q")
        assert session.end() == 0
        # The terminal is given back.
        wait_until(lambda: session.shown.endswith("\x1b[?1049l"), "the terminal is given back")


@pytest.mark.parametrize("text", ["soon", "-1", "2001"])
def test_reactions_that_are_none(text: str) -> None:
    from leezenflow_host.commands import monitor

    with pytest.raises(InputError, match=f"--reaction {text}: give milliseconds"):
        monitor._find_reaction(text, monitor.Keyboard(), monitor.Console())


def test_a_unit_that_does_not_answer_costs_no_earlier_log(tmp_path: Path, monkeypatch, capsys) -> None:
    def refuse(*_: object) -> None:
        raise BoardError("No unit runs at virtual. Run: leezenflow doctor --port virtual")

    monkeypatch.setattr(monitor_command, "_check_truth", lambda *_: SITE)
    monkeypatch.setattr(monitor_command, "_open_unit", refuse)
    truth = tmp_path / "kerb.json"
    truth.write_text("truth of yesterday")
    advice_log_of(truth).write_text("advice of yesterday")
    assert cli.run(["monitor", "--port", "virtual", "--truth", str(truth)]) == cli.FAILED
    assert capsys.readouterr().err == "Error: No unit runs at virtual. Run: leezenflow doctor --port virtual\n"
    assert truth.read_text() == "truth of yesterday"
    assert advice_log_of(truth).read_text() == "advice of yesterday"


def test_a_unit_is_called_what_the_person_called_it() -> None:
    refused = pytest.raises(BoardError, match=r"^No unit runs at virtual\. Run: leezenflow doctor --port virtual$")
    with SerialPeer(lambda data: b">>> ") as peer, refused:
        sources.UsbUnit(peer.port, 200, pictures=False, called="virtual")
