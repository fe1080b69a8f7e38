# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor says of signals as this computer hears them, with real brokers and senders; and the bundle."""

import json
import re
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import AmqttBroker, free_port, publish
from field_broker import mosquitto
from linux_units import make_site
from recordings import ORIGIN_MS, message
from sending import sending

from leezenflow_host import cli
from leezenflow_host.diagnosis.bundle import Cleaner, secret_values, write_bundle
from leezenflow_host.diagnosis.doctor import Doctor, Examination
from leezenflow_host.diagnosis.evidence import Evidence, fault_kind, judge
from leezenflow_host.diagnosis.finding import Finding
from leezenflow_host.diagnosis.port_check import Sighting
from signals import Program

TOPIC = "spat/1090"
NOTHING = Sighting([], [], [])


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this computer's own boards."""
    monkeypatch.setenv("LEEZENFLOW_VOLUMES", str(tmp_path / "volumes"))
    monkeypatch.setenv("LEEZENFLOW_PORTS", str(tmp_path / "ports"))
    return tmp_path


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A broker's."""
    broker = AmqttBroker(free_port(), tmp_path)
    broker.start()
    yield broker.port
    broker.stop()


def examine(source: str, seconds: float = 60.0) -> Finding:
    """What the doctor says with this source and no board."""
    return Doctor(site=make_site(source), seconds=seconds, look=lambda: NOTHING).examine().finding


def sound(ms: int) -> bytes:
    """What a sound controller says."""
    return message(Program(0), ORIGIN_MS + ms)


def test_a_sound_signal(port: int) -> None:
    with sending(port, TOPIC, sound):
        finding = examine(f"mqtt://127.0.0.1:{port}/{TOPIC}")
    assert finding.case == "feed_healthy" and finding.is_healthy
    assert finding.values["advice"] in ("green", "red")


@pytest.mark.parametrize(
    ("say", "case"),
    [
        (lambda ms: sound(0), "clock_frozen"),
        (lambda ms: re.sub(rb"<(moy|timeStamp)>\d+</\w+>", b"", sound(ms)), "no_time"),
        (lambda ms: re.sub(rb"<eventState>\d", b"<eventState>9", sound(ms)), "dark_by_rule"),
        (lambda ms: b"<SPAT><no end", "unreadable_messages"),
        (lambda ms: b'{"temperature": 7}', "unreadable_messages"),
        (lambda ms: sound(ms).replace(b"<id>1090<", b"<id>1091<"), "foreign_messages"),
        (lambda ms: sound(ms).replace(b"<signalGroup>12<", b"<signalGroup>7<"), "wrong_signal_group"),
    ],
)
def test_signals_that_no_unit_can_use(port: int, say: Callable[[int], bytes], case: str) -> None:
    with sending(port, TOPIC, say):
        finding = examine(f"mqtt://127.0.0.1:{port}/{TOPIC}")
    assert finding.case == case, finding
    if case == "foreign_messages":
        assert finding.values == {"wanted": "49:1090 group 12", "heard": ["49:1091 (12)"]}
    elif case == "wrong_signal_group":
        assert finding.values == {"wanted": "12", "groups": [7]}
        assert "keine hat die Signalgruppe 12. Es gibt: 7." in finding.diagnosis("de")
    elif case == "dark_by_rule":
        assert "because the signal flashes" in finding.diagnosis("en")
        assert "weil die Ampel blinkt" in finding.diagnosis("de")
    elif case == "unreadable_messages":
        assert finding.values["adapter"] == "spatem_xml" and finding.values["fault"]


def test_a_lone_message_is_a_trickle() -> None:
    lone = Evidence(7.0, messages=1, engine={"accepted": 1}, reason="starting")
    assert judge(lone).case == "stale"
    assert judge(Evidence(1.0, messages=1, engine={"accepted": 1}, reason="starting")).case == "starting"


def test_a_broker_without_news(port: int) -> None:
    finding = examine(f"mqtt://127.0.0.1:{port}/{TOPIC}", 1)
    assert finding.case == "no_messages"
    assert f"({TOPIC})" in finding.diagnosis("en")
    publish(port, TOPIC, sound(0), 1, retain=True)
    assert examine(f"mqtt://127.0.0.1:{port}/{TOPIC}", 5).case == "only_retained"


def test_brokers_that_do_not_serve_us(tmp_path: Path) -> None:
    assert examine(f"mqtt://127.0.0.1:{free_port()}/t").case == "broker_unreachable"
    assert examine("mqtt://broker.invalid/t").case == "broker_name"
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].sendall(b"SSH-2.0\r\n"), daemon=True).start()
        assert examine(f"mqtt://127.0.0.1:{server.getsockname()[1]}/t").case == "broker_silent"
    number = free_port()
    (tmp_path / "passwords").touch()
    with mosquitto(tmp_path, number, f"allow_anonymous false\npassword_file {tmp_path}/passwords"):
        refused = examine(f"mqtt://anna@127.0.0.1:{number}/t")
        assert refused.case == "broker_refuses"
        assert examine(f"mqtts://127.0.0.1:{number}/t").case == "broker_tls"
    assert "Not authorized" in refused.diagnosis("de")


def test_a_source_that_another_program_has() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        finding = examine(f"udp://127.0.0.1:{taken.getsockname()[1]}")
    assert finding.case == "source_taken"
    assert "in use" in finding.diagnosis("en")


