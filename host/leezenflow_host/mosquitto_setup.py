# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ready mosquitto for a fleet: configuration, authority, certificates, passwords, and who may read and write what.

Everything stands in one folder that its owner keeps. Called again for the same folder it adds, renews and revokes, and
leaves the rest as it is: `register.json` says what exists. All files are made first and written afterwards, so that a
dry run knows them exactly.
"""

import base64
import dataclasses
import datetime
import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from leezenflow_host.certificates import (
    Identity,
    end_of,
    issue_client,
    issue_server,
    make_authority,
    make_revocations,
    read_authority,
)
from leezenflow_host.errors import InputError

REGISTER_FORMAT = 1
DEFAULT_PORT = 8883
# The passwords are random and long: more rounds would only cost the broker time at each connection.
_ROUNDS = 101
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"


@dataclasses.dataclass(frozen=True)
class BrokerPlan:
    """What is asked for: `hosts` under which the broker is reached, who is new, and who shall not come in any more.

    `topics` are what the new units may read and the feeders write. `bind` is the one address to listen on (None: all).
    `auth` None: as before, at first "password".
    `broker_dir` is where the files will lie on the broker (None: where they are written). `shared_secrets` goes into
    the secrets of every new unit (the Wi-Fi, say). `discovery` is the topic below which Home Assistant looks for
    devices (None: as before, at first nobody may write there).
    """

    hosts: Sequence[str] = ()
    units: Sequence[str] = ()
    topics: Sequence[str] = ()
    operators: Sequence[str] = ()
    feeders: Sequence[str] = ()
    revoke: Sequence[str] = ()
    auth: Literal["password", "certificate"] | None = None
    port: int | None = None
    bind: str | None = None
    prefix: str | None = None
    broker_dir: str | None = None
    renew_server: bool = False
    shared_secrets: dict[str, Any] = dataclasses.field(default_factory=dict)
    observers: Sequence[str] = ()
    discovery: str | None = None


@dataclasses.dataclass(frozen=True)
class BrokerFiles:
    """The outcome: `files` by path below the folder, and the `sources` of the new units by name."""

    files: dict[str, bytes]
    sources: dict[str, str]

    def write_to(self, folder: Path) -> None:
        """Write what differs; what holds a secret is readable for its owner only. The register comes last."""
        for path, content in sorted(self.files.items(), key=lambda file: file[0] == "register.json"):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_file() and target.read_bytes() == content:
                continue
            part = target.with_name(f".{target.name}.part")
            part.unlink(missing_ok=True)
            part.touch(mode=0o600 if is_secret(path) else 0o644)
            part.write_bytes(content)
            part.replace(target)


def is_secret(path: str) -> bool:
    """Say whether a file may be read by its owner only."""
    return path.endswith((".key", ".json")) or path == "broker/passwords"


def set_up_broker(plan: BrokerPlan, folder: Path, now: datetime.datetime) -> BrokerFiles:
    """Return the files that `plan` makes of what is in `folder`; InputError for what cannot be."""
    register = _read_register(folder)
    if register is None:
        if not plan.hosts:
            raise InputError("Under which name do the units reach the broker? Give --host NAME (or its IP address).")
        register = {"leezenflow_broker": REGISTER_FORMAT, "accounts": {}, "revoked": []}
        authority = make_authority(f"Leezenflow {plan.hosts[0]}", now)
    else:
        authority = _kept_authority(folder)
    files = {"broker/ca.pem": authority.certificate_pem, "authority/ca.key": authority.key_pem}
    earlier_hosts = register.get("hosts")
    _take_settings(plan, register)
    if register["hosts"] != earlier_hosts or plan.renew_server:
        server = issue_server(authority, register["hosts"], end_of(authority, now))
        files.update({"broker/server.pem": server.certificate_pem, "broker/server.key": server.key_pem})
    for name in plan.revoke:
        _revoke(register, name)
    new = {"unit": plan.units, "operator": plan.operators, "feeder": plan.feeders, "observer": plan.observers}
    for name, role in [(name, role) for role, names in new.items() for name in names]:
        _add_account(register, name, role, plan, authority, now, files)
    revoked = make_revocations(authority, register["revoked"], now)
    kept = folder / "broker/revoked.pem"
    if plan.revoke or not kept.is_file():  # its signature is another each time
        files["broker/revoked.pem"] = revoked
    files["broker/mosquitto.conf"] = _configuration(register, folder).encode()
    files["broker/acl"] = _access_list(register).encode()
    if register["auth"] == "password":
        files["broker/passwords"] = _passwords(register).encode()
    files["register.json"] = json.dumps(register, indent=1, sort_keys=True).encode() + b"\n"
    return BrokerFiles(files, {name: _source(register, name) for name in plan.units})


def hash_password(password: str, salt: bytes) -> str:
    """Return what mosquitto 2 keeps of a password: PBKDF2 with SHA-512, in the form of `mosquitto_passwd`."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _read_register(folder: Path) -> dict[str, Any] | None:
    file = folder / "register.json"
    if not file.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder} holds other things; name a new or empty folder for the broker's files.")
        return None
    try:
        register = json.loads(file.read_bytes())
        if register["leezenflow_broker"] != REGISTER_FORMAT:
            raise InputError(f"{file} was written by another version of Leezenflow; use that one.")
        for key in ("accounts", "revoked", "hosts", "auth", "port", "prefix", "broker_dir"):
            register[key]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{file} is damaged; restore your copy of the folder.") from None
    return register


