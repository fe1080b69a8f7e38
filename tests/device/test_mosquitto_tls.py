# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MQTT over TLS on a real MicroPython against a real mosquitto, as set up by the generator: who trusts whom."""

import binascii
import datetime
import socket
from pathlib import Path
from typing import Literal

import pytest
from brokers import subscribe, wait_until
from mosquitto_fleet import TOPIC, Fleet
from test_mqtt_transport import ScriptedBroker
from transport_child import TransportChild

from leezenflow_host.certificates import issue_client, issue_server, make_authority, read_authority

Auth = Literal["password", "certificate"]
DAY = datetime.timedelta(days=1)


def told(payload: bytes) -> tuple[str, int, int]:
    """What the child tells of a message."""
    return ("message", len(payload), binascii.crc32(payload))


def expect_refusal(child: TransportChild, words: str) -> None:
    """Wait until the child said why it does not connect; it must not have listened for a moment."""
    child.wait_for_output(words)
    assert ["listening", True] not in child.events
    assert not any(event[0] in ("reconnected", "message") for event in child.events)


def replace_server(fleet: Fleet, hosts: tuple[str, ...], ends: datetime.datetime) -> None:
    """Give the broker another certificate of the same authority."""
    ca = fleet.folder / "broker/ca.pem"
    key = fleet.folder / "authority/ca.key"
    server = issue_server(read_authority(ca.read_bytes(), key.read_bytes(), "ca"), hosts, ends)
    (fleet.folder / "broker/server.pem").write_bytes(server.certificate_pem)
    (fleet.folder / "broker/server.key").write_bytes(server.key_pem)