def test_datagrams_that_do_not_come() -> None:
    finding = examine(f"udp://127.0.0.1:{free_port()}", 1)
    assert finding.case == "no_messages"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("no address for broker.example", "name"),
        ("the broker cannot be trusted: The certificate is not correctly signed by the trusted CA", "tls"),
        ("TLS failed: (-30592, 'x'); does the broker know this unit's certificate?", "tls"),
        ("the broker refuses the connection: bad user name or password", "refused"),
        ("the broker refuses the subscription to spat/1", "refused"),
        ("the broker began with MQTT packet 5", "silent"),
        ("malformed: MQTT remaining length of more than four bytes", "silent"),
        ("[Errno 111] ECONNREFUSED", "unreachable"),
        ("no answer in time", "unreachable"),
    ],
)
def test_a_units_words_about_its_broker(fault: str, kind: str) -> None:
    assert fault_kind(fault) == kind


@pytest.mark.parametrize(
    ("evidence", "case"),
    [
        (Evidence(5, messages=5, engine={"accepted": 5}, advice="uncertain", reason="learning"), "healthy_uncertain"),
        (Evidence(5, messages=5, engine={"accepted": 5}, reason="stale"), "stale"),
        (Evidence(5, messages=5, engine={"accepted": 5}, reason="no_data"), "starting"),
        (Evidence(5, messages=90, engine={"accepted": 5, "other_signal": 85}, advice="green"), "healthy"),
        (Evidence(5, messages=9, engine={"accepted": 2, "duplicate": 7}, advice="red"), "clock_frozen"),
        (Evidence(5, messages=9, engine={"heartbeat": 5}, advice="red"), "healthy"),
        (Evidence(5, messages=3), "foreign_messages"),
        (Evidence(5, messages=9, engine={"late": 9}, reason="stale"), "late_messages"),
        (Evidence(5, messages=9, engine={"accepted": 3, "late": 6}, reason="stale"), "late_messages"),
        (Evidence(5, messages=9, engine={"clock_fault": 9}, reason="starting"), "late_messages"),
    ],
)
def test_evidence_and_cases(evidence: Evidence, case: str) -> None:
    assert judge(evidence).case == case


# The bundle


# In two pieces: nothing in this tree looks like a key.
BEGIN, END = (f"-----{word} EC PRIVATE {'KEY'}-----" for word in ("BEGIN", "END"))
SECRETS = {
    "mqtt": {"password": 'open "sesame" \\ 1'},
    "wifi": {"ssid": "hall", "password": "correct horse"},
    "command_key": "00ff" * 16,
    "certs": {"unit_key.der": f"{BEGIN}\nMHcCAQEEIB\nabcdefgh\n{END}"},
}


def test_the_bundle_holds_no_secret(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '# broker password: correct horse\n[signal]\nsource = "mqtt://anna@broker.example/t?token=tok123"\n'
    )
    secret = SECRETS["mqtt"]["password"]
    examination = Examination(
        Finding("broker_refuses", {"fault": f"not {secret}"}),
        "/dev/ttyACM0",
        {
            "health": [{"unit": "north", "transport_fault": "correct horse"}],
            "board_files": {"root": ["main.py"], "wifi_password": "unknown to us", "api_token": "t"},
            "nested": {"x": [SECRETS]},
        },
        [
            'wifi: {"ssid": "hall", "password": "another one"}',
            "psk=hunter22; ok",
            'once more \\"token\\": \\"a b c d\\", and',
            f"key {SECRETS['command_key']}",
            BEGIN,
            "cut short",
        ],
    )
    target = tmp_path / "bundle.zip"
    write_bundle(target, examination, "de", site, SECRETS)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(files) == {"versions.json", "diagnosis.json", "facts.json", "log.txt", "site.toml"}
    everything = "\n".join(files.values())
    for word in (
        *secret_values(SECRETS) - {"hall", BEGIN, END},
        *(
            "correct horse",
            "another one",
            "hunter22",
            "a b c d",
            "unknown to us",
            "tok123",
            "anna",
            "cut short",
            "MHcCAQEEIB",
        ),
        json.dumps(secret)[1:-1],
    ):
        assert word not in everything, word
    assert "north" in everything and "main.py" in everything and "broker.example" in everything
    assert json.loads(files["versions.json"])["leezenflow"]
    assert json.loads(files["diagnosis.json"])["case"] == "broker_refuses"
    assert json.loads(files["facts.json"])["board_files"]["wifi_password"] == "(hidden)"
    assert list(tmp_path.glob(".*")) == []


def test_short_words_are_no_secrets_and_long_ones_go_first() -> None:
    cleaner = Cleaner(secret_values({"a": "abc", "b": "abcdefg", "c": ["abcdefgh", 5, None]}))
    assert cleaner.clean("abc abcdefgh abcdefg") == "abc (hidden) (hidden)"


def test_the_command_writes_a_bundle_and_tells(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], places: Path
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[signal]\nintersection = "49:1090"\nsignal_group = 12\nadapter = "spatem_xml"\n'
        f'source = "mqtt://anna@127.0.0.1:{port}/{TOPIC}"\n[rider]\ndistance_m = 60\n'
    )
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps(SECRETS))
    arguments = ["doctor", "--site", str(site), "--secrets", str(secrets), "--lang", "en"]
    with sending(port, TOPIC, sound):
        code = cli.run([*arguments, "--seconds", "60", "--bundle", str(tmp_path / "b.zip")])
    captured = capsys.readouterr()
    assert code == 0, captured.out
    assert captured.out.startswith("Diagnosis: The messages of the signal arrive")
    assert captured.err.strip() == f"Wrote {tmp_path / 'b.zip'}."
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    for word in ("anna", "correct horse", "sesame", "MHcCAQEEIB", SECRETS["command_key"]):
        assert str(word).encode() not in everything
    assert cli.run([*arguments, "--seconds", "1"]) == 1
    assert cli.run([*arguments, "--bundle", str(tmp_path / "nowhere" / "b.zip"), "--seconds", "1"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert cli.run(["doctor", "--site", str(tmp_path / "none.toml")]) == 2