def _kept_authority(folder: Path) -> Identity:
    paths = [folder / "broker/ca.pem", folder / "authority/ca.key"]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path} is missing: without it no certificate can be made; restore your copy.")
    return read_authority(paths[0].read_bytes(), paths[1].read_bytes(), str(paths[1]))


def _take_settings(plan: BrokerPlan, register: dict[str, Any]) -> None:
    if register["accounts"] and plan.auth not in (None, register["auth"]):
        raise InputError(f"This broker identifies by {register['auth']}; make a new folder for --auth {plan.auth}.")
    register["auth"] = plan.auth or register.get("auth", "password")
    register["port"] = plan.port or register.get("port", DEFAULT_PORT)
    register["bind"] = plan.bind or register.get("bind")
    register["hosts"] = list(plan.hosts) or register["hosts"]
    register["prefix"] = plan.prefix or register.get("prefix", "leezenflow")
    register["broker_dir"] = plan.broker_dir or register.get("broker_dir")
    register["discovery"] = plan.discovery or register.get("discovery")
    for text in (*plan.topics, register["prefix"], *([plan.discovery] if plan.discovery is not None else [])):
        # A line break would begin another rule; mosquitto takes the rest of the line as it is.
        if not text.strip() or any(character < " " for character in text):
            raise InputError(f"{text!r} is no topic; write one such as spat/1090 or spat/#.")


def _revoke(register: dict[str, Any], name: str) -> None:
    account = register["accounts"].pop(name, None)
    if account is None:
        known = ", ".join(sorted(register["accounts"])) or "nobody"
        raise InputError(f"There is no {name!r} to revoke; this broker knows {known}.")
    if "serial" in account:
        register["revoked"].append(account["serial"])


def _add_account(
    register: dict[str, Any],
    name: str,
    role: Any,
    plan: BrokerPlan,
    authority: Identity,
    now: datetime.datetime,
    files: dict[str, bytes],
) -> None:
    """Add a unit or a person, and the file that is for them alone."""
    if not re.fullmatch(_NAME, name):
        raise InputError(f"{name!r}: a name has letters, digits, '.', '_' and '-', begins with one of the first two.")
    if name in register["accounts"]:
        raise InputError(f"{name!r} exists already; --revoke {name} first (also in the same call) to make it anew.")
    has_topics = role in ("unit", "feeder")
    if has_topics and not plan.topics:
        raise InputError(f"Which topics may {name} use? Give --topic, such as --topic spat/1090 or --topic 'spat/#'.")
    account: dict[str, Any] = {"role": role, "topics": list(plan.topics) if has_topics else []}
    own: dict[str, Any] = {"mqtt": {"user": name}}
    certificates = {"ca.der": authority.certificate_der}
    if register["auth"] == "password":
        password = secrets.token_urlsafe(24)
        account["hash"] = hash_password(password, secrets.token_bytes(12))
        own["mqtt"]["password"] = password
    else:
        identity = issue_client(authority, name, end_of(authority, now))
        account["serial"] = identity.certificate.serial_number
        certificates.update({"unit.der": identity.certificate_der, "unit_key.der": identity.key_der})
        if role != "unit":
            files[f"people/{name}.pem"] = identity.certificate_pem
            files[f"people/{name}.key"] = identity.key_pem
    register["accounts"][name] = account
    if role == "unit":
        # With this key the unit's commands are signed: it must reach the unit and those who command it, nobody else.
        own["command_key"] = secrets.token_hex(32)
        own["certs"] = {file: base64.b64encode(content).decode() for file, content in certificates.items()}
        files[f"units/{name}.json"] = json.dumps({**plan.shared_secrets, **own}, indent=1).encode() + b"\n"
    else:
        files[f"people/{name}.json"] = json.dumps(own, indent=1).encode() + b"\n"


