# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compression for recordings: written so that the file is complete after every line, read so that damage costs little.

A compressed file normally becomes readable when it is closed. A recorder can lose its power at any moment, so each line
is flushed and followed by the end mark of its format, which the next line overwrites.
"""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import zstandard

from leezenflow_host.errors import InputError

# One line is one message; the longest known SPATEM in XML is 33 kB, base64 adds a third. What is longer than this is
# not a recording, and a hostile file must not fill the memory.
MAX_LINE_BYTES = 1024 * 1024

_CHUNK_BYTES = 64 * 1024
# Packed bytes handed over at once: little is lost before a damaged place, and a decompression bomb stays small until
# the length of its line is noticed (512 bytes of zstd, run-length blocks of 128 kB in 4 bytes, become at most 16 MB).
_BITE_BYTES = 512
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class CutOffError(Exception):
    """The file ends, or is damaged, inside its compression: nothing after this point can be read."""


def read_lines(file: io.BufferedReader) -> Iterator[bytes]:
    """The lines of a plain, gzip or zstd file with their ends; a last line may be without.

    How it is packed is seen from its first bytes, not from its name. Raises `CutOffError` after the last line that
    could be read.
    """
    rest = b""
    try:
        for chunk in _unpack(file):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line + b"\n"
            if len(rest) > MAX_LINE_BYTES:
                raise CutOffError(f"a line is longer than {MAX_LINE_BYTES} bytes")
    except CutOffError:
        # A line that is whole except for its end is still good.
        if rest.endswith(b"}"):
            yield rest
        raise
    if rest:
        yield rest


def _unpack(file: io.BufferedReader) -> Iterator[bytes]:
    magic = file.peek(len(_ZSTD_MAGIC))[: len(_ZSTD_MAGIC)]  # not seek: it may be a pipe
    if magic.startswith(_GZIP_MAGIC):
        return _unpack_gzip(file)
    if magic == _ZSTD_MAGIC:
        return _unpack_zstd(file)
    return iter(lambda: file.read(_CHUNK_BYTES), b"")


def _unpack_gzip(file: io.BufferedReader) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(31)
    started = False
    while packed := file.read(_BITE_BYTES):
        while packed:
            # Several members may follow one another, with zeros as padding.
            packed = packed if started else packed.lstrip(b"\0")
            started = started or bool(packed)
            try:
                yield unpacker.decompress(packed)
            except zlib.error as error:
                raise CutOffError(f"the gzip data are damaged ({error})") from error
            packed = unpacker.unused_data
            if unpacker.eof:
                unpacker = zlib.decompressobj(31)
                started = False
    if started:
        raise CutOffError("the gzip data are cut off")


def _unpack_zstd(file: io.BufferedReader) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    unpacker = decompressor.decompressobj()
    started = False
    while packed := file.read(_BITE_BYTES):
        while packed:
            started = True
            try:
                yield unpacker.decompress(packed)
            except zstandard.ZstdError as error:
                raise CutOffError(f"the zstd data are damaged ({error})") from error
            packed = b""
            if unpacker.eof:
                packed = unpacker.unused_data
                unpacker = decompressor.decompressobj()
                started = False
    if started:
        raise CutOffError("the zstd data are cut off")


class Packer(Protocol):
    """Turns lines into what stands in the file."""

    def pack(self, line: bytes) -> tuple[bytes, bytes]:
        """The packed line, and the end mark that completes the file behind it until the next line comes."""
        ...


class _PlainPacker:
    def pack(self, line: bytes) -> tuple[bytes, bytes]:
        return line, b""


class _GzipPacker:
    """Deflate with a flush after each line; the end mark is an empty last block, the CRC and the length."""

    def __init__(self) -> None:
        # Level 9 would take three times as long on XML, for a quarter less.
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._crc = 0
        self._length = 0
        # Method 8 (deflate), no name, no time (the same recording gives the same bytes), unknown system (RFC 1952).
        self._head = _GZIP_MAGIC + b"\x08\x00\x00\x00\x00\x00\x02\xff"

    def pack(self, line: bytes) -> tuple[bytes, bytes]:
        body = self._head + self._deflate.compress(line) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._head = b""
        self._crc = zlib.crc32(line, self._crc)
        self._length = (self._length + len(line)) & 0xFFFFFFFF
        return body, b"\x03\x00" + self._crc.to_bytes(4, "little") + self._length.to_bytes(4, "little")


class _ZstdPacker:
    """One zstd frame with a flushed block a line; the end mark is an empty last block (RFC 8878, 3.1.1.2)."""

    def __init__(self) -> None:
        self._stream = zstandard.ZstdCompressor(level=9, write_checksum=False, write_content_size=False).compressobj()

    def pack(self, line: bytes) -> tuple[bytes, bytes]:
        body = self._stream.compress(line) + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return body, b"\x01\x00\x00"


def packer_for(path: Path) -> Packer:
    """The packer that the name of a recording asks for; `InputError` for any other name."""
    name = path.name.lower()
    if name.endswith(".jsonl.gz"):
        return _GzipPacker()
    if name.endswith(".jsonl.zst"):
        return _ZstdPacker()
    if name.endswith(".jsonl"):
        return _PlainPacker()
    raise InputError(f"{path}: the name of a recording ends in .jsonl, .jsonl.gz or .jsonl.zst. Choose such a name.")
