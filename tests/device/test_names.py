# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look-ups of names on the unix MicroPython: nothing stands still meanwhile, and no answer can do harm."""

import json
import random
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from unix_device import ROOT, run_script

_SCRIPT = """
import asyncio, json, socket
from leezenflow_device import names, networks
names.PORT = int(sys.argv[1])
names._ANSWER_MS = int(sys.argv[4])
networks.name_server = json.loads(sys.argv[2])
turns = [0]

async def others():
    while True:
        turns[0] += 1
        await asyncio.sleep_ms(1)

async def main():
    asyncio.create_task(others())
    await asyncio.sleep_ms(0)
    before = turns[0]
    try:
        found = await names.find(sys.argv[3], 1883)
        said = found == socket.getaddrinfo("127.0.0.7", 1883, 0, socket.SOCK_STREAM)[0]
    except OSError as error:
        said = str(error)
    print(json.dumps([said, turns[0] - before]))

asyncio.run(main())
"""
HOST = "Broker.example"
Answer = Callable[[bytes], list[bytes]]


@contextmanager
def name_server(answer: Answer) -> Iterator[tuple[int, list[bytes]]]:
    """A server on a free UDP port that answers each question with the packets of `answer`; (port, questions so far)."""
    asked: list[bytes] = []
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)

        def serve() -> None:
            while not ended.is_set():
                try:
                    question, sender = server.recvfrom(600)
                except TimeoutError:
                    continue
                asked.append(question)
                for packet in answer(question):
                    server.sendto(packet, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], asked
        finally:
            ended.set()
            thread.join()


def find(micropython: str, port: int, server: str | None, host: str, answer_ms: int = 20_000) -> list[Any]:
    """[True for the right address, or what was wrong; turns of the other task meanwhile]."""
    lines = run_script(micropython, _SCRIPT, str(port), json.dumps(server), host, str(answer_ms))
    return json.loads(lines.splitlines()[-1])


def record(name: bytes, kind: int, data: bytes) -> bytes:
    """One record of an answer."""
    return name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def reply(question: bytes, *records: bytes, flags: int = 0x8180) -> bytes:
    """An answer to `question` with these records."""
    return question[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question[12:] + b"".join(records)


OURS = record(b"\xc0\x0c", 1, bytes((127, 0, 0, 7)))
ALIAS = record(b"\xc0\x0c", 5, b"\x05other\xc0\x13")
BEHIND_ALIAS = record(b"\x05other\x07example\x00", 1, bytes((127, 0, 0, 7)))
OTHER_KIND = record(b"\xc0\x0c", 28, bytes(16))


@pytest.mark.parametrize(
    "records", [(OURS,), (ALIAS, BEHIND_ALIAS), (OTHER_KIND, OURS)], ids=["address", "alias", "beside others"]
)
def test_the_name_server_is_asked_once(micropython: str, records: tuple[bytes, ...]) -> None:
    with name_server(lambda question: [reply(question, *records)]) as (port, asked):
        assert find(micropython, port, "127.0.0.1", HOST)[0] is True
    (question,) = asked
    assert question[2:] == b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06Broker\x07example\x00\x00\x01\x00\x01"


def test_nothing_stands_still_while_a_name_server_is_silent(micropython: str) -> None:
    with name_server(lambda question: []) as (port, asked):
        said, turns = find(micropython, port, "127.0.0.1", HOST, answer_ms=300)
    assert said == "no address for Broker.example: the name server 127.0.0.1 does not answer"
    assert len(asked) == 2
    assert turns >= 2, "a turn for everybody else in each wait, at the very least"


def test_a_lost_question_is_asked_again(micropython: str) -> None:
    lost: list[bytes] = []

    def answer(question: bytes) -> list[bytes]:
        lost.append(question)
        return [] if len(lost) == 1 else [reply(question, OURS)]

    with name_server(answer) as (port, _):
        # The second time it has to be patient: the answer is on its way.
        assert find(micropython, port, "127.0.0.1", HOST, answer_ms=3_000)[0] is True


def test_only_the_answer_to_this_question_counts(micropython: str) -> None:
    def answer(question: bytes) -> list[bytes]:
        right = reply(question, OURS)
        wrong = record(b"\xc0\x0c", 1, bytes((127, 0, 0, 9)))
        foreign = reply(question, wrong)
        return [
            b"",
            foreign[:11],
            bytes((foreign[0] ^ 1,)) + foreign[1:],
            question,
            foreign.replace(b"example", b"exampel"),
            right,
        ]

    with name_server(answer) as (port, _):
        assert find(micropython, port, "127.0.0.1", HOST)[0] is True


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda question: [reply(question, flags=0x8183)],
            "no address for Broker.example: the name server 127.0.0.1 knows none",
        ),
        (lambda question: [reply(question)], "knows none"),
        (lambda question: [reply(question, OTHER_KIND)], "knows none"),
        (lambda question: [b"nonsense"] * 8, "knows none"),
    ],
    ids=["no such name", "no record", "another record", "nonsense"],
)
def test_why_there_is_no_address(micropython: str, answer: Answer, words: str) -> None:
    with name_server(answer) as (port, _):
        assert words in find(micropython, port, "127.0.0.1", HOST)[0]