def _source(register: dict[str, Any], name: str) -> str:
    """The [signal] source of a unit, for its first topic."""
    topic = register["accounts"][name]["topics"][0].replace("%", "%25").replace("?", "%3F")
    certificate = "&certificate=unit.der" if register["auth"] == "certificate" else ""
    url = f"mqtts://{register['hosts'][0]}:{register['port']}/{topic}"
    return f"{url}?unit_topic={register['prefix']}/{name}{certificate}"


def _access_list(register: dict[str, Any]) -> str:
    """Who may what: a unit reads its signal and its own commands, and writes about itself. Nothing else is allowed."""
    prefix, discovery = register["prefix"], register.get("discovery")
    lines = ["# Written by: leezenflow keys broker. Changes here are lost when it is called again."]
    for name, account in sorted(register["accounts"].items()):
        lines += ["", f"user {name}"]
        if account["role"] == "unit":
            lines += [f"topic read {topic}" for topic in account["topics"]]
            lines.append(f"topic read {prefix}/{name}/command")
            lines += [f"topic write {prefix}/{name}/{word}" for word in ("status", "health", "answer")]
        elif account["role"] == "operator":
            lines.append(f"topic write {prefix}/+/command")
            lines += [f"topic read {prefix}/+/{word}" for word in ("status", "health", "answer")]
            if discovery:
                lines.append(f"topic readwrite {discovery}/device/+/config")
        elif account["role"] == "observer":
            lines += [f"topic read {prefix}/+/{word}" for word in ("status", "health")]
            if discovery:
                # Home Assistant says there when it comes and goes.
                lines += [f"topic read {discovery}/#", f"topic write {discovery}/status"]
        else:
            lines += [f"topic write {topic}" for topic in account["topics"]]
    return "\n".join(lines) + "\n"


def _passwords(register: dict[str, Any]) -> str:
    accounts = sorted(register["accounts"].items())
    return "".join(f"{name}:{account['hash']}\n" for name, account in accounts)


def _configuration(register: dict[str, Any], folder: Path) -> str:
    place = register["broker_dir"] or str((folder / "broker").resolve())
    if register["auth"] == "certificate":
        identify = ["require_certificate true", "use_identity_as_username true", f"crlfile {place}/revoked.pem"]
    else:
        identify = [f"password_file {place}/passwords"]
    lines = [
        "# Written by: leezenflow keys broker. Changes here are lost when it is called again.",
        f"listener {register['port']} {register.get('bind') or ''}".rstrip(),
        "# 1.2 or newer",
        "tls_version tlsv1.2",
        f"cafile {place}/ca.pem",
        f"certfile {place}/server.pem",
        f"keyfile {place}/server.key",
        "allow_anonymous false",
        *identify,
        f"acl_file {place}/acl",
        "# Retained status of the units and the sessions of those that asked for one outlive a restart.",
        "persistence true",
        "# Signal messages that wait are old ones.",
        "queue_qos0_messages false",
        "max_queued_messages 100",
        "persistent_client_expiration 7d",
        "max_packet_size 266240",
        "max_keepalive 600",
    ]
    return "\n".join(lines) + "\n"