@pytest.mark.parametrize("auth", ["password", "certificate"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_messages_status_and_commands_over_tls(micropython: str, tmp_path: Path, auth: Auth, host: str) -> None:
    payload = bytes(range(256)) * 60
    with (
        Fleet(tmp_path / "fleet", auth) as fleet,
        fleet.client("operator") as operator,
        fleet.client("feeder") as feeder,
    ):
        subscribe(operator, "leezenflow/+/status", 1)
        with TransportChild(micropython, fleet.source("unit-a", host=host), fleet.secrets("unit-a"), say="ok") as child:
            child.wait_for("listening", True)
            feeder.publish(TOPIC, payload).wait_for_publish(10)
            child.wait_for(*told(payload))
            operator.publish("leezenflow/unit-a/command", b'{"do":"health"}', 1).wait_for_publish(10)
            child.wait_for("command", '{"do":"health"}')
            heard = operator.user_data_get()
            wait_until(lambda: ("leezenflow/unit-a/status", b"online") in heard, "the unit says that it is there")
        wait_until(lambda: ("leezenflow/unit-a/status", b"offline") in heard, "its last will")
        assert "reconnected" in [event[0] for event in child.events]


def test_another_authority_is_not_believed(micropython: str, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.der"
    stranger.write_bytes(make_authority("Leezenflow localhost", datetime.datetime.now(datetime.UTC)).certificate_der)
    with Fleet(tmp_path / "fleet") as fleet:
        source = fleet.source("unit-a", ca=stranger)
        with TransportChild(micropython, source, fleet.secrets("unit-a")) as child:
            expect_refusal(child, "cannot be trusted: The certificate is not correctly signed")
    assert not any(fleet.secrets("unit-a")["mqtt"]["password"] in line for line in child.other_output)


def test_a_certificate_for_another_name_is_not_believed(micropython: str, tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet", hosts=("broker.example",))
    with fleet, TransportChild(micropython, fleet.source("unit-a"), fleet.secrets("unit-a")) as child:
        expect_refusal(child, "does not match")


def test_an_expired_certificate_is_not_believed(micropython: str, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    fleet = Fleet(tmp_path / "fleet", now=now - 9 * DAY)
    replace_server(fleet, ("127.0.0.1",), now - DAY)
    with fleet, TransportChild(micropython, fleet.source("unit-a"), fleet.secrets("unit-a")) as child:
        expect_refusal(child, "validity has expired (the unit's clock says ")


def test_a_certificate_of_tomorrow_is_not_believed_by_a_clock_that_is_right(micropython: str, tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet", now=datetime.datetime.now(datetime.UTC) + 2 * DAY)
    with fleet, TransportChild(micropython, fleet.source("unit-a"), fleet.secrets("unit-a")) as child:
        expect_refusal(child, "validity starts in the future (the unit's clock says ")


@pytest.mark.parametrize("secrets", [{}, {"mqtt": {"user": "unit-a", "password": "guess"}}, {"mqtt": {"user": "x"}}])
def test_a_stranger_is_not_let_in(micropython: str, tmp_path: Path, secrets: dict[str, object]) -> None:
    with Fleet(tmp_path / "fleet") as fleet, TransportChild(micropython, fleet.source("unit-a"), secrets) as child:
        expect_refusal(child, "the broker refuses the connection: ")


def test_without_a_certificate_of_its_own_a_unit_is_not_let_in(micropython: str, tmp_path: Path) -> None:
    with Fleet(tmp_path / "fleet", "certificate") as fleet:
        source = fleet.source("unit-a", certificate="")
        with TransportChild(micropython, source, fleet.secrets("unit-a")) as child:
            expect_refusal(child, "trying again")


def test_a_certificate_of_another_authority_is_not_let_in(micropython: str, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    forged = issue_client(make_authority("Leezenflow localhost", now), "unit-a", now + DAY)
    with Fleet(tmp_path / "fleet", "certificate") as fleet:
        source = fleet.source("unit-a")
        (tmp_path / "fleet/unit-a-certs/unit.der").write_bytes(forged.certificate_der)
        (tmp_path / "fleet/unit-a-certs/unit_key.der").write_bytes(forged.key_der)
        with TransportChild(micropython, source, fleet.secrets("unit-a")) as child:
            expect_refusal(child, "trying again")


@pytest.mark.parametrize("auth", ["password", "certificate"])
def test_a_revoked_unit_is_not_let_in_and_the_others_are(micropython: str, tmp_path: Path, auth: Auth) -> None:
    fleet = Fleet(tmp_path / "fleet", auth)
    fleet.change(revoke=("unit-a",))
    with fleet:
        with TransportChild(micropython, fleet.source("unit-b"), fleet.secrets("unit-b")) as child:
            child.wait_for("listening", True)
        with TransportChild(micropython, fleet.source("unit-a"), fleet.secrets("unit-a")) as child:
            expect_refusal(child, "trying again")


def test_a_renewed_broker_certificate_is_accepted_by_a_unit_that_knows_only_the_authority(
    micropython: str, tmp_path: Path
) -> None:
    fleet = Fleet(tmp_path / "fleet", now=datetime.datetime.now(datetime.UTC) - 400 * DAY)
    before = (tmp_path / "fleet/broker/server.pem").read_bytes()
    fleet.change(renew_server=True)
    assert (tmp_path / "fleet/broker/server.pem").read_bytes() != before
    with fleet, TransportChild(micropython, fleet.source("unit-a"), fleet.secrets("unit-a")) as child:
        child.wait_for("listening", True)


def test_a_server_that_says_nothing_in_the_handshake_stops_nobody_else(micropython: str, tmp_path: Path) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(1000)  # the client's hello, and never an answer

    authority = tmp_path / "ca.der"
    authority.write_bytes(make_authority("nobody", datetime.datetime.now(datetime.UTC)).certificate_der)
    with (
        ScriptedBroker(serve) as server,
        TransportChild(micropython, f"mqtts://127.0.0.1:{server.port}/t?ca={authority}", turns=True) as child,
    ):
        wait_until(lambda: server.connections == 1, "it dialled")
        before = child.wait_for("turn")[1]
        child.wait_for_output("no answer in time")
        # While the handshake hung, everything else went on.
        assert next(event for event in reversed(child.events) if event[0] == "turn")[1] > before + 20
