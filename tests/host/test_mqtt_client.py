# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker's client that all commands share, and recordings sent to a real mosquitto over TLS."""

import json
import socket
import ssl
import threading
from pathlib import Path
from typing import Any, Literal

import pytest
from brokers import subscribe, wait_until
from mosquitto_fleet import TOPIC, Fleet
from recordings import ORIGIN_MS, message, write_recording

from leezenflow.source_url import parse_source
from leezenflow_host.cli import run
from leezenflow_host.errors import InputError
from leezenflow_host.mqtt_client import Broker, explain_failure, find_broker
from signals import Program


def send(folder: Path, url: str, *more: str) -> int:
    """Send a recording of three messages; the exit code."""
    write_recording(folder / "t.jsonl", 3)
    return run(["replay", str(folder / "t.jsonl"), "--to", url, "--speed", "1000", *more])


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr, on one line."""
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("auth", ["password", "certificate"])
def test_a_recording_is_sent_over_tls(tmp_path: Path, auth: Literal["password", "certificate"]) -> None:
    with Fleet(tmp_path / "fleet", auth) as fleet:
        query = f"ca={fleet.folder}/broker/ca.pem"
        if auth == "certificate":
            query += f"&certificate={fleet.folder}/people/feeder.pem&key={fleet.folder}/people/feeder.key"
        secrets = str(fleet.folder / "people/feeder.json")
        unit = parse_source(fleet.source("unit-a"))
        client = find_broker(unit, {"certificate": "", **unit.options}, fleet.secrets("unit-a")).make_client()
        heard: list[bytes] = []
        client.on_message = lambda _, data, got: heard.append(bytes(got.payload))
        client.connect("127.0.0.1", fleet.port)
        client.loop_start()
        try:
            wait_until(client.is_connected, "the unit is connected")
            subscribe(client, TOPIC, 1)
            url = f"mqtts://localhost:{fleet.port}/{TOPIC}?{query}"
            assert send(tmp_path, url, "--secrets", secrets) == 0
            wait_until(lambda: len(heard) >= 3, "the recording has come")
        finally:
            client.disconnect()
            client.loop_stop()
    assert heard == [message(Program(0), ORIGIN_MS + second * 1_000) for second in range(3)]


def test_nothing_is_sent_to_a_broker_that_is_not_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Fleet(tmp_path / "fleet", hosts=("elsewhere.example",)) as fleet:
        secrets = str(fleet.folder / "units/unit-a.json")
        assert send(tmp_path, f"mqtts://127.0.0.1:{fleet.port}/{TOPIC}", "--secrets", secrets) == 1
    said = shown(capsys)
    assert "no TLS with the MQTT broker at 127.0.0.1" in said and "--secrets" in said


def test_a_wrong_password_is_told_at_once_and_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Fleet(tmp_path / "fleet") as fleet:
        own = {"mqtt": {"user": "feeder", "password": "s3cret"}, "certs": fleet.secrets("unit-a")["certs"]}
        (tmp_path / "own.json").write_text(json.dumps(own))
        url = f"mqtts://127.0.0.1:{fleet.port}/{TOPIC}"
        assert send(tmp_path, url, "--secrets", str(tmp_path / "own.json")) == 1
    said = shown(capsys)
    assert "does not let us in (Not authorized)" in said and "s3cret" not in said


def test_credentials_go_to_a_broker_without_tls_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.json").write_text('{"mqtt": {"user": "me", "password": "s3cret"}}')
    heard: list[bytes] = []

    def refuse(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            heard.append(client.recv(4096))
            client.sendall(bytes((0x20, 2, 0, 5)))
            client.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse, args=(server,), daemon=True).start()
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}/x"
        assert send(tmp_path, url, "--secrets", str(tmp_path / "own.json")) == 1
    assert b"\x00\x02me\x00\x06s3cret" in heard[0]
    assert "does not let us in" in shown(capsys)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtts://broker/x?unit_topic=a", "no option 'unit_topic'"),
        ("mqtts://broker/x?ca=./nowhere.der", "nowhere.der: No such file"),
        ("mqtts:///x", "names no broker"),
    ],
)
def test_what_is_wrong_with_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, words: str
) -> None:
    assert send(tmp_path, url) == 2
    assert words in shown(capsys)


def test_secrets_without_a_broker_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_recording(tmp_path / "t.jsonl", 3)
    (tmp_path / "own.json").write_text("{}")
    arguments = ["--advice", str(tmp_path / "a.jsonl"), "--secrets", str(tmp_path / "own.json")]
    assert run(["replay", str(tmp_path / "t.jsonl"), *arguments]) == 2
    assert "--secrets is for --to" in shown(capsys)


def test_ports_and_users() -> None:
    secrets = {"mqtt": {"user": "unit", "password": "p"}}
    plain = find_broker(parse_source("mqtt://broker/x"), {}, secrets)
    assert (plain.address, plain.user, plain.password, plain.tls) == ("broker:1883", "unit", "p", None)
    tls = find_broker(parse_source("mqtts://me@broker/x"), {"ca": "ca.der", "certificate": ""}, secrets)
    assert (tls.address, tls.user) == ("broker:8883", "me")
    assert tls.tls is not None and tls.tls.verify_mode == ssl.CERT_REQUIRED and tls.tls.check_hostname
    assert "'p'" not in repr(plain)


@pytest.mark.parametrize("wrong", [["user"], {"user": 7}])
def test_credentials_that_are_none(wrong: Any) -> None:
    with pytest.raises(InputError, match=r'write \{"mqtt"'):
        find_broker(parse_source("mqtt://broker/x"), {}, {"mqtt": wrong})


@pytest.mark.parametrize(
    ("error", "tls", "kind", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), False, "name", "no address for the broker b (Name or"),
        (ssl.SSLError(1, "WRONG_VERSION"), True, "tls", "no TLS with the MQTT broker at b:1 ("),
        (ConnectionResetError(), False, "silent", "what listens at b:1 breaks off"),
        (BrokenPipeError(), True, "tls", "what listens at b:1 breaks off"),
        (ConnectionRefusedError(111, "refused"), False, "unreachable", "no MQTT broker answers at b:1 ("),
        (ValueError("Invalid host."), False, "unreachable", "(Invalid host.)"),
    ],
)
def test_failures_in_words(error: OSError | ValueError, tls: bool, kind: str, words: str) -> None:
    broker = Broker("b", 1, tls=ssl.create_default_context() if tls else None)
    found, text = explain_failure(error, broker)
    assert found == kind and words in text
