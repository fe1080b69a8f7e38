# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A watched unit over USB and MQTT: a fake line, the real firmware on a virtual board, real brokers."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import AmqttBroker, MosquittoBroker, find_mosquitto, free_port, publish
from linux_units import make_site
from recordings import ORIGIN_MS, message
from sending import sending
from serial_peer import SerialPeer, UnitPeer
from waiting import wait_until

from leezenflow.advice import KINDS
from leezenflow_host import cli
from leezenflow_host.board_config import read_board
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.errors import BoardError, InputError, LeezenflowError
from leezenflow_host.image import build_image
from leezenflow_host.monitoring import sources
from leezenflow_host.monitoring.monitor import captions
from leezenflow_host.monitoring.sources import MqttUnit, UsbUnit, read_picture, unit_topic
from leezenflow_host.monitoring.unit_state import UnitState
from signals import Program

REPORT = {
    "version": "0.1.0",
    "unit": "north",
    "uptime_s": 90_061,
    "advice": "green",
    "reason": None,
    "late_frames": 2,
    "memory_free": 40 * 1024,
    "memory_used": 60 * 1024,
    "worst_draw_us": 3_400,
    "transport": {"messages": 100},
    "listening": True,
    "fault": "",
}
ADVICE = {"at": 5, "kind": "green", "remaining_ms": 9_000, "certainty": 97, "reason": None}
ADVICE_LINE = "advice " + json.dumps({**ADVICE, "message_age_ms": 120, "latency_ms": 7})


def picture(command: dict[str, Any]) -> dict[str, Any]:
    """A panel with one lit pixel."""
    pixels = bytes([1]) + bytes(32 * 96 - 1)
    palette = bytes(3) + b"\xff\x80\x40" + bytes(762)
    return {
        "width": 32,
        "height": 96,
        "pixels": base64.b64encode(pixels).decode(),
        "palette": base64.b64encode(palette).decode(),
    }


def make_verbs() -> dict[str, Any]:
    """A unit that answers; each report has ten messages more."""
    count = [90]

    def health(command: dict[str, Any]) -> dict[str, Any]:
        count[0] += 10
        return {"health": {**REPORT, "transport": {"messages": count[0]}}}

    return {"health": health, "watch": lambda command: {"on": command["on"]}, "picture": picture}


def test_a_unit_on_usb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_HEALTH_S", 0.2)
    monkeypatch.setattr(sources, "_RENEW_S", 0.2)
    with UnitPeer(make_verbs()) as peer:
        unit = UsbUnit(peer.port, 100, pictures=True)
        seen: set[str] = set()
        peer.say("mqtt: a line for people\r\nadvice {broken\r\n" + ADVICE_LINE)

        def heard() -> bool:
            seen.update(unit.poll(0.05))
            return seen == {"advice", "health", "picture"} and unit.state.messages_per_s is not None

        wait_until(heard, "everything")
        state = unit.state
        assert state.advice == {"kind": "green", "remaining_ms": 9_000, "certainty": 97, "reason": None}
        assert (state.message_age_ms, state.latency_ms) == (120, 7)
        assert state.picture is not None and state.picture.pixels[:2] == b"\1\0"
        rate = state.messages_per_s
        assert rate is not None and rate > 0
        watches = [command for command in peer.commands if command["do"] == "watch"]
        assert watches[0] == {"do": "watch", "id": watches[0]["id"], "on": True, "every_ms": 100}
        wait_until(
            lambda: bool(unit.poll(0.05)) and sum(c["do"] == "watch" for c in peer.commands) > 1, "watch renewed"
        )
        unit.close()
        wait_until(lambda: peer.commands[-1].get("on") is False, "the end of watching")
        # It was asked, never interrupted.
        assert b"\x03" not in peer.heard and b"\x04" not in peer.heard


def test_a_unit_that_falls_silent_or_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_SILENT_S", 0.2)
    verbs = make_verbs()
    with UnitPeer(verbs) as peer:
        unit = UsbUnit(peer.port, 100, pictures=False)
        peer._speak = lambda data: b""
        peer._answer = lambda data: b""
        with pytest.raises(BoardError, match=r"says nothing any more\. Run: leezenflow doctor --port"):
            while True:
                unit.poll(0.05)
        unit.close()
    with UnitPeer(verbs) as peer:
        unit = UsbUnit(peer.port, 100, pictures=False)
        peer.unplug()
        with pytest.raises(BoardError, match=r"vanished|says nothing"):
            while True:
                unit.poll(0.05)
        unit.close()