def test_nobody_may_be_there(micropython: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    # Linux says that nobody listens there; elsewhere it is just silent.
    said = find(micropython, port, "127.0.0.1", HOST, answer_ms=300)[0]
    assert said.startswith("no address for Broker.example: the name server 127.0.0.1 ")
    assert "cannot be reached" in said or "does not answer" in said


@pytest.mark.parametrize("server", ["", "0.0.0.0"])
def test_without_a_network_nobody_is_asked(micropython: str, server: str) -> None:
    with name_server(lambda question: []) as (port, asked):
        assert find(micropython, port, server, HOST)[0] == "no address for Broker.example: no name server yet"
    assert asked == []


@pytest.mark.parametrize("server", ["127.0.0.1", "", None])
def test_an_address_needs_no_name_server(micropython: str, server: str | None) -> None:
    with name_server(lambda question: []) as (port, asked):
        assert find(micropython, port, server, "127.0.0.7")[0] is True
    assert asked == []


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_what_can_be_no_name_is_not_asked_for(micropython: str, host: str) -> None:
    with name_server(lambda question: []) as (port, asked):
        assert "is no name of a computer" in find(micropython, port, "127.0.0.1", host)[0]
    assert asked == []


def test_a_damaged_answer_is_none_and_no_exception(micropython: str) -> None:
    script = """
import binascii, json
from leezenflow_device import names
for line in sys.stdin:
    packet, at = json.loads(line)
    print(repr(names.address_in(binascii.unhexlify(packet), at)))
"""
    chance = random.Random(7)
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01b\x00\x00\x01\x00\x01"
    whole = reply(question, ALIAS, record(b"\x01x\x00", 1, bytes((10, 0, 0, 1))))
    packets = [whole[:end] for end in range(len(question), len(whole))]
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(question), len(broken))] = chance.randrange(256)
        packets.append(bytes(broken))
    packets.append(whole[:6] + b"\xff\xff" + whole[8:-2])
    said = _run_on(micropython, script, [json.dumps([packet.hex(), len(question)]) for packet in packets])
    assert len(said) == len(packets)
    assert said[0] == "''" and said[-1] == "''"
    (found,) = _run_on(micropython, script, [json.dumps([whole.hex(), len(question)])])
    assert found == "'10.0.0.1'"


def _run_on(micropython: str, script: str, lines: list[str]) -> list[str]:
    """Run a script that answers each of its input lines with one of its own."""

    head = f"import sys\nsys.path[:0] = [{str(ROOT / 'firmware')!r}]\n"
    done = subprocess.run(
        [micropython, "-c", head + script], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return done.stdout.splitlines()
