# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands by MQTT: acknowledged before they are handed on, never twice, never old ones."""

import socket

from brokers import wait_until
from test_mqtt_transport import ScriptedBroker, url
from transport_child import TransportChild

from leezenflow_device.mqtt_commands import CommandTopic
from leezenflow_device.mqtt_packets import PacketReader

TOPIC = "unit/7/command"


def publish(first: int, packet_id: int, payload: bytes, topic: str = TOPIC) -> bytes:
    """A PUBLISH packet with this first byte."""
    body = bytes((0, len(topic))) + topic.encode()
    body += bytes((packet_id >> 8, packet_id & 255)) if first & 6 else b""
    body += payload
    assert len(body) < 128
    return bytes((first, len(body))) + body


def read(packet: bytes) -> PacketReader:
    """A reader that holds the packet."""
    reader = PacketReader(300)
    at = 0
    done = False
    while at < len(packet):
        space = reader.space()
        space[:] = packet[at : at + len(space)]
        at += len(space)
        done = reader.take(len(space))
    assert done and reader.is_topic(TOPIC.encode())
    return reader


def test_only_a_repetition_of_what_was_here_is_dropped() -> None:
    commands = CommandTopic(TOPIC)
    assert commands.take(read(publish(0x32, 7, b"one")))
    assert not commands.take(read(publish(0x3A, 7, b"one")))
    assert commands.take(read(publish(0x3A, 8, b"two"))), "repeated by the broker, but it never came"
    assert commands.take(read(publish(0x32, 7, b"one"))), "sent once more on purpose"
    assert commands.take(read(publish(0x3A, 7, b"three"))), "the identifier is used again"
    assert commands.take(read(publish(0x30, 0, b"one"))) and commands.take(read(publish(0x30, 0, b"one")))
    assert commands.counters == {"commands": 6, "repeated": 1}


def test_a_new_session_repeats_nothing() -> None:
    commands = CommandTopic(TOPIC)
    assert commands.take(read(publish(0x32, 7, b"one")))
    commands.forget()
    assert commands.take(read(publish(0x3A, 7, b"one")))


def test_old_commands_are_forgotten_one_by_one() -> None:
    commands = CommandTopic(TOPIC)
    for packet_id in range(1, 10):
        assert commands.take(read(publish(0x32, packet_id, b"x")))
    assert commands.take(read(publish(0x3A, 1, b"x")))
    assert not commands.take(read(publish(0x3A, 9, b"x")))


def test_another_topic_is_no_command() -> None:
    reader = read(publish(0x30, 0, b"x"))
    assert not reader.is_topic(b"unit/8/command")
    assert not reader.is_topic(b"unit/7/comman")


def test_commands_on_the_wire(micropython: str) -> None:
    received = bytearray()

    def serve(connection: socket.socket, number: int) -> None:
        connect = connection.recv(1000)
        assert connect[9] & 2 == 0, "no clean session"
        connection.sendall(b"\x20\x02\x01\x00" if number > 1 else b"\x20\x02\x00\x00")
        connection.sendall(b"\x90\x03\x00\x02\x01\x90\x03\x00\x01\x00\xd0\x00")
        if number == 1:
            connection.sendall(publish(0x33, 5, b"retained") + publish(0x32, 6, b"once"))
        else:
            # The first one's acknowledgement got lost; the signal message is from the time away.
            connection.sendall(publish(0x3A, 6, b"once") + publish(0x32, 7, b"next"))
        while b"\x40\x02\x00" + bytes((5 + number,)) not in received:
            received.extend(connection.recv(100))
        if number == 1:
            connection.shutdown(socket.SHUT_RDWR)

    source = url("@", unit_topic="unit/7", session="true", client_id="unit-7")
    with ScriptedBroker(serve) as server, TransportChild(micropython, source.replace("@", str(server.port))) as child:
        child.wait_for("command", "next")
        wait_until(lambda: b"\x40\x02\x00\x07" in received, "all is acknowledged")
    assert [event[1] for event in child.events if event[0] == "command"] == ["once", "next"]
    assert received.count(b"\x40\x02\x00\x06") == 2
    assert child.counters["retained"] == 1
