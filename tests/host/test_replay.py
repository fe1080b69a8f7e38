# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`leezenflow replay`: the advice log, and recordings sent to brokers, sockets and serial lines."""

import gzip
import json
import os
import pty
import socket
import threading
import time
import tty
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from recordings import ORIGIN_MS, message, write_recording

from leezenflow.framing import FrameDecoder
from leezenflow_host import feeding
from leezenflow_host.broker import EmbeddedBroker
from leezenflow_host.cli import run
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.feeding import open_feed, pace
from leezenflow_host.trace import TraceMessage
from signals import Program

SIGNAL = ["--intersection", "49:1090", "--signal-group", "12"]


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of an advice log."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_the_advice_log_has_a_line_for_every_frame_silences_included(tmp_path: Path) -> None:
    write_recording(tmp_path / "t.jsonl", 60, skip=(30, 45))
    assert run(["replay", str(tmp_path / "t.jsonl"), "--advice", str(tmp_path / "a.jsonl"), *SIGNAL]) == 0
    frames = read_log(tmp_path / "a.jsonl")
    assert [frame["at_ms"] for frame in frames] == list(range(ORIGIN_MS + 100, ORIGIN_MS + 59_101, 100))
    assert set(frames[0]) == {"at_ms", "kind", "remaining_ms", "span_ms", "certainty", "reason"}
    assert {frame["kind"] for frame in frames[:10]} == {"dark"}
    assert {frame["reason"] for frame in frames[370:440]} == {"stale"}


def test_advice_is_for_the_arrival_at_the_given_speed(tmp_path: Path) -> None:
    program = write_recording(tmp_path / "t.jsonl.gz", 120)
    for speed, travel_ms in (("18", 22_000), ("36", 11_000)):
        out = tmp_path / f"a{speed}.jsonl.gz"
        assert run(["replay", str(tmp_path / "t.jsonl.gz"), "--advice", str(out), "--speed", speed, *SIGNAL]) == 0
        claimed = [frame for frame in read_log(out) if frame["kind"] in ("red", "green")]
        assert len(claimed) > 1_100
        for frame in claimed:
            arrival = frame["at_ms"] - 100 - ORIGIN_MS + travel_ms
            assert program.colour_at(arrival) in (frame["kind"], "amber"), frame


def test_frames_per_second_can_be_chosen(tmp_path: Path) -> None:
    write_recording(tmp_path / "t.jsonl", 10)
    assert run(["replay", str(tmp_path / "t.jsonl"), "--advice", str(tmp_path / "a"), "--fps", "3", *SIGNAL]) == 0
    instants = [frame["at_ms"] - ORIGIN_MS - 100 for frame in read_log(tmp_path / "a")]
    assert instants[:5] == [0, 333, 666, 1_000, 1_333]


