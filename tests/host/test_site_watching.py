# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live groups: switches to green out of messages, presses out of files, a group out of both."""

import json
import time
from pathlib import Path

import pytest
from recordings import ORIGIN_MS, message

from leezenflow_host.capture.arrivals import Arrival, SourceLostError
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.site_guide import watching as module
from leezenflow_host.site_guide.screen import Watching, choose_group, describe, replay_presses
from leezenflow_host.site_guide.watching import (
    GroupWatch,
    LiveFeed,
    RecordedFeed,
    iter_arrivals,
    open_feed,
    read_presses,
)
from signals import Program

GROUP = ("49:1090", 12)


def arrivals(seconds: int, step_s: int = 1, group: int = 12) -> list[Arrival]:
    program = Program(0)
    return [
        Arrival(ORIGIN_MS + at_ms, "/spat", message(program, ORIGIN_MS + at_ms, group))
        for at_ms in range(0, seconds * 1000, step_s * 1000)
    ]


def greens(seconds: int) -> list[int]:
    """When the program's lamp turns green, in Unix ms."""
    program = Program(0)
    found, at_ms = [], 0
    while at_ms < seconds * 1000:
        state, end = program.state_at(at_ms)
        if state in (5, 6) and at_ms:
            found.append(ORIGIN_MS + at_ms)
        at_ms = end
    return found


def watched(messages: list[Arrival]) -> GroupWatch:
    watch = GroupWatch()
    for arrival in messages:
        watch.take(arrival)
    return watch


def test_a_switch_is_where_the_first_green_message_arrives():
    watch = watched(arrivals(240))
    assert watch.switches == {GROUP: greens(240)}
    assert len(greens(240)) >= 2
    assert (watch.messages, watch.unreadable, watch.adapter) == (240, 0, "spatem_xml")
    assert watch.states.keys() == {GROUP}


