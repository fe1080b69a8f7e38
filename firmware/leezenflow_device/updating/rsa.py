# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies RSA-3072 signatures, PKCS#1 v1.5 with SHA-256 (RFC 8017, 8.2.2), with nothing but long integers.

The padding is not parsed: the one block that a right signature gives is built anew and compared as a whole. Every
forgery by loose parsing (rubbish behind the hash, short padding, another DigestInfo) ends there.
"""

KEY_BYTES = 384
# Bleichenbacher's forgery of 2006 needs 3; every key of ours has this one, and a key file cannot name another.
EXPONENT = 65537
_SQUARINGS = 16  # 65537 = 2 ** 16 + 1

# DigestInfo of SHA-256 up to the hash itself (RFC 8017, 9.2, note 1).
_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
_DIGEST_BYTES = 32


def verify(modulus, signature, digest):
    """Say whether `signature` is that of the SHA-256 `digest` under the key `modulus` (all bytes, big-endian)."""
    return any(steps(modulus, signature, digest))


def steps(modulus, signature, digest):
    """Yield None after each piece of the work of `verify` (some 30 ms on an RP2040), and its verdict at the end."""
    if len(modulus) != KEY_BYTES or len(signature) != KEY_BYTES or len(digest) != _DIGEST_BYTES:
        yield False
        return
    base = int.from_bytes(signature, "big")
    number = int.from_bytes(modulus, "big")
    # Not a key of 3072 bits, or a representative out of range (RFC 8017, 5.2.2).
    if not modulus[0] & 0x80 or not number & 1 or base >= number:
        yield False
        return
    power = base
    for _ in range(_SQUARINGS):
        power = pow(power, 2, number)
        yield None
    yield power * base % number == int.from_bytes(encode(digest), "big")


def encode(digest):
    """Return the whole block that a signature of `digest` must give (EMSA-PKCS1-v1_5, RFC 8017, 9.2)."""
    tail = _DIGEST_INFO + digest
    return b"\x00\x01" + b"\xff" * (KEY_BYTES - 3 - len(tail)) + b"\x00" + tail