def test_ports_without_a_unit(micropython: str) -> None:
    with SerialPeer(lambda data: b"") as peer, pytest.raises(BoardError, match="No unit runs at"):
        UsbUnit(peer.port, 100, pictures=False, answer_s=0.1)
    # A prompt is recognised at once.
    with VirtualBoard() as board, pytest.raises(BoardError, match=r"No unit runs at .* leezenflow doctor"):
        UsbUnit(board.port, 100, pictures=False, answer_s=600)
    refusing = {**make_verbs(), "watch": lambda command: {"ok": False, "error": "no room"}}
    with UnitPeer(refusing) as peer:
        unit = UsbUnit(peer.port, 100, pictures=False)
        with pytest.raises(BoardError, match="does not let itself be watched: no room"):
            while True:
                unit.poll(0.05)


def test_a_unit_in_safe_mode_has_no_picture() -> None:
    verbs = {**make_verbs(), "picture": lambda command: {"ok": False, "error": "the unit is in safe mode"}}
    with UnitPeer(verbs) as peer:
        unit = UsbUnit(peer.port, 100, pictures=True)
        wait_until(lambda: bool(unit.poll(0.05)) and not unit._pictures, "no more pictures")
        assert unit.state.picture is None
        unit.close()


@pytest.mark.parametrize("damage", [{"pixels": "!"}, {"pixels": "AAAA"}, {"palette": "AAAA"}, {"width": None}])
def test_damaged_pictures_are_none(damage: dict[str, Any]) -> None:
    assert read_picture({**picture({}), **damage}) is None
    assert read_picture({}) is None