def test_memory_is_written_and_read_again(tmp_path: Path) -> None:
    write_recording(tmp_path / "t.jsonl", 200)
    command = ["replay", str(tmp_path / "t.jsonl"), "--advice", str(tmp_path / "a"), *SIGNAL]
    assert run([*command, "--memory", str(tmp_path / "m")]) == 0
    first = (tmp_path / "m").read_bytes()
    assert run([*command, "--memory", str(tmp_path / "m")]) == 0
    assert (tmp_path / "m").read_bytes() != first
    (tmp_path / "m").write_bytes(first[:-1])
    assert run([*command, "--memory", str(tmp_path / "m")]) == 2
    assert (tmp_path / "m").read_bytes() == first[:-1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "Nothing to do"),
        (
            ["--advice", "out/a", "--intersection", "49:1", "--signal-group", "12"],
            2,
            "no message about signal group 12",
        ),
        (["--advice", "out/a", *SIGNAL, "--adapter", "nonsense"], 2, "nonsense"),
        (["--advice", "nowhere/a", *SIGNAL], 1, "nowhere"),
        (["--advice", "out/a", *SIGNAL, "--speed", "18", "--cruise", "20"], 2, "--cruise"),
        (["--advice", "out/a"], 2, "--signal-group"),
        (["--to", "http://localhost"], 2, "http://"),
        (["--to", "mqtt://127.0.0.1:1/x"], 1, "no MQTT broker"),
        (["--to", "udp://127.0.0.1"], 2, "port"),
        (["--to", "udp://127.0.0.1:9", "--speed", "0"], 2, "--speed"),
        (["--to", "serial:///dev/nowhere"], 1, "/dev/nowhere"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left_behind(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_recording(tmp_path / "t.jsonl", 5)
    (tmp_path / "out").mkdir()
    assert run(["replay", "t.jsonl", *arguments]) == code
    shown = capsys.readouterr().err
    assert words in shown
    assert "Traceback" not in shown
    assert list((tmp_path / "out").iterdir()) == []


def test_an_empty_recording_and_a_damaged_one_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_recording(tmp_path / "t.jsonl", 5)
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    (tmp_path / "empty.jsonl").write_text(lines[0] + "\n")
    assert run(["replay", str(tmp_path / "empty.jsonl"), "--advice", str(tmp_path / "a"), *SIGNAL]) == 2
    assert "no message" in capsys.readouterr().err
    (tmp_path / "cut.jsonl").write_text("\n".join([*lines[:3], '{"at_ms": 17, "pay', *lines[3:]]) + "\n")
    assert run(["replay", str(tmp_path / "cut.jsonl"), "--advice", str(tmp_path / "a"), *SIGNAL]) == 0
    assert "line 4" in capsys.readouterr().err


def test_a_recording_reaches_a_broker_whole_and_in_order(tmp_path: Path) -> None:
    write_recording(tmp_path / "t.jsonl", 40)
    got: list[tuple[str, bytes]] = []
    subscribed = threading.Event()
    with EmbeddedBroker() as broker:
        client = mqtt.Client(CallbackAPIVersion.VERSION2)

        def on_connect(client: mqtt.Client, *_: object) -> None:
            client.subscribe("#", 1)

        client.on_connect = on_connect
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = lambda _client, _data, news: got.append((news.topic, bytes(news.payload)))
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        assert subscribed.wait(10)
        url = f"mqtt://127.0.0.1:{broker.port}"
        assert run(["replay", str(tmp_path / "t.jsonl"), "--to", url, "--speed", "1000"]) == 0
        assert run(["replay", str(tmp_path / "t.jsonl"), "--to", f"{url}/city/spat", "--speed", "1000"]) == 0
        until = time.monotonic() + 20
        while len(got) < 80 and time.monotonic() < until:
            time.sleep(0.01)
        client.disconnect()
        client.loop_stop()
    sent = [message(Program(0), ORIGIN_MS + second * 1_000) for second in range(40)]
    assert got == [("/spat/1090", payload) for payload in sent] + [("city/spat", payload) for payload in sent]


def test_a_broker_that_leaves_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "ANSWER_S", 1.0)
    broker = EmbeddedBroker()
    broker.start()
    with pytest.raises(LeezenflowError, match="broker"), open_feed(f"mqtt://127.0.0.1:{broker.port}/x") as feed:
        feed.send(b"first", "")
        broker.stop()
        for _ in range(1_100):
            feed.send(b"x", "")


def test_a_message_without_any_topic_is_refused() -> None:
    refused = pytest.raises(InputError, match="topic")
    with EmbeddedBroker() as broker, refused, open_feed(f"mqtt://127.0.0.1:{broker.port}") as feed:
        feed.send(b"x", "")


def test_the_broker_says_when_its_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LeezenflowError, match="taken"):
            EmbeddedBroker(taken.getsockname()[1]).start()


def test_datagrams_and_serial_frames_carry_the_payload() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        with open_feed(f"udp://127.0.0.1:{listener.getsockname()[1]}") as feed:
            feed.send(b"a datagram", "")
        assert listener.recv(100) == b"a datagram"
    reader, line = pty.openpty()
    tty.setraw(line)
    with open_feed(f"serial://{os.ttyname(line)}") as feed:
        feed.send(b"a frame\0with zeros\0", "")
    received = os.read(reader, 100)
    os.close(line)
    os.close(reader)
    decoder = FrameDecoder(100)
    assert decoder.feed(received, 0, len(received)) == len(received)
    assert bytes(decoder.payload[: decoder.length]) == b"a frame\0with zeros\0"


def test_a_pace_keeps_the_intervals_and_makes_up_for_delays() -> None:
    messages = [TraceMessage(at_ms, "", b"") for at_ms in (0, 200, 400, 600)]
    began = time.monotonic()
    for number, _ in enumerate(pace(messages, 4)):
        # Never early; what comes late does not push the rest back.
        assert time.monotonic() - began >= number * 0.05
        if number == 0:
            time.sleep(0.08)
