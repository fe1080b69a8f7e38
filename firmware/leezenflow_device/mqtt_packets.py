# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MQTT 3.1.1 packets (OASIS standard, 29 October 2014) without a socket: bytes in, packets out, and the few we send.

A broker that breaks the protocol raises `SignalError`; the transport then closes the connection and opens another.
"""

from leezenflow.errors import SignalError

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

PINGREQ_PACKET = b"\xc0\x00"

# What we accept from a broker, with the packet length where it is fixed: we ask for QoS 0 and 1 only, so the packets
# of QoS 2 are a breach.
_FIXED_LENGTH = {CONNACK: 2, PUBACK: 2, SUBACK: 3, PINGRESP: 0}

# A longer message is skipped up to here. Beyond, the connection is cheaper than reading on: at 100 kB/s of a weak
# Wi-Fi the unit would be without data for ten seconds.
MAX_SKIPPED_BYTES = 1 << 20

# A topic of the feeds has some 10 to 60 bytes; the buffer must hold topic and packet identifier of any message.
MAX_TOPIC_BYTES = 1024

# CONNACK return codes (3.2.2.3), in words.
REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not like the client identifier",
    3: "it is not available",
    4: "user name or password is wrong",
    5: "this client is not authorised",
}


class PacketReader:
    """Cuts a broker's byte stream into packets, in pieces of any size, in one buffer made at start.

    Fill `space()` with up to as many bytes as it has, then call `take(count)`; True means that a packet is complete
    and described by the attributes until the next `space()`. Of a PUBLISH the message is `buffer[start:end]`, its topic
    `buffer[2:topic_end]`; one longer than `message_bytes` is read to its end with `oversize` set and no message.

    The buffer begins with room for a message of `reserve_bytes` (None: of `message_bytes`) and grows when a longer
    one comes; where the heap has no room for that, the message counts as oversize.
    """

    def __init__(self, message_bytes, reserve_bytes=None):
        self._limit = message_bytes
        reserve_bytes = message_bytes if reserve_bytes is None else min(message_bytes, reserve_bytes)
        self.buffer = bytearray(reserve_bytes + MAX_TOPIC_BYTES + 4)
        self._view = memoryview(self.buffer)
        self._head = bytearray(5)
        self._head_view = memoryview(self._head)
        self.reset()

    def reset(self):
        """Begin anew, as after a new connection."""
        self.kind = 0
        self.qos = 0
        self.retained = False
        self.duplicate = False
        self.oversize = False
        self.packet_id = 0
        self.code = 0  # return code of CONNACK and SUBACK
        self.session_present = False  # CONNACK: the broker goes on with a session it has kept
        self.topic_end = 0
        self.start = 0
        self.end = 0
        self._in_head = True
        self._fill = 0
        self._goal = 2  # every packet has at least two bytes
        self._to_skip = 0

    def space(self):
        """Return a memoryview of the bytes to fill next, never empty."""
        if self._in_head:
            return self._head_view[self._fill : self._goal]
        if self._goal:
            return self._view[self._fill : self._goal]
        return self._view[: min(self._to_skip, len(self.buffer))]

    def take(self, count):
        """Note that `count` bytes were filled in; True when a packet is complete. Raises SignalError."""
        if self._in_head:
            self._fill += count
            return self._fill == self._goal and self._take_head()
        if self._goal:
            self._fill += count
            return self._fill == self._goal and self._take_body()
        self._to_skip -= count
        return self._to_skip == 0 and self._finish()

    def _take_head(self):
        last = self._head[self._fill - 1]
        if last & 0x80:
            if self._fill == 5:
                raise SignalError("malformed", "MQTT remaining length of more than four bytes")
            self._goal += 1
            return False
        length = 0
        for index in range(self._fill - 1, 0, -1):
            length = length << 7 | self._head[index] & 0x7F
        self._check_head(self._head[0], length)
        self.end = length
        self._in_head = False
        self._fill = 0
        if len(self.buffer) < length <= self._limit + MAX_TOPIC_BYTES + 4:
            self._grow(length)
        self._goal = min(length, len(self.buffer))
        self._to_skip = length - self._goal
        return length == 0 and self._finish()

    def _grow(self, length):
        """Make room for a packet, and an eighth more: messages that grow little by little must not cut up the heap."""
        try:
            self.buffer = bytearray(min(length + (length >> 3), self._limit + MAX_TOPIC_BYTES + 4))
        except MemoryError:
            return
        self._view = memoryview(self.buffer)

    def _check_head(self, first, length):
        self.kind = first >> 4
        self.retained = bool(first & 1)
        self.qos = first >> 1 & 3
        self.duplicate = bool(first & 8)
        self.oversize = False
        if self.kind == PUBLISH:
            if self.qos > 1:
                raise SignalError("malformed", "MQTT message of QoS %d; 0 and 1 are subscribed" % self.qos)
            if length < 3 + 2 * self.qos or length > MAX_SKIPPED_BYTES:
                raise SignalError("malformed", "MQTT message of %d bytes" % length)
        elif _FIXED_LENGTH.get(self.kind) != length or first & 0x0F:
            raise SignalError("malformed", "MQTT packet 0x%02x of %d bytes" % (first, length))

    def _take_body(self):
        buffer = self.buffer
        if self.kind == PUBLISH:
            self._take_publish_head()
            self._goal = 0
            return self._to_skip == 0 and self._finish()
        if self.kind == CONNACK:
            self.session_present = bool(buffer[0] & 1)
            self.code = buffer[1]
        else:
            self.packet_id = buffer[0] << 8 | buffer[1]
            self.code = buffer[2] if self.kind == SUBACK else 0
        return self._finish()

    def _take_publish_head(self):
        buffer = self.buffer
        self.start = 2 + (buffer[0] << 8 | buffer[1])
        if not 2 < self.start <= self.end - 2 * self.qos or self.start > MAX_TOPIC_BYTES + 2:
            raise SignalError("malformed", "MQTT topic of %d bytes" % (self.start - 2))
        self.topic_end = self.start
        if self.qos:
            self.packet_id = buffer[self.start] << 8 | buffer[self.start + 1]
            self.start += 2
            if not self.packet_id:
                raise SignalError("malformed", "MQTT message of QoS 1 without a packet identifier")
        self.oversize = self.end - self.start > self._limit or self.end > len(self.buffer)

    def is_topic(self, topic):
        """Say whether the message at hand came under `topic` (bytes)."""
        if self.topic_end - 2 != len(topic):
            return False
        buffer = self.buffer
        for index in range(len(topic)):
            if buffer[2 + index] != topic[index]:
                return False
        return True

    def _finish(self):
        self._in_head = True
        self._fill = 0
        self._goal = 2
        return True


def connect_packet(client_id, keepalive_s, user="", password="", will=None, clean=True):
    """Return CONNECT; `will` is None or (topic, payload bytes), sent with QoS 1 and retained.

    `clean`: the broker forgets the session at its end; otherwise it keeps it for the next connection.
    """
    flags = 2 if clean else 0
    body = _text(client_id)
    if will:
        flags |= 0x2C
        body += _text(will[0]) + _field(will[1])
    if user:
        flags |= 0x80
        body += _text(user)
        if password:
            flags |= 0x40
            body += _text(password)
    head = b"\x00\x04MQTT\x04" + bytes((flags, keepalive_s >> 8, keepalive_s & 0xFF))
    return _packet(0x10, head + body)


def subscribe_packet(packet_id, topic_filter, qos):
    """Return SUBSCRIBE for one topic filter."""
    return _packet(0x82, bytes((packet_id >> 8, packet_id & 0xFF)) + _text(topic_filter) + bytes((qos,)))


def publish_packet(topic, payload, retain=False):
    """Return PUBLISH with QoS 0 of `payload` (bytes)."""
    return _packet(0x31 if retain else 0x30, _text(topic) + payload)


def fill_puback(packet, packet_id):
    """Write PUBACK into the four bytes of `packet`."""
    packet[0] = 0x40
    packet[1] = 2
    packet[2] = packet_id >> 8
    packet[3] = packet_id & 0xFF


def filter_fault(topic_filter):
    """Return what is wrong with a topic filter (4.7), None if nothing is."""
    if not topic_filter:
        return "is empty"
    if len(topic_filter.encode()) > MAX_TOPIC_BYTES:
        return "has more than %d bytes" % MAX_TOPIC_BYTES
    if "\0" in topic_filter:
        return "holds a zero character"
    levels = topic_filter.split("/")
    for index, level in enumerate(levels):
        if "#" in level and (level != "#" or index + 1 < len(levels)):
            return "has a # that is not alone at its end"
        if "+" in level and level != "+":
            return "has a + that is not alone between two slashes"
    return None


def _text(text):
    return _field(text.encode())


def _field(data):
    return bytes((len(data) >> 8, len(data) & 0xFF)) + data


def _packet(first, body):
    head = bytearray((first,))
    length = len(body)
    while length > 127:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + body
