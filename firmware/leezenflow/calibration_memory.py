# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a calibration has learned, as bytes that survive a restart: at most 3.6 kB.

Little-endian: "LZC", version, cycles (u16), kept and broken promises to red, then to green (4 bytes), the number of
rows that hold anything, these as row number and 14 counters each, and a Fletcher-16 over all of it (u16).
"""

from leezenflow.calibration import BINS, ROWS

_MAGIC = b"LZC\x01"
_ROW_COUNT = 10
_HEAD_BYTES = 11


def to_bytes(calibration):
    """Return what was learned, for `from_bytes`."""
    rows = calibration.rows
    out = bytearray(_MAGIC)
    out.append(calibration.cycles & 255)
    out.append(calibration.cycles >> 8)
    for kind in range(2):
        out.append(calibration.kept[kind])
        out.append(calibration.broken[kind])
    out.append(0)
    for row in range(ROWS):
        first = row * BINS
        if any(rows[first : first + BINS]):
            out.append(row)
            out.extend(rows[first : first + BINS])
            out[_ROW_COUNT] += 1
    check = _fletcher16(out, len(out))
    out.append(check & 255)
    out.append(check >> 8)
    return bytes(out)


def from_bytes(calibration, data):
    """Take over what `to_bytes` gave; False, and nothing changed, when it is damaged or of another version."""
    if not _is_sound(data):
        return False
    size = len(data)
    calibration.cycles = data[4] | data[5] << 8
    for kind in range(2):
        calibration.kept[kind] = data[6 + 2 * kind]
        calibration.broken[kind] = data[7 + 2 * kind]
    rows = calibration.rows
    for i in range(ROWS * BINS):
        rows[i] = 0
    for place in range(_HEAD_BYTES, size - 2, BINS + 1):
        first = data[place] * BINS
        for i in range(BINS):
            rows[first + i] = data[place + 1 + i]
    calibration.forget_curves()
    return True


def _is_sound(data):
    size = len(data)
    if size < _HEAD_BYTES + 2 or bytes(data[: len(_MAGIC)]) != _MAGIC:
        return False
    if size != _HEAD_BYTES + data[_ROW_COUNT] * (BINS + 1) + 2:
        return False
    if _fletcher16(data, size - 2) != data[size - 2] | data[size - 1] << 8:
        return False
    last = -1
    for place in range(_HEAD_BYTES, size - 2, BINS + 1):
        if not last < data[place] < ROWS:
            return False
        last = data[place]
    return True


def _fletcher16(data, size):
    low = high = 0
    for i in range(size):
        low = (low + data[i]) % 255
        high = (high + low) % 255
    return high << 8 | low
