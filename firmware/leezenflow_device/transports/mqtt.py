# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal messages over MQTT 3.1.1: `mqtt://[user@]broker[:port]/topic/filter?option=value`.

A lost broker is looked for again for ever, at growing, jittered intervals. Retained messages are old by definition
and never reach the engine (rule F9). Nothing a broker sends ends `run`: a breach of the protocol closes the
connection. The password stands in the device's secrets: `{"mqtt": {"password": "..."}}`.

With a `unit_topic` the unit also takes commands: messages under `<unit_topic>/command` (QoS 1, never retained ones) go
to `sink.command(buffer, start, end)`, where the sink has one. Each is acknowledged before it is handed on: a command
that restarts the unit must not come back, and the broker's repetition of one that was taken is dropped.
"""

import asyncio
import errno
import gc
import os
import random
import socket

from leezenflow.errors import LeezenflowError, SignalError
from leezenflow.start_parts import forget
from leezenflow_device import mqtt_packets, networks

OPTIONS = {
    "qos": {"type": "int", "range": [0, 1], "default": 0, "help": "quality of service to subscribe with"},
    "keepalive_s": {
        "type": "int",
        "range": [2, 600],
        "default": 10,
        "help": "a broker that is silent for about this long is lost",
    },
    "message_bytes": {
        "type": "int",
        "range": [256, 131072],
        "default": 34816,
        "help": "the longest message taken; longer ones are skipped and counted",
    },
    "reserve_bytes": {
        "type": "int",
        "range": [256, 131072],
        "default": 16384,
        "help": "memory for messages at start; it grows when a longer one comes and there is room for it",
    },
    "client_id": {"type": "str", "default": "", "help": "client identifier; empty: a random one at each start"},
    "unit_topic": {
        "type": "str",
        "default": "",
        "help": "publish <this>/status (retained online or offline), /health and /answer, take <this>/command; "
        "empty: none of it",
    },
    "session": {
        "type": "bool",
        "default": False,
        "help": "the broker keeps commands while the unit is away; needs client_id and qos=0",
    },
}

DEFAULT_PORT = 1883

# A broker that restarts is back in seconds; a fleet must not ask it all at once, nor for ever at this pace.
_FIRST_PAUSE_MS = 500
_LONGEST_PAUSE_MS = 30_000
# Without a good connection for so long, perhaps it is the network that only seems to be there.
_DOUBT_MS = 600_000
_ANSWER_MS = 8_000
_BEAT_MS = 250
_SUBSCRIBE_ID = 1
_COMMAND_ID = 2
# Pieces of a long message between two turns of the other tasks.
_PIECES = 8


class Transport:
    """One subscription on one broker; see the package's docstring for what every transport offers.

    `options` is for whoever declares more than OPTIONS: all of them, with their values.
    """

    default_port = DEFAULT_PORT

    def __init__(self, source, secrets, clock, unit_name="", options=None):
        if options is None:
            from leezenflow.source_url import typed_options  # only a start needs it

            options = typed_options(OPTIONS, source.options, "mqtt")
        fault = mqtt_packets.filter_fault(source.path)
        if fault:
            raise LeezenflowError("the source's topic %r %s; write mqtt://broker/topic" % (source.path, fault))
        if not source.host:
            raise LeezenflowError("the source names no broker; write mqtt://broker/topic")
        if options["session"] and (options["qos"] or not options["client_id"]):
            # Queued signal messages would be old ones that look new (rule F9).
            raise LeezenflowError("the source's session=true needs a client_id of the unit's own, and qos=0")
        self.counters = {"connects": 0, "losses": 0, "messages": 0, "retained": 0, "queued": 0, "oversize": 0}
        self.fault = ""
        self.listening = False
        self.beats = 0
        self._told = ""
        self._host = source.host
        self._port = source.port or self.default_port
        self._filter = source.path
        self._qos = options["qos"]
        self._keepalive_s = options["keepalive_s"]
        self._clock = clock
        self._network = clock.network
        self._reader = mqtt_packets.PacketReader(options["message_bytes"], options["reserve_bytes"])
        self._puback = bytearray(4)
        self._send_lock = asyncio.Lock()
        self._writer = None
        self._address = None
        self._heard_at = 0
        self._sent_at = 0
        self._unit_topic = options["unit_topic"]
        self._session = options["session"]
        self._fresh = self._lasted = False
        self._commands = None
        credentials = secrets.get("mqtt") or {}
        client_id = options["client_id"] or "leezenflow-%08x" % int.from_bytes(os.urandom(4), "big")
        will = (self._unit_topic + "/status", b"offline") if self._unit_topic else None
        self._connect = mqtt_packets.connect_packet(
            client_id,
            self._keepalive_s,
            source.user or credentials.get("user", ""),
            credentials.get("password", ""),
            will,
            not self._session,
        )

    async def run(self, sink):
        """Hand messages to `sink` for ever."""
        network = self._network
        pause_ms = _FIRST_PAUSE_MS
        tried_at = network.ticks()
        while True:
            self._lasted = False
            try:
                await self._serve(sink)
            except (OSError, SignalError, MemoryError, asyncio.TimeoutError) as error:
                if self._lasted or network.diff(network.ticks(), tried_at) >= _DOUBT_MS:
                    networks.doubted = not self._lasted
                    tried_at = network.ticks()
                if self._lasted:
                    pause_ms = _FIRST_PAUSE_MS
                    self._told = ""
                self._note_loss(error)
            until = network.add(network.ticks(), pause_ms // 2 + random.getrandbits(15) * pause_ms // 32768)
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)
            while network.diff(until, network.ticks()) > 0:
                self._beat()
                await network.sleep_ms(_BEAT_MS)

    async def publish(self, word, payload, retain=False):
        """Publish `payload` (bytes) with QoS 0 under `<unit_topic>/<word>`; says whether it was handed over."""
        if not self._unit_topic or not self.listening:
            return False
        try:
            await self._send(mqtt_packets.publish_packet(self._unit_topic + "/" + word, payload, retain))
        except OSError:
            return False
        return True

    async def _serve(self, sink):
        """Hold one connection from its opening to its loss, which is an exception."""
        self._reader.reset()
        sock = self._secure(await self._dial())
        incoming = asyncio.StreamReader(sock)
        self._writer = asyncio.StreamWriter(sock)
        task = None
        pulse = asyncio.create_task(self._pulse())
        try:
            await asyncio.wait_for_ms(self._greet(sock, incoming), _ANSWER_MS)
            pulse.cancel()
            sink.reconnected()
            await self._subscribe(sink)
            task = asyncio.create_task(self._receive(incoming, sink))
            await self._keep(task)
            raise await task
        finally:
            pulse.cancel()
            was_listening = self.listening
            self.listening = False
            if task is not None and not task.done():
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
            self._writer = None
            sock.close()  # a stream's own close does nothing here
            if was_listening:
                self.counters["losses"] += 1

    async def _dial(self):
        """Return a socket that is being connected. The address is looked up again only where it was of no use."""
        if self._address is None:
            from leezenflow_device import names  # seldom needed

            self._address = await names.find(self._host, self._port)
            forget(names)
        sock = socket.socket(self._address[0], socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            sock.connect(self._address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                sock.close()
                self._address = None
                raise
        return sock

    def _secure(self, sock):
        """Return what to speak MQTT on: here, the bare socket."""
        return sock

    async def _greet(self, sock, incoming):
        """CONNECT and its answer."""
        try:
            await _writable(sock)
            await self._send(self._connect)
            while not self._take(await incoming.readinto(self._reader.space())):
                pass
        except (OSError, asyncio.CancelledError):  # the latter: nothing came in time
            self._address = None  # perhaps the broker moved
            raise
        if self._reader.kind != mqtt_packets.CONNACK:
            raise SignalError("malformed", "the broker began with MQTT packet %d" % self._reader.kind)
        if self._reader.code:
            why = mqtt_packets.REFUSALS.get(self._reader.code, "return code %d" % self._reader.code)
            raise SignalError("refused", "the broker refuses the connection: " + why)
        self.counters["connects"] += 1
        self._heard_at = self._sent_at = self._network.ticks()
        self._fresh = not self._reader.session_present

    async def _subscribe(self, sink):
        if self._unit_topic and hasattr(sink, "command"):
            if self._commands is None:
                from leezenflow_device.mqtt_commands import CommandTopic

                self._commands = CommandTopic(self._unit_topic + "/command")
            if not self._reader.session_present:
                self._commands.forget()
            # First, so that the answer to the other one says that both are there.
            await self._send(mqtt_packets.subscribe_packet(_COMMAND_ID, self._unit_topic + "/command", 1))
        await self._send(mqtt_packets.subscribe_packet(_SUBSCRIBE_ID, self._filter, self._qos))

    async def _receive(self, incoming, sink):
        """Take packets until something fails; returns the exception, for whoever watches over this task to raise."""
        reader = self._reader
        sock = incoming.s
        pieces = 0
        try:
            while True:
                # Waiting costs more than reading: only where there is nothing, and so that others have their turn.
                count = sock.readinto(reader.space())
                pieces += 1
                if count is None:
                    await _readable(sock)
                elif self._take(count):
                    await self._handle(sink, self._clock.ticks())
                    pieces = _PIECES
                if pieces >= _PIECES:
                    pieces = 0
                    await asyncio.sleep_ms(0)
        except Exception as error:
            return error

    def _take(self, count):
        """Note `count` bytes from the socket (None: none after all, 0: the broker hung up)."""
        if count is None:
            return False
        if not count:
            raise OSError(errno.ECONNRESET, "the broker closed the connection")
        self._heard_at = self._network.ticks()
        return self._reader.take(count)

    async def _handle(self, sink, ticks):
        reader = self._reader
        self._beat()
        if reader.kind == mqtt_packets.PUBLISH:
            if self._commands is not None and reader.is_topic(self._commands.topic):
                await self._take_command(sink)
                return
            if reader.retained:
                self._count("retained")
            elif not self._fresh or reader.qos > self._qos:
                self._count("queued")
            elif reader.oversize:
                self._count("oversize")
                self.fault = "a message of %d bytes: too long, or no room for it" % (reader.end - reader.start)
            else:
                self._count("messages")
                await sink.message(reader.buffer, reader.start, reader.end, ticks)
            if reader.qos:
                mqtt_packets.fill_puback(self._puback, reader.packet_id)
                await self._send(self._puback)
        elif reader.kind == mqtt_packets.PINGRESP:
            if not self._fresh:
                self._fresh = True
                await self._begin()
        elif reader.kind == mqtt_packets.SUBACK and reader.packet_id == _COMMAND_ID:
            if reader.code > 1:
                self._commands = None
                print("mqtt: %s refuses commands under %s/command" % (self._host, self._unit_topic))
        elif reader.kind == mqtt_packets.SUBACK:
            if reader.packet_id != _SUBSCRIBE_ID or reader.code > 1:
                raise SignalError("refused", "the broker refuses the subscription to " + self._filter)
            if self._fresh:
                await self._begin()
            else:
                # What the session kept for us stands in front of the answer to this.
                await self._send(mqtt_packets.PINGREQ_PACKET)

    async def _begin(self):
        """From here on, messages are news."""
        self.listening = True
        self.fault = ""
        if self._unit_topic:
            await self.publish("status", b"online", True)

    async def _take_command(self, sink):
        """Acknowledge a command and hand it on, unless it is old, too long, or was here before."""
        reader = self._reader
        if reader.qos:
            mqtt_packets.fill_puback(self._puback, reader.packet_id)
            await self._send(self._puback)
        if reader.retained:
            self._count("retained")
        elif reader.oversize:
            self._count("oversize")
        elif self._commands.take(reader):
            await sink.command(reader.buffer, reader.start, reader.end)

    async def _keep(self, task):
        """Watch over a connection until `task` ends: beats, pings, and the patience for answers."""
        network = self._network
        ping_after_ms = self._keepalive_s * 500
        began_at = network.ticks()
        pinged_at = None
        while not task.done():
            await network.sleep_ms(_BEAT_MS)
            self._beat()
            now = network.ticks()
            if not self._lasted and network.diff(now, began_at) > _ANSWER_MS:
                if not self.listening:
                    raise OSError(errno.ETIMEDOUT, "the broker does not answer the subscription")
                self._lasted = True  # a good connection: the next attempt begins with the short pause again
            if pinged_at is not None and network.diff(self._heard_at, pinged_at) >= 0:
                pinged_at = None
            if pinged_at is not None:
                if network.diff(now, pinged_at) > min(ping_after_ms, _ANSWER_MS):
                    raise OSError(errno.ETIMEDOUT, "the broker fell silent")
            # Not hearing counts, too: our own reports into a dead connection must not put off the question.
            elif max(network.diff(now, self._sent_at), network.diff(now, self._heard_at)) >= ping_after_ms:
                pinged_at = now
                await asyncio.wait_for_ms(self._send(mqtt_packets.PINGREQ_PACKET), _ANSWER_MS)

    async def _pulse(self):
        """Beat while a broker is waited for that may never answer."""
        while True:
            self._beat()
            await self._network.sleep_ms(_BEAT_MS)

    async def _send(self, packet):
        async with self._send_lock:
            writer = self._writer
            if writer is None:
                raise OSError(errno.ENOTCONN, "not connected")
            self._sent_at = self._network.ticks()
            writer.write(packet)
            await writer.drain()

    def _beat(self):
        self.beats = (self.beats + 1) & 0xFFFF

    def _count(self, word):
        self.counters[word] = (self.counters[word] + 1) & 0x3FFFFFFF

    def _note_loss(self, error):
        """Say what went wrong, once until it changes or a good connection lay between."""
        if isinstance(error, asyncio.TimeoutError):
            self.fault = "no answer in time"
        elif isinstance(error, MemoryError):
            gc.collect()
            self.fault = "no room in memory for this connection"
        else:
            self.fault = str(error)
        if self.fault != self._told:
            self._told = self.fault
            print("mqtt: %s:%d: %s; trying again" % (self._host, self._port, self.fault))


def _readable(sock):
    """Wait until a socket has something to read."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]


def _writable(sock):
    """Wait until a socket is connected or has failed (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_write(sock)  # pyright: ignore[reportAttributeAccessIssue]
