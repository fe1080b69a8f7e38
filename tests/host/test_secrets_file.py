# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secrets file on its way to a board: split, turned into DER, refused without a word of what is in it."""

import base64
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from leezenflow_host.board_config import read_board
from leezenflow_host.certificates import make_authority
from leezenflow_host.errors import InputError
from leezenflow_host.image import build_image
from leezenflow_host.secrets_file import read_secrets, secret_files

IDENTITY = make_authority("test", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))


def encode(certificates: Any, **more: Any) -> bytes:
    """A secrets file with these certificates."""
    return json.dumps({**more, "certs": certificates}).encode()


def test_without_certificates_the_file_is_what_it_was() -> None:
    content = b'{ "wifi": {"ssid": "leeze"} }\n'
    assert secret_files(content) == {"/secrets.json": content}


@pytest.mark.parametrize("form", ["pem", "der"])
def test_certificates_become_files_of_their_own(form: str) -> None:
    if form == "pem":
        certificate, key = IDENTITY.certificate_pem.decode(), IDENTITY.key_pem.decode()
    else:
        certificate, key = (base64.b64encode(der).decode() for der in (IDENTITY.certificate_der, IDENTITY.key_der))
    content = encode({"ca.der": certificate, "unit_key.der": key}, mqtt={"user": "Jürgen"})
    assert secret_files(content) == {
        "/secrets.json": '{"mqtt":{"user":"Jürgen"}}'.encode(),
        "/certs/ca.der": IDENTITY.certificate_der,
        "/certs/unit_key.der": IDENTITY.key_der,
    }
    image = build_image(read_board("virtual"), None, compiler=None, secrets=content)
    assert image.files["/certs/ca.der"] == IDENTITY.certificate_der
    assert b"certs" not in image.files["/secrets.json"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hidden", "not a json object"),
        (b'["hidden"]', "not a json object"),
        (encode(["hidden"]), '"certs" must be an object'),
        (encode({"../boot.py": "hidden"}), "names a file '../boot.py'"),
        (encode({"ca.pem": "hidden"}), "names a file 'ca.pem'"),
        (encode({"ca.der": 7}), "must be text"),
        (encode({"ca.der": "hidden!"}), "neither PEM"),
        (encode({"ca.der": "aGlkZGVu"}), "neither PEM"),
        (encode({"ca.der": "-----BEGIN CERTIFICATE-----\nhidden"}), "neither PEM"),
        (encode({"ca.der": base64.b64encode(b"0" * 9000).decode()}), "has 9000 bytes; a board takes 8192"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_of_it_shown(content: bytes, said: str) -> None:
    with pytest.raises(InputError) as error:
        secret_files(content, "secrets.json")
    assert str(error.value).startswith("secrets.json") and said in str(error.value)
    assert "hidden" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_secrets(tmp_path / "none.json")
