# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One RSA-3072 key: made, kept in a PEM file, and used to sign with PKCS#1 v1.5 and SHA-256.

Units verify this with long integers alone (`leezenflow_device.updating.rsa`), `openssl dgst -sha256 -verify` does too.
"""

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import rich_click as click
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from leezenflow_host.errors import InputError

BITS = 3072
KEY_BYTES = BITS // 8
EXPONENT = 65537
PASSWORD_VARIABLE = "LEEZENFLOW_KEY_PASSWORD"


class SigningKey:
    """A secret key. `modulus` (384 bytes, big-endian) is its public half, `key_id` a short name made of that."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.modulus = key.public_key().public_numbers().n.to_bytes(KEY_BYTES, "big")

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key; takes a second or so."""
        return cls(rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS))

    @property
    def key_id(self) -> str:
        """Eight hex digits, the same for the same key everywhere."""
        return key_id(self.modulus)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of exactly these bytes; the same each time."""
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def pem(self, password: str | None) -> bytes:
        """Return the key as PKCS#8 in PEM, encrypted if there is a password."""
        protection = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        return self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def key_id(modulus: bytes) -> str:
    """Return the short name of a key."""
    return hashlib.sha256(modulus).hexdigest()[:8]


def load_key(file: Path, password: str | None = None) -> SigningKey:
    """Read a secret key; an encrypted one takes `password`, the variable LEEZENFLOW_KEY_PASSWORD, or asks a person.

    InputError names the file and what is wrong with it.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such key; `leezenflow keys new --out DIR` makes some.") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from None
    encrypted = b"ENCRYPTED" in content
    if encrypted and password is None:
        password = os.environ.get(PASSWORD_VARIABLE) or _ask_password(file)
    try:
        key = serialization.load_pem_private_key(content, password.encode() if encrypted and password else None)
    except (ValueError, TypeError):
        what = "the password is wrong, or the file is damaged" if encrypted else "this is no PEM file with a secret key"
        raise InputError(f"{file}: {what}.") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != BITS:
        raise InputError(f"{file}: not an RSA key of {BITS} bits, which is the only kind that units verify.")
    if key.public_key().public_numbers().e != EXPONENT:
        raise InputError(f"{file}: its public exponent is not {EXPONENT}, which is the only one that units verify.")
    return SigningKey(key)


def _ask_password(file: Path) -> str:
    if not sys.stdin.isatty():
        raise InputError(f"{file} is protected by a password: set {PASSWORD_VARIABLE}, or call this from a terminal.")
    return click.prompt(f"Password of {file}", hide_input=True, err=True)


def is_signed(data: bytes, signature: bytes, moduli: Iterable[bytes]) -> bool:
    """Say whether one of the keys signed exactly these bytes."""
    for modulus in moduli:
        key = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(modulus, "big")).public_key()
        try:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            return True
        except InvalidSignature:
            pass
    return False
