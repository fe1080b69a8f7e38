# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of updates: the right one is taken, and none that a stranger can make. On both interpreters."""

from leezenflow_device.updating import authority, rsa
from update_key import MODULUS, STRANGER, digest_of, sign, sign_block, to_bytes

TEXT = b'{"leezenflow_release":1}'
DIGEST = digest_of(TEXT)
KEY = to_bytes(MODULUS)
SIGNATURE = sign(TEXT)

# DigestInfo up to the hash, of other hash functions and in other encodings (RFC 8017, 9.2 and A.2.4).
SHA256 = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
OTHERS = {
    "SHA-384's object identifier": SHA256.replace(b"\x02\x01\x05", b"\x02\x02\x05"),
    "SHA-512's object identifier": SHA256.replace(b"\x02\x01\x05", b"\x02\x03\x05"),
    "SHA-224's object identifier": SHA256.replace(b"\x02\x01\x05", b"\x02\x04\x05"),
    "no parameters": b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20",
    "a long form of a length": b"\x30\x81" + SHA256[1:],
    "no DigestInfo at all": b"",
    "only the hash's octet string": b"\x04\x20",
}


def padded(tail, padding=b"\xff"):
    """A whole block with this tail."""
    return b"\x00\x01" + padding * (rsa.KEY_BYTES - 3 - len(tail)) + b"\x00" + tail


def flip(data, bit):
    """Return data with one bit changed."""
    changed = bytearray(data)
    changed[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(changed)


def cube_root(number):
    """Return the greatest integer whose cube is at most `number`."""
    low, high = 0, 1 << (rsa.KEY_BYTES * 8 // 3 + 1)
    while low < high:
        middle = (low + high + 1) >> 1
        if middle * middle * middle <= number:
            low = middle
        else:
            high = middle - 1
    return low


def test_the_right_signature_is_taken():
    assert rsa.verify(KEY, SIGNATURE, DIGEST)
    assert rsa.encode(DIGEST) == padded(SHA256 + DIGEST)


def test_the_work_comes_in_pieces():
    verdicts = list(rsa.steps(KEY, SIGNATURE, DIGEST))
    assert verdicts == [None] * 16 + [True]
    assert list(rsa.steps(KEY, flip(SIGNATURE, 3000), DIGEST)) == [None] * 16 + [False]


def test_another_text_or_another_key_is_not():
    assert not rsa.verify(KEY, SIGNATURE, digest_of(TEXT + b" "))
    assert not rsa.verify(to_bytes(STRANGER), SIGNATURE, DIGEST)
    assert not rsa.verify(KEY, SIGNATURE, b"")
    assert not rsa.verify(KEY, SIGNATURE, DIGEST[:-1])


def test_a_flipped_bit_anywhere_is_found():
    # Every bit is tried on CPython (tests/properties).
    for bit in range(0, 8 * rsa.KEY_BYTES, 131):
        assert not rsa.verify(KEY, flip(SIGNATURE, bit), DIGEST), bit
    for bit in range(0, 256, 19):
        assert not rsa.verify(KEY, SIGNATURE, flip(DIGEST, bit)), bit


def test_what_is_cut_short_or_grown_is_none():
    for wrong in (b"", SIGNATURE[:-1], SIGNATURE[1:], b"\x00" + SIGNATURE, SIGNATURE + b"\x00"):
        assert not rsa.verify(KEY, wrong, DIGEST)
    for number in (0, 1, MODULUS - 1):
        assert not rsa.verify(KEY, to_bytes(number), DIGEST)


def test_a_number_beyond_the_modulus_is_none_even_if_it_is_congruent():
    text, count = TEXT, 0
    while int.from_bytes(sign(text), "big") + MODULUS >> (8 * rsa.KEY_BYTES):
        count += 1
        text = TEXT + b"%d" % count
    twin = to_bytes(int.from_bytes(sign(text), "big") + MODULUS)
    assert rsa.verify(KEY, sign(text), digest_of(text))
    assert not rsa.verify(KEY, twin, digest_of(text))


def test_a_modulus_of_another_size_is_none():
    for wrong in (b"", KEY[1:], b"\x00" + KEY, b"\x00" + KEY[1:], KEY[:-1] + b"\x00", b"\x7f" + KEY[1:]):
        assert not rsa.verify(wrong, SIGNATURE, DIGEST)


def test_another_digest_info_is_none():
    for what in OTHERS:
        assert not rsa.verify(KEY, sign_block(padded(OTHERS[what] + DIGEST)), DIGEST), what


def test_forged_paddings_are_none():
    tail = SHA256 + DIGEST
    right = padded(tail)
    forged = [
        b"\x00\x02" + right[2:],
        b"\x00\x00" + right[2:],
        padded(tail, b"\x00"),
        padded(tail, b"\xfe"),
        right.replace(b"\xff\x00" + SHA256, b"\xff\xff" + SHA256),
        # A short run of ff, the hash in the middle, and rubbish behind it: what a sloppy parser lets through.
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + tail + b"\x5a" * (rsa.KEY_BYTES - 11 - len(tail)),
        b"\x00\x01\x00" + tail + b"\x5a" * (rsa.KEY_BYTES - 3 - len(tail)),
        # One byte of rubbish, one byte less of padding.
        b"\x00\x01" + b"\xff" * (rsa.KEY_BYTES - 4 - len(tail)) + b"\x00" + tail + b"\x00",
        # Rubbish inside the padding.
        right[:100] + b"\x5a" + right[101:],
    ]
    for number, block in enumerate(forged):
        assert len(block) == rsa.KEY_BYTES
        assert not rsa.verify(KEY, sign_block(block), DIGEST), number


def test_bleichenbachers_forgery_of_2006_is_none():
    # With the exponent 3 anybody can find a number whose cube begins with a right-looking block, without any key.
    head = b"\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00" + SHA256 + DIGEST
    wanted = int.from_bytes(head + b"\xff" * (rsa.KEY_BYTES - len(head)), "big")
    root = cube_root(wanted)
    assert to_bytes(root * root * root)[: len(head)] == head, "the forgery is one"
    assert rsa.EXPONENT == 65537
    assert not rsa.verify(KEY, to_bytes(root), DIGEST)


def test_one_of_several_keys_is_enough():
    moduli = [to_bytes(STRANGER), KEY]
    assert list(authority.check_signature(TEXT, SIGNATURE, moduli))[-1] is True
    assert list(authority.check_signature(TEXT, SIGNATURE, moduli[:1]))[-1] is False
    assert list(authority.check_signature(TEXT, SIGNATURE, []))[-1] is False
    assert list(authority.check_signature(TEXT + b" ", SIGNATURE, moduli))[-1] is False
