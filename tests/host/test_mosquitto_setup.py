# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator of a broker's configuration: what it makes, keeps, revokes and refuses."""

import base64
import datetime
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509

from leezenflow.source_url import parse_source
from leezenflow_host.commands._keys_broker import command
from leezenflow_host.errors import InputError
from leezenflow_host.mosquitto_setup import BrokerFiles, BrokerPlan, hash_password, is_secret, set_up_broker
from leezenflow_host.secrets_file import secret_files

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)


def make(folder: Path, now: datetime.datetime = NOW, **plan: Any) -> BrokerFiles:
    """Make a broker's files and write them."""
    made = set_up_broker(BrokerPlan(**plan), folder, now)
    made.write_to(folder)
    return made


def fleet(folder: Path, **more: Any) -> BrokerFiles:
    """A broker with one unit and one of each kind of people."""
    plan: dict[str, Any] = {
        "hosts": ("broker.example", "192.0.2.1"),
        "units": ("unit-7",),
        "topics": ("spat/1090", "spat/2"),
        "operators": ("op",),
        "feeders": ("feed",),
    }
    return make(folder, **{**plan, **more})


def complaint(folder: Path, **plan: Any) -> str:
    """What is said to a plan that cannot be."""
    with pytest.raises(InputError) as error:
        set_up_broker(BrokerPlan(**plan), folder, NOW)
    return str(error.value)


def test_the_access_list_gives_nobody_more_than_they_need(tmp_path: Path) -> None:
    fleet(tmp_path / "b", prefix="city")
    rules = (tmp_path / "b/broker/acl").read_text()
    assert rules.split("\n\n")[1:] == [
        "user feed\ntopic write spat/1090\ntopic write spat/2",
        "user op\ntopic write city/+/command\ntopic read city/+/status\ntopic read city/+/health\n"
        "topic read city/+/answer",
        "user unit-7\ntopic read spat/1090\ntopic read spat/2\ntopic read city/unit-7/command\n"
        "topic write city/unit-7/status\ntopic write city/unit-7/health\ntopic write city/unit-7/answer\n",
    ]


def test_observers_only_read_and_operators_announce_where_they_may(tmp_path: Path) -> None:
    fleet(tmp_path / "b", observers=("home",), discovery="ha")
    rules = dict(rule.split("\n", 1) for rule in (tmp_path / "b/broker/acl").read_text().strip().split("\n\n")[1:])
    assert rules["user home"].splitlines() == [
        *("topic read leezenflow/+/status", "topic read leezenflow/+/health"),
        *("topic read ha/#", "topic write ha/status"),
    ]
    assert rules["user op"].splitlines()[-1] == "topic readwrite ha/device/+/config"
    assert "ha/" not in rules["user unit-7"] + rules["user feed"]
    # Once said, it holds; without it an observer reads what units publish, and that is all.
    make(tmp_path / "b", operators=("later",))
    assert (tmp_path / "b/broker/acl").read_text().count("topic readwrite ha/device/+/config") == 2
    fleet(tmp_path / "c", observers=("home",))
    assert (
        "user home\ntopic read leezenflow/+/status\ntopic read leezenflow/+/health\n\n"
        in (tmp_path / "c/broker/acl").read_text()
    )
    assert "is no topic" in complaint(tmp_path / "d", hosts=("h",), discovery="ha\ntopic readwrite #")


