# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow site`: a file written without a terminal, what is asked on one, and what a check finds."""

import json
import socket
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from capturing import free_port
from recordings import ORIGIN_MS, message
from test_map_command import SAMPLES, at

from leezenflow_host import cli
from leezenflow_host.errors import InputError
from leezenflow_host.site_config import read_site
from leezenflow_host.site_guide.asking import ask_all
from leezenflow_host.site_guide.questions import Answers, check_answers, site_questions
from leezenflow_host.site_guide.writing import render_site
from signals import Program

ANSWERS = ("--source", "mqtt://broker/spat/1090", "--adapter", "spatem_xml")
SIGNAL = ("--intersection", "49:1090", "--signal-group", "12")
MAP = str(SAMPLES / "map_uper/map_6320_04.hex")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(["site", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def write_trace(path: Path, seconds: int = 600) -> Path:
    program = Program(0)
    lines = [json.dumps({"leezenflow_trace": 1, "adapter": "spatem_xml", "source": "", "note": ""})]
    for second in range(seconds):
        at_ms = ORIGIN_MS + second * 1000
        lines.append(json.dumps({"at_ms": at_ms, "topic": "", "payload": message(program, at_ms).decode()}))
    path.write_text("\n".join(lines) + "\n")
    return path


# new


def test_options_make_a_site_that_is_right(capsys, folder: Path):
    code, out, err = run(capsys, "new", "north.toml", *ANSWERS, *SIGNAL, "--distance", "85,5", "--sprint", "24")
    assert (code, err) == (0, "")
    assert out.startswith("Wrote north.toml.")
    site = read_site(folder / "north.toml").site()
    assert (site.unit_name, site.region, site.intersection_id, site.signal_group) == ("north", 49, 1090, 12)
    assert (site.cruise_ms, site.sprint_ms) == (17_100, 12_825)
    assert (site.look, site.look_options, site.brightness) == ("green_wave", {"palette": "muenster"}, 255)
    assert run(capsys, "check", "north.toml") == (0, "north.toml: right\n", "")


def test_every_value_has_a_remark_and_what_is_left_out_is_shown(capsys):
    code, out, _ = run(capsys, "new", "north.toml", *ANSWERS, *SIGNAL, "--dry-run")
    assert code == 0
    lines = [line for line in out.splitlines() if "=" in line]
    assert len(lines) == len(site_questions("x")) and all("#" in line for line in lines)
    assert "# sprint_kmh = …: leave it out, and nobody is ever told to hurry" in lines
    assert not Path("north.toml").exists()


def test_a_file_is_never_replaced_by_accident(capsys, folder: Path):
    (folder / "north.toml").write_text("mine")
    code, _, err = run(capsys, "new", "north.toml", *ANSWERS, *SIGNAL)
    assert code == 2 and "north.toml is there already. Give --yes" in err
    assert (folder / "north.toml").read_text() == "mine"
    assert run(capsys, "new", "north.toml", *ANSWERS, *SIGNAL, "--yes")[0] == 0
    assert read_site(folder / "north.toml").values["unit"]["name"] == "north"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x.toml",), "Give --source, --adapter, --intersection, --signal-group: without a terminal, nobody"),
        ((".toml", *ANSWERS, *SIGNAL), "the name of a site file ends in .toml"),
        (("x.txt", *ANSWERS, *SIGNAL), "the name of a site file ends in .toml"),
        (("x.toml", *ANSWERS, *SIGNAL, "--distance", "far"), "--distance far: write a number"),
        (("x.toml", *ANSWERS, "--intersection", "1", "--signal-group", "x"), "--signal-group x: write a whole number"),
        (("x.toml", *ANSWERS, *SIGNAL, "--distance", "900"), "--distance is 900: give the way from the display"),
        (("x.toml", *ANSWERS, *SIGNAL, "--sprint", "12"), "--sprint is 12: give more than the usual speed (18 km/h)"),
        (("x.toml", "--source", "mqtt://b/x", "--adapter", "spatem_xlm", *SIGNAL), "did you mean 'spatem_xml'"),
        (("x.toml", *ANSWERS, *SIGNAL, "--look", "gren_wave"), "did you mean 'green_wave'"),
        (("x.toml", *ANSWERS, *SIGNAL, "--at", "1,2"), "--at and --heading belong to --map FILE"),
        (("x.toml", *ANSWERS, *SIGNAL, "--presses", "p.json"), "--presses belongs to --watch TRACE"),
        (("x.toml", *ANSWERS, *SIGNAL, "--map", MAP), "--map needs --at LAT,LON"),
        (("x.toml", *ANSWERS, "--watch", "nowhere.jsonl"), "neither a recording nor a URL"),
        (("x.toml", *ANSWERS, "--watch", "ftp://x/y"), "ftp:// is nothing to record from"),
        (("x.toml", *ANSWERS, "--watch", "mqtt://b/x", "--presses", "p.json"), "goes with a recording, not with"),
    ],
)
def test_wrong_answers_are_told_by_their_option(capsys, folder: Path, arguments: tuple[str, ...], message: str):
    code, out, err = run(capsys, "new", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert list(folder.iterdir()) == []


def test_a_folder_is_no_file(capsys, folder: Path):
    (folder / "x.toml").mkdir()
    code, _, err = run(capsys, "new", "x.toml", *ANSWERS, *SIGNAL)
    assert code == 2 and "x.toml is a folder; name a file in it." in err


def test_all_wrong_answers_at_once(capsys):
    code, _, err = run(capsys, "new", "x.toml", *ANSWERS, *SIGNAL, "--distance", "1", "--speed", "99", "--look", "x")
    assert code == 2
    assert len(err.splitlines()) == 3


def test_the_map_gives_group_and_distance(capsys, folder: Path):
    arguments = ("--map", MAP, "--at", at(95, 13), "--heading", "270", "--source", "udp://0.0.0.0:6053")
    code, _, err = run(capsys, "new", "x.toml", *arguments, "--adapter", "spatem_uper")
    assert code == 0
    site = read_site(folder / "x.toml")
    assert (site.values["signal"]["intersection"], site.values["signal"]["signal_group"]) == (6320, 2)
    assert "signal group 2, 75 m to its stop line" in err and "no lane for bicycles" in err
    text = (folder / "x.toml").read_text()
    assert "distance_m = 75" in text or "distance_m = 76" in text
    assert "# The map has lane 2" in text


def test_watching_gives_the_group_and_the_format(capsys, folder: Path):
    trace = write_trace(folder / "t.jsonl")
    program, greens, at_ms = Program(0), [], 0
    while at_ms < 590_000:
        state, end = program.state_at(at_ms)
        if state in (5, 6) and at_ms:
            greens.append(ORIGIN_MS + at_ms + 300)
        at_ms = end
    (folder / "p.json").write_text(json.dumps({"presses": greens}))
    arguments = ("--watch", str(trace), "--presses", "p.json", "--source", "mqtt://broker/spat")
    code, _, err = run(capsys, "new", "x.toml", *arguments)
    assert code == 0
    signal = read_site(folder / "x.toml").values["signal"]
    assert (signal["region"], signal["intersection"], signal["signal_group"]) == (49, 1090, 12)
    assert signal["adapter"] == "spatem_xml"
    assert "likely the right one: over 99 %" in err
    (folder / "p.json").write_text(json.dumps({"presses": greens[:1]}))
    code, _, err = run(capsys, "new", "y.toml", *arguments)
    assert code == 1 and "3 greens are the least that says anything" in err
    assert not (folder / "y.toml").exists()


def test_watching_without_a_terminal_says_what_to_do(capsys, folder: Path):
    code, _, err = run(capsys, "new", "x.toml", "--watch", str(write_trace(folder / "t.jsonl", 5)))
    assert code == 2 and "--watch needs a terminal, for the key presses" in err


def test_questions_are_asked_again_until_the_answer_is_right(capsys):
    questions = site_questions("north")
    signal = ["", "mqtt:/x", "mqtt://b/x", "spatem_xlm", "spatem_xml", "49:1090", "300", "12"]
    said = iter([*signal, "", "99", "18", "10", "24", "", "", "", ""])
    asked: list[str] = []

    def ask(text: str, default: str | None, err: bool) -> str:
        asked.append(text)
        answer = next(said)
        if not answer:
            assert default is not None, text
            return default
        return answer

    answers: Answers = {}
    ask_all(questions, answers, {("rider", "distance_m"): 77}, ask)
    check_answers(answers, questions)
    assert answers["signal", "signal_group"] == 12 and answers["rider", "sprint_kmh"] == 24
    assert answers["rider", "distance_m"] == 77 and answers["unit", "name"] == "north"
    assert next(said, None) is None
    err = " ".join(capsys.readouterr().err.split())
    for fault in ("did you mean 'spatem_xml'", "1 to 255", "km/h", "give more than the usual speed (18 km/h)"):
        assert fault in err
    assert asked.count("The signal group of your riders") == 2


def test_an_optional_answer_may_be_nothing():
    sprint = next(question for question in site_questions("x") if question.flag == "--sprint")
    assert [sprint.parse(text) for text in ("-", "none", "No")] == [None, None, None]
    assert (sprint.parse("24"), sprint.parse("24,5")) == (24, 24.5)
    with pytest.raises(InputError, match="write a number"):
        sprint.parse("fast")


def test_texts_that_look_like_toml_stay_text():
    questions = site_questions("x")
    answers: Answers = {question.key: question.default for question in questions}
    answers["unit", "name"] = 'a "quoted" # name'
    assert tomllib.loads(render_site(answers, questions))["unit"]["name"] == 'a "quoted" # name'


# check


def write_site(folder: Path, name: str = "north.toml", **changes: str) -> Path:
    values = {
        "unit": '"north"',
        "source": '"mqtt://broker/x"',
        "adapter": '"spatem_xml"',
        "group": "12",
        "distance": "110",
        "cruise": "18",
        "rest": "",
        "look": '"green_wave"',
        "brightness": "255",
        **changes,
    }
    file = folder / name
    file.write_text(
        '[unit]\nname = {unit}\n[signal]\nintersection = "49:1090"\nsignal_group = {group}\nadapter = {adapter}\n'
        "source = {source}\n[rider]\ndistance_m = {distance}\ncruise_kmh = {cruise}\n{rest}\n[look]\nname = {look}\n"
        "brightness = {brightness}\n".format(**values)
    )
    return file


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"distance": "20"}, "so near, riders can hardly act on it"),
        ({"distance": "300"}, "so far, forecasts are seldom good enough"),
        ({"cruise": "6"}, "cruise_kmh = 6: usual are 15 to 20 km/h"),
        ({"cruise": "35"}, "cruise_kmh = 35"),
        ({"rest": "sprint_kmh = 36"}, "nobody should be told to ride so fast"),
        ({"rest": "sprint_kmh = 19"}, "hardly faster than 18"),
        ({"distance": "240", "cruise": "11"}, "Riders take 79 s to the stop line"),
        ({"source": '"clock://"'}, 'speaks fixed_time, but adapter = "spatem_xml"'),
        ({"source": '"udp://0.0.0.0:6053"'}, "usually comes by mqtt:// or mqtts://, not by udp://"),
        ({"source": '"mqtt://127.0.0.1/x"'}, "on a board, that is the board itself"),
        ({"look": '"status"'}, 'look = "status" gives riders no advice'),
        ({"brightness": "5"}, "by day, nobody will see that"),
        ({"unit": '""'}, "[unit] name is empty"),
    ],
)
def test_what_is_allowed_but_strange_is_told(capsys, folder: Path, changes: dict[str, str], doubt: str):
    write_site(folder, **changes)
    code, out, err = run(capsys, "check", "north.toml")
    assert (code, out) == (0, "north.toml: right\n")
    assert "north.toml: look twice: " in err and doubt in err


