# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on MicroPython for tools/bench/spatem_xml.py: decodes a message COUNT times.

    micropython xml_decoders.py MODULE FILE GROUP COUNT

Prints µs of all, bytes allocated by one message in steady state, steps a message needs and µs of the longest.
FILE holds messages, each behind its length (four octets, big-endian); they are taken in turn.
"""

# pyright: reportAttributeAccessIssue=false
import gc
import sys
import time


def read(path):
    messages = []
    with open(path, "rb") as file:
        while True:
            head = file.read(4)
            if not head:
                return messages
            buffer = bytearray(int.from_bytes(head, "big"))
            file.readinto(buffer)
            messages.append(buffer)


def run(module, path, group, count):
    # First the code, then the messages: compiling needs room.
    decoder = __import__(module, None, None, ("Decoder",)).Decoder(49, 1090, group)
    messages = read(path)
    for _ in range(3):
        for buffer in messages:
            decoder.decode(buffer, 0, len(buffer))
    gc.collect()
    before = gc.mem_alloc()
    for buffer in messages:
        decoder.decode(buffer, 0, len(buffer))
    allocated = (gc.mem_alloc() - before) // len(messages)
    steps = longest = 0
    if hasattr(decoder, "step"):
        for buffer in messages:
            decoder.begin(buffer, 0, len(buffer))
            answer = None
            while answer is None:
                begun = time.ticks_us()
                answer = decoder.step()
                longest = max(longest, time.ticks_diff(time.ticks_us(), begun))
                steps += 1
    gc.collect()
    begun = time.ticks_us()
    for i in range(count):
        buffer = messages[i % len(messages)]
        decoder.decode(buffer, 0, len(buffer))
        if i % 10 == 9:
            gc.collect()
    took = time.ticks_diff(time.ticks_us(), begun)
    print(took, allocated, steps // len(messages), longest)


run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