def test_the_real_firmware_on_a_virtual_board(
    micropython: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = AmqttBroker(free_port(), tmp_path)
    broker.start()
    site = make_site(f"mqtt://127.0.0.1:{broker.port}//spat/1090")
    flash = tmp_path / "virtual.flash"
    with VirtualBoard(flash) as board, SerialBoard(board.port) as connection:
        connection.deploy(build_image(read_board("virtual"), site))
    try:
        with (
            sending(broker.port, "/spat/1090", lambda ms: message(Program(0), ORIGIN_MS + ms)),
            VirtualBoard(flash) as board,
        ):
            unit = UsbUnit(board.port, 100, pictures=True, answer_s=60)

            def knows_all() -> bool:
                unit.poll(0.1)
                state = unit.state
                return bool(
                    state.advice
                    and state.advice["kind"] in ("green", "red")
                    and state.picture
                    and any(state.picture.pixels)
                    and state.messages_per_s
                )

            wait_until(knows_all, "the unit at work, seen from outside", 90)
            assert unit.state.message_age_ms is not None and unit.state.latency_ms is not None
            assert unit.state.health is not None and unit.state.health["unit"] == "test"
            unit.close()
            assert cli.run(["monitor", "--port", board.port, "--json", "--for", "5"]) == 0
            lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            assert cli.run(["monitor", "--port", board.port, "--for", "5"]) == 0
            plain = capsys.readouterr().out.splitlines()
            # Looking on has not disturbed it.
            assert "Stopped" not in board.log and board.lives == 1
    finally:
        broker.stop()
    assert any(line["advice"] and line["advice"]["kind"] in KINDS for line in lines)
    assert all(line["health"]["unit"] == "test" for line in lines)
    assert plain and plain[0].split()[0].rstrip(",") in KINDS


@pytest.fixture(params=[AmqttBroker, MosquittoBroker], ids=["amqtt", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AmqttBroker | MosquittoBroker]:
    """A broker."""
    if request.param is MosquittoBroker and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed: monitoring is not covered against the broker of the field")
    made = request.param(free_port(), tmp_path)
    made.start()
    yield made
    made.stop()


def test_a_unit_over_mqtt(broker: AmqttBroker | MosquittoBroker) -> None:
    said: list[str] = []
    publish(broker.port, "units/north/status", b"online", 1, retain=True)
    publish(broker.port, "units/north/health", json.dumps({**REPORT, "unit": "old"}).encode(), 1, retain=True)
    unit = MqttUnit(f"mqtt://127.0.0.1:{broker.port}/units", "north", {}, said.append)

    def polled(what: str) -> bool:
        return what in unit.poll(0.1)

    wait_until(lambda: polled("status"), "the status")
    assert unit.state.status == "online"
    for payload in (b"{", b"7", json.dumps(REPORT).encode()):
        publish(broker.port, "units/north/health", payload, 1)
    wait_until(lambda: polled("health"), "a report")
    assert unit.state.health == REPORT  # what the broker had kept was old news
    assert unit.state.advice is not None and unit.state.advice["kind"] == "green"
    broker.stop()
    wait_until(lambda: not unit.poll(0.1) and bool(said), "the loss")
    assert "trying again" in said[0]
    broker.start()
    wait_until(lambda: not unit.poll(0.1) and "the broker is back" in said, "the broker is back", 60)
    publish(broker.port, "units/north/status", b"offline", 1)
    wait_until(lambda: polled("status") and unit.state.status == "offline", "offline")
    unit.close()


def test_urls_of_units() -> None:
    assert unit_topic("mqtt://broker/leezenflow/", "north") == "leezenflow/north"
    assert unit_topic("mqtts://broker:8883/leezenflow/north", None) == "leezenflow/north"
    assert unit_topic("mqtt://broker", "north") == "north"
    for url, unit, complaint in (
        ("mqtt://broker", None, "Which unit"),
        ("mqtt://broker/units/#", "x", "Which unit"),
        ("udp://0.0.0.0:5", None, "give a broker"),
        ("broker", None, "must begin with a transport"),
    ):
        with pytest.raises(InputError, match=complaint):
            unit_topic(url, unit)
    with pytest.raises(LeezenflowError, match="no MQTT broker answers"):
        MqttUnit(f"mqtt://127.0.0.1:{free_port()}/u", None, {}, print)


def test_the_state_in_words() -> None:
    state = UnitState()
    assert captions(state, 0)[0] == "no advice yet"
    state.status = "offline"
    assert captions(state, 0)[0] == "unit offline"
    state.take_health(REPORT, 10_000)
    state.take_health({**REPORT, "transport": {"messages": 110}}, 20_000)
    state.take_advice({**ADVICE, "message_age_ms": 400, "latency_ms": 12}, 20_000)
    words = "\n".join(captions(state, 20_600))
    assert words.startswith("green, 9 s left, 97 % certain\n")
    assert "1.0 a second, the last 1.0 s ago" in words
    assert "12 ms from arrival until it counts, 3.4 ms to draw" in words
    assert "north, Leezenflow 0.1.0" in words and "1 d 01:01:01" in words and "40 kB free of 100" in words
    sensors = {"temperature_cdeg": 3150, "supply_mv": 4980, "sensor_faults": {"sht3x": "no answer"}}
    state.take_health({**REPORT, **sensors}, 25_000)
    words = "\n".join(captions(state, 25_000))
    assert "31.5 °C, 5.0 V" in words and "sensor sht3x: no answer" in words
    state.take_health({**REPORT, "transport": {"messages": 3}, "safe_mode": True, "failures": 5, "fault": "oh"}, 30_000)
    assert state.messages_per_s is None  # it has started anew
    words = "\n".join(captions(state, 30_000))
    assert "SAFE MODE after 5 failures" in words and "fault: oh" in words
    assert json.loads(json.dumps(state.as_dict(1)))["messages_per_s"] is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--port", "p", "--mqtt", "mqtt://b/u"), "not both"),
        (("--port", "p", "--unit", "u"), "--unit belongs to --mqtt"),
        (("--port", "p", "--truth", "t.json"), "give --site FILE.toml"),
        (("--mqtt", "mqtt://b/u", "--truth", "t.json", "--site", "s"), "needs the unit on USB"),
        (("--port", "p", "--truth", "t.json", "--site", "s"), "needs a terminal"),
        (("--mqtt", "udp://b:1"), "give a broker"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str) -> None:
    assert cli.run(["monitor", *arguments]) == 2
    assert complaint in " ".join(capsys.readouterr().err.split())
