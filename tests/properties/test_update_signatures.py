# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit's own verification says what `cryptography` says, whatever it is given; every flipped bit is found."""

import functools

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from leezenflow_device.updating import rsa as ours
from update_key import MODULUS, digest_of, sign, sign_block, to_bytes

KEY = to_bytes(MODULUS)
TEXT = b"a manifest"
SIGNATURE = sign(TEXT)


@functools.lru_cache(maxsize=2)
def other_key() -> rsa.RSAPrivateKey:
    """A key that `cryptography` made."""
    return rsa.generate_private_key(65537, 3072)


def theirs(modulus: bytes, signature: bytes, text: bytes) -> bool:
    """What `cryptography` says."""
    key = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus, "big")).public_key()
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        return True
    except InvalidSignature:
        return False


@given(st.binary(max_size=300))
def test_what_cryptography_signs_is_taken(text: bytes) -> None:
    key = other_key()
    signature = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    modulus = key.public_key().public_numbers().n.to_bytes(384, "big")
    assert ours.verify(modulus, signature, digest_of(text))
    assert not ours.verify(KEY, signature, digest_of(text))
    assert theirs(KEY, sign(text), text)


@given(st.binary(min_size=380, max_size=388), st.binary(max_size=50))
def test_any_bytes_for_a_signature(signature: bytes, text: bytes) -> None:
    assert ours.verify(KEY, signature, digest_of(text)) == theirs(KEY, signature, text)


@given(st.integers(0, MODULUS - 1))
def test_any_number_for_a_signature(number: int) -> None:
    assert ours.verify(KEY, to_bytes(number), digest_of(TEXT)) == theirs(KEY, to_bytes(number), TEXT)


@st.composite
def damaged_blocks(draw: st.DrawFn) -> bytes:
    """The right block with some bytes changed, moved or cut out: what a forger with the key would try."""
    block = bytearray(ours.encode(digest_of(TEXT)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.one_of(st.integers(0, 12), st.integers(325, 383), st.integers(0, 383)))
        match draw(st.sampled_from(("change", "insert", "delete"))):
            case "change":
                block[at] = draw(st.integers(0, 255))
            case "insert":
                block.insert(at, draw(st.sampled_from((0, 1, 0xFF, 0x30, 0x20))))
                del block[draw(st.integers(2, 383))]
            case "delete":
                del block[at]
                block.insert(draw(st.integers(2, 383)), draw(st.sampled_from((0, 0xFF, 0x5A))))
    block[0] = 0  # or it would be no number below the modulus
    return bytes(block)


@given(damaged_blocks())
def test_any_block_behind_a_signature(block: bytes) -> None:
    signature = sign_block(block)
    assert ours.verify(KEY, signature, digest_of(TEXT)) == theirs(KEY, signature, TEXT)
    assert ours.verify(KEY, signature, digest_of(TEXT)) == (block == ours.encode(digest_of(TEXT)))


@pytest.mark.parametrize("eighth", range(8))
def test_every_flipped_bit_of_a_signature_is_found(eighth: int) -> None:
    assert ours.verify(KEY, SIGNATURE, digest_of(TEXT))
    for byte in range(eighth, len(SIGNATURE), 8):
        for bit in range(8):
            changed = bytearray(SIGNATURE)
            changed[byte] ^= 1 << bit
            assert not ours.verify(KEY, bytes(changed), digest_of(TEXT)), (byte, bit)


def test_every_flipped_bit_of_a_manifest_is_found() -> None:
    for byte in range(len(TEXT)):
        for bit in range(8):
            changed = bytearray(TEXT)
            changed[byte] ^= 1 << bit
            assert not ours.verify(KEY, SIGNATURE, digest_of(bytes(changed))), (byte, bit)
