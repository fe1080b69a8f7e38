# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topic of a unit's commands: which message is one, and which was here before."""

from array import array
from binascii import crc32

# A sender waits for an answer before it goes on; more than these are hardly ever on their way.
_REMEMBERED = 8


class CommandTopic:
    """`topic` is the topic as bytes; `counters` says how many commands came, and how many of them twice."""

    def __init__(self, topic):
        self.topic = topic.encode()
        self.counters = {"commands": 0, "repeated": 0}
        self._ids = array("H", bytes(2 * _REMEMBERED))
        self._sums = array("I", bytes(4 * _REMEMBERED))
        self._next = 0

    def forget(self):
        """Begin anew: the broker has no session with us, so nothing of it can be repeated."""
        for index in range(_REMEMBERED):
            self._ids[index] = 0

    def take(self, reader):
        """Note the command that a PacketReader holds; False: it is the repetition (DUP) of one that was here.

        A broker repeats what it holds to be unacknowledged when a session goes on (MQTT 3.1.1, 4.4). A repetition has
        the same packet identifier and the same bytes; identifiers alone are used again.
        """
        packet_id = reader.packet_id
        if not reader.qos:
            packet_id = 0
        checksum = crc32(memoryview(reader.buffer)[reader.start : reader.end])
        if packet_id and reader.duplicate:
            for index in range(_REMEMBERED):
                if self._ids[index] == packet_id and self._sums[index] == checksum:
                    self.counters["repeated"] = (self.counters["repeated"] + 1) & 0x3FFFFFFF
                    return False
        self._ids[self._next] = packet_id
        self._sums[self._next] = checksum
        self._next = (self._next + 1) % _REMEMBERED
        self.counters["commands"] = (self.counters["commands"] + 1) & 0x3FFFFFFF
        return True