@pytest.mark.parametrize("auth", ["password", "certificate"])
def test_the_source_and_the_secrets_are_what_a_unit_needs(tmp_path: Path, auth: str) -> None:
    made = fleet(tmp_path / "b", auth=auth, shared_secrets={"wifi": {"ssid": "leeze", "password": "x"}})
    source = parse_source(made.sources["unit-7"])
    assert (source.scheme, source.host, source.port, source.path) == ("mqtts", "broker.example", 8883, "spat/1090")
    assert source.options["unit_topic"] == "leezenflow/unit-7"
    files = secret_files((tmp_path / "b/units/unit-7.json").read_bytes())
    secrets = json.loads(files["/secrets.json"])
    assert secrets["wifi"] == {"ssid": "leeze", "password": "x"}
    assert secrets["mqtt"]["user"] == "unit-7"
    assert len(bytes.fromhex(secrets["command_key"])) == 32
    authority = x509.load_pem_x509_certificate((tmp_path / "b/broker/ca.pem").read_bytes())
    assert x509.load_der_x509_certificate(files["/certs/ca.der"]) == authority
    if auth == "password":
        assert len(secrets["mqtt"]["password"]) == 32
        assert set(files) == {"/secrets.json", "/certs/ca.der"}
        assert "certificate" not in source.options
    else:
        assert "password" not in secrets["mqtt"]
        assert source.options["certificate"] == "unit.der"
        own = x509.load_der_x509_certificate(files["/certs/unit.der"])
        own.verify_directly_issued_by(authority)
        assert own.subject.rfc4514_string() == "CN=unit-7"
        assert "/certs/unit_key.der" in files


def test_every_certificate_begins_with_the_authority(tmp_path: Path) -> None:
    fleet(tmp_path / "b", auth="certificate")
    later = NOW + datetime.timedelta(days=5000)
    make(tmp_path / "b", units=("unit-8",), topics=("t",), renew_server=True, now=later)
    begins = datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC)
    authority = x509.load_pem_x509_certificate((tmp_path / "b/broker/ca.pem").read_bytes())
    server = x509.load_pem_x509_certificate((tmp_path / "b/broker/server.pem").read_bytes())
    unit = json.loads((tmp_path / "b/units/unit-8.json").read_bytes())["certs"]["unit.der"]
    for certificate in (authority, server, x509.load_der_x509_certificate(base64.b64decode(unit))):
        assert certificate.not_valid_before_utc == begins
        assert certificate.not_valid_after_utc > NOW + datetime.timedelta(days=5000)
    assert server.not_valid_after_utc <= authority.not_valid_after_utc


def test_again_adds_and_revokes_and_leaves_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    fleet(folder, auth="certificate")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    serial = json.loads((folder / "register.json").read_bytes())["accounts"]["unit-7"]["serial"]
    make(folder, units=("unit-8",), topics=("spat/8",), revoke=("unit-7",))
    kept = ("broker/ca.pem", "broker/server.pem", "broker/server.key", "authority/ca.key", "people/op.json")
    for name in kept:
        assert (folder / name).read_bytes() == before[folder / name], name
    rules = (folder / "broker/acl").read_text()
    assert "unit-7" not in rules and "user unit-8\ntopic read spat/8\n" in rules
    revoked = x509.load_pem_x509_crl((folder / "broker/revoked.pem").read_bytes())
    assert [entry.serial_number for entry in revoked] == [serial]
    again = set_up_broker(BrokerPlan(hosts=("broker.example", "192.0.2.1")), folder, NOW)
    assert "broker/server.pem" not in again.files, "the same hosts need no new certificate"


def test_a_lost_unit_gets_new_secrets_in_one_call(tmp_path: Path) -> None:
    fleet(tmp_path / "b")
    before = json.loads((tmp_path / "b/units/unit-7.json").read_bytes())
    make(tmp_path / "b", units=("unit-7",), topics=("t",), revoke=("unit-7",))
    after = json.loads((tmp_path / "b/units/unit-7.json").read_bytes())
    assert after["mqtt"]["password"] != before["mqtt"]["password"]
    assert after["command_key"] != before["command_key"]


