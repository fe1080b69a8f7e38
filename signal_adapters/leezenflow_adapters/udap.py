# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TCP streaming frames of the Dutch UDAP and TLEX (iVRI) and of Flanders' Mobilidata, around ETSI SPATEM in UPER.

A session (host, port, token) is made over HTTPS; after connecting, the client sends `HELLO`, waits for the same octet,
and sends `token_frame(token)`. From then on frames come: AA BB, length of the content (16 bits, big-endian), content
= type octet and data. `timestamp_request_of` finds what must be answered with `timestamp_response`.

The decoder takes the stream in any pieces, as a socket or a recording hands them over: a frame that is not complete
waits for the rest in a bounded buffer, and after damage the next AA BB is looked for.
"""

from leezenflow.errors import SignalError
from leezenflow_adapters import spatem_uper

RUNTIMES = ("device", "host")
OPTIONS = {}

HELLO = b"\x01"
KEEP_ALIVE, TOKEN, BYE, RECONNECT, PAYLOAD, PAYLOAD_WITH_ID = 0, 1, 2, 3, 4, 5
TIMESTAMP_REQUEST, TIMESTAMP_RESPONSE = 6, 7

_FIRST, _SECOND = 0xAA, 0xBB
_HEAD_BYTES = 4
# Longest frame that may come in pieces: a SPATEM with 40 groups of five timed phases has 2.5 kB. Longer frames are
# taken if they come in one piece.
MAX_KEPT_BYTES = 4096


class Decoder:
    """Decodes one signal group out of a stream of frames; `begin` takes the next piece of the stream.

    Several messages may be in one piece: `state` is that of the last one about our group.
    """

    def __init__(self, region, intersection_id, signal_group, options=None):
        # Two, in turn: a later message of the same piece must not spoil the one that was found before it.
        self._inner = spatem_uper.Decoder(region, intersection_id, signal_group)
        self._other = spatem_uper.Decoder(region, intersection_id, signal_group)
        self.state = self._other.state
        self._kept = bytearray(MAX_KEPT_BYTES + 2)  # two spare octets for the decoder behind it
        self._kept_end = 0
        self._buffer = b""
        self._at = 0
        self._end = 0
        self._busy = False  # inside a payload
        self._from_kept = False
        self._done = True
        self._found = False
        self._fault = None

    def decode(self, buffer, start, end):
        """Take `buffer[start:end]` at once; returns and raises what `step` does."""
        self.begin(buffer, start, end)
        while True:
            done = self.step()
            if done is not None:
                return done

    def begin(self, buffer, start, end):
        """Take the next piece of the stream, `buffer[start:end]`."""
        self._buffer = buffer
        self._at = start
        self._end = end
        if self._from_kept:
            # The piece before was given up in the middle.
            self._from_kept = False
            self._kept_end = 0
        elif self._kept_end and is_whole_frames(buffer, start, end):
            # What was kept was no frame, or its end got lost: it must not swallow these.
            self._kept_end = 0
        self._busy = False
        self._done = False
        self._found = False
        self._fault = None

    def step(self):
        """Work on one frame: None = call again, True = `state` is filled, False = nothing in it about our group.

        Raises SignalError after the last frame, if none of them was about our group and one of them was damaged.
        """
        if self._done:
            return False
        if self._busy:
            return self._continue()
        if self._kept_end:
            return self._complete_kept()
        at = find_frame(self._buffer, self._at, self._end)
        if at > self._at:
            self._note(SignalError("malformed", "%d bytes outside of frames" % (at - self._at), self._at))
            self._at = at
        if at >= self._end:
            return self._answer()
        end = frame_end(self._buffer, at, self._end)
        if end > self._end or end < 0:
            return self._keep()
        self._at = end
        return self._open(self._buffer, at, end)

    def _open(self, buffer, start, end):
        inside = payload_start(buffer, start, end)
        if inside < 0:
            return None
        self._busy = True
        self._inner.begin(buffer, inside, end)
        return None

    def _continue(self):
        try:
            found = self._inner.step()
        except SignalError as error:
            self._note(error)
            found = False
        if found is None:
            return None
        self._busy = False
        if self._from_kept:
            self._from_kept = False
            self._kept_end = 0
        if found:
            self._found = True
            self.state = self._inner.state
            self._inner, self._other = self._other, self._inner
        return None

    def _keep(self):
        """Keep the beginning of a frame for the next piece."""
        count = self._end - self._at
        if count > MAX_KEPT_BYTES:
            self._note(SignalError("oversized", "a frame of more than %d bytes in pieces" % MAX_KEPT_BYTES))
        else:
            for i in range(count):
                self._kept[i] = self._buffer[self._at + i]
            self._kept_end = count
        return self._answer()

    def _complete_kept(self):
        """Move octets to the kept beginning of a frame until it is whole."""
        kept = self._kept
        while True:
            end = self._kept_end
            # A frame begins with AA BB: only its length may be missing.
            wanted = _HEAD_BYTES if end < _HEAD_BYTES else _HEAD_BYTES + (kept[2] << 8 | kept[3])
            if end == 2 and kept[1] != _SECOND:
                return self._drop_kept("malformed")
            if wanted > MAX_KEPT_BYTES:
                return self._drop_kept("oversized")
            if end >= _HEAD_BYTES and end == wanted:
                break
            if self._at >= self._end:
                return self._answer()
            kept[end] = self._buffer[self._at]
            self._at += 1
            self._kept_end = end + 1
        inside = payload_start(kept, 0, self._kept_end)
        if inside < 0:
            self._kept_end = 0
            return None
        self._from_kept = True
        self._busy = True
        self._inner.begin(kept, inside, self._kept_end)
        return None

    def _drop_kept(self, kind):
        self._kept_end = 0
        self._note(SignalError(kind, "a frame begun in the piece before"))

    def _note(self, error):
        if self._fault is None:
            self._fault = error

    def _answer(self):
        self._done = True
        if self._fault is not None and not self._found:
            raise self._fault
        return self._found


def find_frame(buffer, at, end):
    """Offset of the next frame, or of what may be the first octet of one; `end` where there is none."""
    while at < end and not (buffer[at] == _FIRST and (at + 1 == end or buffer[at + 1] == _SECOND)):
        at += 1
    return at


def frame_end(buffer, at, end):
    """Offset behind the frame at `at`, which may lie beyond `end`; -1 where its length is not there yet."""
    if end - at < _HEAD_BYTES:
        return -1
    return at + _HEAD_BYTES + (buffer[at + 2] << 8 | buffer[at + 3])


def is_whole_frames(buffer, at, end):
    """Whether the octets are frames and nothing else, the first begun and the last complete."""
    if at >= end:
        return False
    while at < end:
        if buffer[at] != _FIRST or end - at < _HEAD_BYTES or buffer[at + 1] != _SECOND:
            return False
        at = frame_end(buffer, at, end)
    return at == end


def payload_start(buffer, start, end):
    """Offset of the V2X message in the frame `buffer[start:end]`; -1 where the frame carries none.

    Before it stand the type, for PAYLOAD_WITH_ID eight octets of controller id, the payload's type and the time of
    its origin (UTC ms, eight octets). The numbers of payload types differ between deployments, so none is refused.
    """
    at = start + _HEAD_BYTES
    if at >= end:
        return -1
    kind = buffer[at]
    if kind == PAYLOAD:
        at += 1 + 1 + 8
    elif kind == PAYLOAD_WITH_ID:
        at += 1 + 8 + 1 + 8
    else:
        return -1
    return at if at < end else -1


def frame(kind, data=b""):
    """One frame of the given type."""
    return b"\xaa\xbb" + (len(data) + 1).to_bytes(2, "big") + bytes((kind,)) + data


def token_frame(token):
    """The frame a client opens its session with; `token` is the text from the session's HTTPS answer."""
    return frame(TOKEN, token.encode())


def timestamp_request_of(buffer, start, end):
    """The eight octets of the time in a TIMESTAMP_REQUEST frame, None for other frames."""
    at = start + _HEAD_BYTES
    if end - at == 9 and buffer[at] == TIMESTAMP_REQUEST:
        return bytes(buffer[at + 1 : at + 9])
    return None


def timestamp_response(request, received, sent):
    """The answer the service insists on: its own time (eight octets), and ours of receiving and sending (UTC ms)."""
    return frame(TIMESTAMP_RESPONSE, request + received.to_bytes(8, "big") + sent.to_bytes(8, "big"))
