# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: CC0-1.0
"""An RSA-3072 key pair and a stranger's modulus, for tests alone: no unit trusts them. MicroPython cannot make any."""

import hashlib

from leezenflow_device.updating import rsa

# Two primes and, for each, the private exponent: a fourth of the work that one long exponent would be.
_P = int(
    "d552a9bb1bcda766f55eac70136bcb1b905a9af5f8430cc518d2252e72480fdadfccaea30cde1c62b3fd4aceeafb8f0c"
    "dbd83aa3021653cb3de3edbf51a65d9c0d4d0e4d2ca35de9c3b8a6029b2db22ec7160b1bd0dbfbc2f12e6e22d1d14754"
    "f819537b64de17a1ec2daddf83f2856bb9fd05a1644da7366d6545bd7163725f0ba44b107408352a97465515b9d23b8c"
    "43eacb4cae243f70ee461fd803dadfeedbf276e4d1f5d4fa67538d4986fa8324eea99053c8e0cd7376709d0cd2b0dba1",
    16,
)
_Q = int(
    "cf008c8538e4c8a58f4ea8b5a4fa730825d601ee2e2099705341a39e5d54be2a49615c1b09f4046827399e40a84c848c"
    "103052e609597f3097d19ca43cf2aaf337fbcf33115720381d47bf4e4fad9451abd9375b9debe9062fbee5a8a65aeaec"
    "6698adbb0505f627fa88ac21bcaff40bb898e55e4c9b3567a17e730ce603168b89ae9b0608f0e4c80a8ca8e01b8656a9"
    "4c87fee6161b701000a9a9db351bb2e961fa7254b5565d5acd317e0fdf0681b20839688c52d6a68b639311fb544722d5",
    16,
)
_P_EXPONENT = int(
    "0ab2285c7f5a626861292c103a890f1804b6e64a2af681af683d312c1102d7f8ab7c01cd9f198be6cf0b8632b5c98334"
    "abd93da76ab55fe232ea38c37cfe9077009bba79d82120d655bfee62f710e57c3ef335ff610b86a6119db85bfa9539b4"
    "62f432215fbf5b03fd6994ec3e1b6ce127e42de217bb6504ef9b4251eb5b872288dce5fe9f32c227ae8a123e12a11de7"
    "3c888b44fefe46480d4a6ad253ef27873c73fdce1f50ea2adbff6e781f52743ce7d28cb006c46ec8b9499036526217c1",
    16,
)
_Q_EXPONENT = int(
    "5d3e610deda7d8de02e4aac84fcd651da975721f28f61447eda8e69c026c96d0938760a6e95fdad053c2f78f26807940"
    "625672311ecb0aa907ea2ac62c921f013a199aa6e54bbabeac29d279e3184c745195a20309eae7679b0041912b864ec6"
    "381cd43d27311d45baebefa5aeca0f836c1eab4b43f4b224c13125800ce81d32b3cd4c1576d79426abe1da7c40c9cda5"
    "ab4ca33c5f7ef286b2d5ba267d10c211b0c9d0d06972c2d0911797326d03104ef2b77169ac32f688594d394f5e124115",
    16,
)
_Q_INVERSE = int(
    "5beba066ec3895d266b0631bd5825c5c900a07087a7dfb5cc6e08a27bcf53b67664dca3e19522b898c9ec67524436582"
    "c4108480048711ef295e5b34dc4bfc8de6f6a5e0bc4a1060afe6076c26a36f77b315d757c04f168d2a6603fea1a88154"
    "b2168e693342f097d132f9888274f8b9a254067cf14097aa33c1eb2b7a3635630399208dc6f7cdf00f92f20b897e3a17"
    "a0ddfb2b065a246e35c6d0ac293ef6159727d01160b44eed2cf70bcf03fd40901da190c977037cf5d991985dd4e0f4ef",
    16,
)
MODULUS = _P * _Q
STRANGER = int(
    "c0c2b9f4ab20794072106c4da7d2254c9789fde781710d34497cc33c79f7234caeb14a5d7641a2ce81feb75f6aa0141b"
    "bb7eeab079962922f610582c446af3247248b2ed74bc72e061fec9e15112c7517d0ff88967438de0a59c460cd35dfbef"
    "f814f89bc835d4859dfc2243e1f7102f8d19bbdca4784d949f989c7bc45de7a22eac4e6acc6c99b6e1631353e1c4f596"
    "53498297df138bc1b1259795c926202157e39bb02117a8ec7eb1bd670de65fcb553ba95a6106c5d4d5e92595da955a68"
    "0d3c4950a3ff8e8b25bb802b60773ae41919651f9e0fc36c93b05828c4f83fd24d85c0a23171396cd6e4adf28153640d"
    "d811efb675088d83599c8e1b4a5c469f66038c529c5575b64e6d11c5a2e92a82f19725d98b5e0f375577fac00bba9a96"
    "d0490afba4ac3645771f812858da4341c44552c7970a27f2898dea4016bb81ea17faa1494599dc9c3db068c67df0a27e"
    "d229377c238620bec51f5ccb21a0941e5bcb6e4cbf7c3fa0c7c2804b354dbb3b7e5e7f0a7dce83cca7e3a7db3db5307f",
    16,
)


def to_bytes(number):
    """Return a number as the 384 bytes of a modulus or a signature."""
    return number.to_bytes(rsa.KEY_BYTES, "big")


def sign_block(block):
    """Return the signature that opens to exactly this block, whatever is in it (RFC 8017, 5.1.2, second form)."""
    number = int.from_bytes(block, "big")
    by_p, by_q = pow(number, _P_EXPONENT, _P), pow(number, _Q_EXPONENT, _Q)
    return to_bytes(by_q + _Q * ((by_p - by_q) * _Q_INVERSE % _P))


def digest_of(text):
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text).digest()


def sign(text):
    """Return the right signature of a text."""
    return sign_block(rsa.encode(digest_of(text)))