def test_late_and_retained_messages_switch_nothing():
    messages = arrivals(240)
    shuffled = []
    for index, arrival in enumerate(messages):
        shuffled.append(arrival)
        if index >= 3:
            shuffled.append(Arrival(arrival.at_ms + 50, "", messages[index - 3].payload))
            shuffled.append(Arrival(arrival.at_ms + 60, "", messages[index // 2].payload, True))
    assert watched(shuffled).switches == {GROUP: greens(240)}


def test_a_green_after_a_silence_is_no_switch():
    first = greens(240)[0]
    messages = [one for one in arrivals(240) if not first - 8_000 <= one.at_ms < first + 1_000]
    assert watched(messages).switches == {GROUP: greens(240)[1:]}


def test_a_controller_whose_clock_was_set_back_is_followed():
    program = Program(0)
    later = [Arrival(ORIGIN_MS + at_ms, "", message(program, ORIGIN_MS + 3_600_000 + at_ms)) for at_ms in range(5)]
    watch = watched(later + arrivals(240))
    assert watch.switches == {GROUP: greens(240)}


def test_what_cannot_be_read_is_counted():
    watch = watched([Arrival(1, "", b"nonsense")])
    assert (watch.messages, watch.unreadable, watch.adapter) == (0, 1, None)


def test_presses_beside_a_recording_choose_the_group():
    watching = Watching()
    presses = [at_ms + 400 for at_ms in greens(600)]
    replay_presses(lambda: arrivals(600), watching, [ORIGIN_MS - 99_000, *presses, ORIGIN_MS + 10**9])
    assert watching.presses == presses
    best, remarks = choose_group(watching)
    assert best is not None and best.group == GROUP
    assert f"{len(presses)} of {len(presses)} presses at a switch to green, +0.4 s after it" in remarks[0]


def test_what_is_not_sure_is_not_chosen():
    watching = Watching()
    assert choose_group(watching) == (None, ["No message with a signal group came."])
    with pytest.raises(LeezenflowError, match="holds no message"):
        replay_presses(list, watching, [])
    replay_presses(lambda: arrivals(600), watching, [])
    assert choose_group(watching)[1] == ["Nobody pressed a key, so any group is as likely as another."]
    replay_presses(lambda: arrivals(600), watching, [at_ms + 400 for at_ms in greens(600)][:2])
    best, remarks = choose_group(watching)
    assert best is None and "3 greens are the least that says anything; 2 were marked." in remarks
    replay_presses(lambda: arrivals(600), watching, [at_ms - 20_000 for at_ms in greens(600)])
    best, remarks = choose_group(watching)
    assert best is None and "That is not sure enough" in remarks[-1]
    assert "likely the right one: under 1 %" in remarks[0]


def test_twins_are_named():
    both = [one for pair in zip(arrivals(600), arrivals(600, group=14), strict=True) for one in pair]
    watching = Watching()
    replay_presses(lambda: both, watching, [at_ms + 400 for at_ms in greens(600)])
    best, remarks = choose_group(watching)
    assert best is None
    assert "Group 14 switched at exactly the same moments" in remarks[1] and "Then give --signal-group." in remarks[1]
    assert "50 %" in describe(watching.ranked()[0])


def write_trace(path: Path, seconds: int) -> Path:
    lines = [json.dumps({"leezenflow_trace": 1, "adapter": "spatem_xml", "source": "", "note": ""})]
    lines += [
        json.dumps({"at_ms": one.at_ms, "topic": "", "payload": one.payload.decode()}) for one in arrivals(seconds)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_recording_plays_at_its_pace_and_ends(tmp_path: Path):
    trace = write_trace(tmp_path / "t.jsonl", 30)
    assert [one.at_ms for one in iter_arrivals(trace)] == [one.at_ms for one in arrivals(30)]
    feed = open_feed(str(trace), speed=1000)
    assert isinstance(feed, RecordedFeed)
    came: list[Arrival] = []
    while not feed.ended:
        assert feed.now_ms() >= ORIGIN_MS
        came += feed.receive(0.005)
    feed.close()
    assert [(one.at_ms, one.payload) for one in came] == [(one.at_ms, one.payload) for one in arrivals(30)]


def test_a_feed_that_is_lost_is_opened_again(monkeypatch: pytest.MonkeyPatch):
    class Source:
        hint = "check the cable"
        opened = 0

        def open(self) -> None:
            self.opened += 1
            if self.opened == 1:
                raise SourceLostError("nobody there")

        def receive(self, timeout_s: float) -> list[Arrival]:
            if self.opened == 2:
                self.opened = 3
                raise SourceLostError("it left")
            return [Arrival(1, "", b"x")]

        def close(self) -> None:
            self.opened = 0

    source = Source()
    monkeypatch.setattr(module, "make_source", lambda url, secrets: source)
    feed = LiveFeed("mqtt://broker/x")
    assert (feed.receive(0), feed.lost) == ([], "nobody there")
    assert (feed.receive(0), feed.lost) == ([], "it left")
    assert (feed.receive(0), feed.lost) == ([Arrival(1, "", b"x")], "")
    assert abs(feed.now_ms() - time.time() * 1000) < 60_000 and not feed.ended
    feed.close()
    assert source.opened == 0


def test_wrong_files_are_told(tmp_path: Path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text(json.dumps({"leezenflow_trace": 1, "adapter": "spatem_xml"}) + "\n")
    with pytest.raises(InputError, match="there is no message in it"):
        open_feed(str(empty))
    with pytest.raises(InputError, match="neither a recording nor a URL"):
        open_feed(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("content", "presses"),
    [
        ({"presses": [3, 1, 2]}, [1, 2, 3]),
        ({"signal_groups": {"12": [[10, 3], [20, 4], [30, 5], [40, 7], [50, 6]]}}, [30, 50]),
    ],
)
def test_presses_come_from_a_list_or_from_the_truth_of_one_group(tmp_path: Path, content, presses: list[int]):
    file = tmp_path / "p.json"
    file.write_text(json.dumps(content))
    assert read_presses(file) == presses


@pytest.mark.parametrize("content", ["{", "[]", '{"presses": ["a"]}', '{"signal_groups": {"1": [], "2": []}}', "{}"])
def test_files_without_presses_are_refused(tmp_path: Path, content: str):
    file = tmp_path / "p.json"
    file.write_text(content)
    with pytest.raises(InputError, match="or give a truth file with one signal group"):
        read_presses(file)
    with pytest.raises(InputError, match="there is no such file"):
        read_presses(tmp_path / "nowhere.json")
