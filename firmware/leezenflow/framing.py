# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages on a byte stream (UART, USB): COBS frames with a CRC, the same file on both ends of the cable.

On the wire a message is COBS(payload + CRC) + 0x00. COBS (Cheshire and Baker, 1999) writes any bytes without a zero,
at a cost of one byte in 254, so a receiver that starts in the middle, or loses bytes, is in step again after the next
zero. The CRC is CRC-16/IBM-3740 (polynomial 0x1021, start 0xFFFF), high byte first: run over payload and CRC together
it gives 0.
"""

from array import array

DELIMITER = 0
_CRC_START = 0xFFFF
_CRC_BYTES = 2


def _crc_table():
    table = array("H", bytes(512))
    for index in range(256):
        crc = index << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        table[index] = crc & 0xFFFF
    return table


_TABLE = _crc_table()


def crc16(data, start=0, end=None):
    """Return the CRC-16/IBM-3740 of `data[start:end]` (0..65535)."""
    crc = _CRC_START
    for index in range(start, len(data) if end is None else end):
        crc = ((crc << 8) & 0xFFFF) ^ _TABLE[(crc >> 8) ^ data[index]]
    return crc


def encode_frame(payload):
    """Return `payload` (bytes, not empty) as one frame, delimiter included."""
    crc = crc16(payload)
    body = bytes(payload) + bytes((crc >> 8, crc & 0xFF))
    frame = bytearray()
    at = 0
    while True:
        end = body.find(b"\0", at)
        if end < 0:
            end = len(body)
        while end - at >= 254:
            frame.append(255)
            frame.extend(body[at : at + 254])
            at += 254
            if at == len(body):
                frame.append(DELIMITER)
                return bytes(frame)
        frame.append(end - at + 1)
        frame.extend(body[at:end])
        at = end + 1
        if end == len(body):
            frame.append(DELIMITER)
            return bytes(frame)


class FrameDecoder:
    """Takes a byte stream in pieces of any size and finds the sound frames in it.

    After `feed` has answered with an index, the message is `payload[:length]` until the next call. Memory is bounded:
    `max_payload_bytes` are reserved at start, a longer frame is skipped. `counters` says how many frames were sound
    and how many were lost to what.
    """

    def __init__(self, max_payload_bytes):
        self.payload = bytearray(max_payload_bytes + _CRC_BYTES)
        self.length = 0
        self.counters = {"frames": 0, "bad_crc": 0, "too_long": 0, "malformed": 0}
        self._forget()

    def _forget(self):
        self._fill = 0
        self._crc = _CRC_START
        self._left = 0  # data bytes still to come in the present COBS block
        self._zero_next = False  # the present block ends in a zero that COBS took away
        self._too_long = False

    def feed(self, data, start, end):
        """Take `data[start:end]` up to the end of the first sound frame.

        Returns the index after that frame (call again with it as `start`), or -1 when everything was taken and no
        frame is finished.
        """
        payload = self.payload
        size = len(payload)
        table = _TABLE
        fill = self._fill
        crc = self._crc
        left = self._left
        zero_next = self._zero_next
        too_long = self._too_long
        at = start
        while at < end:
            byte = data[at]
            at += 1
            if left and byte:
                left -= 1
            elif byte:  # the length of the next block
                left = byte - 1
                put_zero = zero_next
                zero_next = byte != 255
                if not put_zero:
                    continue
                byte = 0
            else:  # the delimiter
                kind = self._judge(0 if left else fill, crc, left or zero_next or fill, too_long)
                self._forget()
                if kind == "frames":
                    self.length = fill - _CRC_BYTES
                    return at
                fill = 0
                crc = _CRC_START
                left = 0
                zero_next = too_long = False
                continue
            if fill >= size:
                too_long = True
                continue
            payload[fill] = byte
            fill += 1
            crc = ((crc << 8) & 0xFFFF) ^ table[(crc >> 8) ^ byte]
        self._fill = fill
        self._crc = crc
        self._left = left
        self._zero_next = zero_next
        self._too_long = too_long
        return -1

    def _judge(self, fill, crc, begun, too_long):
        """Count what ended with this delimiter and return its counter; None for a delimiter after a delimiter."""
        if too_long:
            kind = "too_long"
        elif not (fill or begun):
            return None
        elif fill <= _CRC_BYTES:
            kind = "malformed"
        elif crc:
            kind = "bad_crc"
        else:
            kind = "frames"
        self.counters[kind] = (self.counters[kind] + 1) & 0x3FFFFFFF
        return kind