def test_secrets_are_for_their_owner_only_and_written_nowhere_else(tmp_path: Path) -> None:
    fleet(tmp_path / "b")
    password = json.loads((tmp_path / "b/units/unit-7.json").read_bytes())["mqtt"]["password"]
    for path in (tmp_path / "b").rglob("*"):
        if path.is_file():
            if os.name == "posix" and is_secret(path.relative_to(tmp_path / "b").as_posix()):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            assert (password in path.read_text()) == (path.name == "unit-7.json"), path


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="no mosquitto_passwd: its form is not compared")
def test_a_hash_has_the_form_of_mosquittos_own(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(file), "unit-7", "s3cret"], check=True)
    user, theirs = file.read_text().strip().split(":")
    _, _, rounds, salt, _ = theirs.split("$")
    assert (user, rounds) == ("unit-7", "101")
    assert hash_password("s3cret", base64.b64decode(salt)) == theirs


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    assert "Give --host NAME" in complaint(tmp_path / "none")
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("x")
    assert "holds other things" in complaint(other, hosts=("h",))
    folder = tmp_path / "b"
    fleet(folder)
    assert "identifies by password; make a new folder" in complaint(folder, auth="certificate")
    assert "There is no 'unit-9' to revoke; this broker knows feed, op, unit-7" in complaint(folder, revoke=("unit-9",))
    assert "'unit-7' exists already; --revoke unit-7" in complaint(folder, units=("unit-7",), topics=("t",))
    assert "'unit 8': a name has letters" in complaint(folder, units=("unit 8",), topics=("t",))
    assert "a name has letters" in complaint(folder, units=("u\ntopic readwrite #",), topics=("t",))
    assert "Which topics may unit-8 use?" in complaint(folder, units=("unit-8",))
    assert "is no topic" in complaint(folder, units=("unit-8",), topics=("t\nuser op",))
    assert "is not a host name" in complaint(folder, hosts=("mün.example",))
    (folder / "authority/ca.key").write_text("damaged")
    assert "the authority cannot be read" in complaint(folder, units=("unit-8",), topics=("t",))
    (folder / "authority/ca.key").unlink()
    assert "ca.key is missing" in complaint(folder)
    (folder / "register.json").write_text("{")
    assert "register.json is damaged" in complaint(folder)
    (folder / "register.json").write_text('{"leezenflow_broker": 2}')
    assert "another version" in complaint(folder)


def test_the_authority_of_somebody_else_is_noticed(tmp_path: Path) -> None:
    fleet(tmp_path / "a")
    fleet(tmp_path / "b")
    shutil.copy(tmp_path / "a/authority/ca.key", tmp_path / "b/authority/ca.key")
    assert "do not belong together" in complaint(tmp_path / "b")


def test_the_command_and_its_dry_run(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path / "b"), "--host", "h.example", "--unit", "u1", "--topic", "t", "--bind", "::1"]
    dry = CliRunner().invoke(command, [*arguments, "--dry-run"], catch_exceptions=False)
    assert dry.exit_code == 0 and not (tmp_path / "b").exists()
    assert f"{tmp_path}/b/units/u1.json (secret)" in dry.output
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert 'u1: source = "mqtts://h.example:8883/t?unit_topic=leezenflow/u1"' in done.output
    written = {str(path) for path in (tmp_path / "b").rglob("*") if path.is_file()}
    assert written == {line.removesuffix(" (secret)") for line in dry.output.splitlines()[:-1]}
    configuration = (tmp_path / "b/broker/mosquitto.conf").read_text()
    assert "listener 8883 ::1\n" in configuration and f"{tmp_path}/b/broker/acl" in configuration
    shared = tmp_path / "wifi.json"
    shared.write_text('{"wifi": {"ssid": "a"}}')
    more = ["--out", str(tmp_path / "b"), "--unit", "u2", "--topic", "t", "--revoke", "u1", "--secrets", str(shared)]
    done = CliRunner().invoke(command, [*more, "--broker-dir", "/etc/mosquitto/leezenflow"], catch_exceptions=False)
    assert "u1 is revoked." in done.output
    assert "acl_file /etc/mosquitto/leezenflow/acl\n" in (tmp_path / "b/broker/mosquitto.conf").read_text()
    assert json.loads((tmp_path / "b/units/u2.json").read_bytes())["wifi"] == {"ssid": "a"}
    password = json.loads((tmp_path / "b/units/u2.json").read_bytes())["mqtt"]["password"]
    assert password not in done.output