def test_a_usual_site_raises_no_doubt(capsys, folder: Path):
    write_site(folder)
    assert run(capsys, "check", "north.toml") == (0, "north.toml: right\n", "")


def test_all_errors_of_all_files_at_once(capsys, folder: Path):
    write_site(folder)
    write_site(folder, "b.toml", group="300", adapter='"spatem_xlm"')
    write_site(folder, "c.toml", adapter='"rsmp"')
    code, out, err = run(capsys, "check", "north.toml", "b.toml", "c.toml", "nowhere.toml")
    assert (code, out) == (2, "north.toml: right\n")
    for part in ("b.toml:5: [signal] signal_group is 300", "did you mean 'spatem_xml'", "does not run on boards"):
        assert part in err
    assert "nowhere.toml: there is no such file" in err


@pytest.fixture
def feed() -> Iterator[tuple[str, list[bytes]]]:
    """A URL to listen at, and what is sent there ten times a second."""
    port, payloads, done = free_port(socket.SOCK_DGRAM), [], threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not done.wait(0.1):
                for payload in payloads:
                    sender.sendto(payload, ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    yield f"udp://127.0.0.1:{port}", payloads
    done.set()
    thread.join()


def test_live_says_that_the_signal_comes(capsys, folder: Path, feed):
    url, payloads = feed
    payloads.append(message(Program(0), ORIGIN_MS))
    write_site(folder)
    code, out, err = run(capsys, "check", "north.toml", "--live", "60", "--source", url)
    assert (code, err) == (0, "")
    assert out == "north.toml: right; signal group 12 of 49:1090 comes: red\n"


@pytest.mark.parametrize(
    ("old", "new", "group", "words"),
    [
        ("<DATA>", "<DOTA>", 12, "messages came, but none could be read"),
        ("", "", 13, "comes, but without signal group 13. There: 12."),
        ("<id>1090<", "<id>1091<", 12, "There: 49:1091."),
    ],
)
def test_live_says_what_comes_instead(capsys, folder: Path, old: str, new: str, group: int, words: str):
    trace = write_trace(folder / "t.jsonl", 5)
    trace.write_text(trace.read_text().replace(old, new) if old else trace.read_text())
    write_site(folder, group=str(group))
    code, out, err = run(capsys, "check", "north.toml", "--live", "60", "--source", str(trace))
    assert (code, out) == (1, "north.toml: right, but its signal does not come\n")
    assert words in err


def test_live_says_that_nothing_comes(capsys, folder: Path, feed):
    write_site(folder)
    code, _, err = run(capsys, "check", "north.toml", "--live", "1", "--source", feed[0])
    assert code == 1 and "nothing came in 1 s." in err


def test_live_from_a_recording_and_from_nobody(capsys, folder: Path):
    trace = write_trace(folder / "t.jsonl", 5)
    write_site(folder)
    code, out, _ = run(capsys, "check", "north.toml", "--live", "60", "--source", str(trace))
    assert code == 0 and "signal group 12 of 49:1090 comes" in out
    port = free_port()
    code, _, err = run(capsys, "check", "north.toml", "--live", "1", "--source", f"mqtt://127.0.0.1:{port}/x")
    assert code == 1 and "no MQTT broker answers" in err and "in the same network" in err
    code, _, err = run(capsys, "check", "north.toml", "--source", str(trace))
    assert code == 2 and "belong to --live SECONDS" in err
    write_site(folder, source='"x"', look='"test_pattern"')
    text = (folder / "north.toml").read_text().replace('source = "x"\n', "").replace('adapter = "spatem_xml"\n', "")
    (folder / "north.toml").write_text(text)
    code, _, err = run(capsys, "check", "north.toml", "--live", "1")
    assert code == 2 and "source is missing: nothing to listen to" in err
