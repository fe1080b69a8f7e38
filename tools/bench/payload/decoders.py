# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on MicroPython for tools/bench/decode.py: decodes a message COUNT times.

    micropython decoders.py ADAPTER FILE GROUP COUNT

Prints µs of all, bytes allocated by one message in steady state, steps a message needs and µs of the longest.
FILE holds messages, each behind its length (four octets, big-endian); they are taken in turn, as in service.
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
            length = int.from_bytes(head, "big")
            # A transport's buffer is longer than the message in it.
            buffer = bytearray(length + 2)
            buffer[:length] = file.read(length)
            messages.append(buffer)


def run(adapter, path, group, count):
    # The code first: compiling it needs more room than running it.
    decoder = __import__("leezenflow_adapters." + adapter, None, None, ("Decoder",)).Decoder(None, 1090, group)
    messages = read(path)
    for _ in range(3):
        for buffer in messages:
            decoder.decode(buffer, 0, len(buffer) - 2)
    gc.collect()
    before = gc.mem_alloc()
    for buffer in messages:
        decoder.decode(buffer, 0, len(buffer) - 2)
    allocated = (gc.mem_alloc() - before) // len(messages)
    gc.collect()
    steps = longest = 0
    for buffer in messages:
        decoder.begin(buffer, 0, len(buffer) - 2)
        answer = None
        while answer is None:
            begun = time.ticks_us()
            answer = decoder.step()
            longest = max(longest, time.ticks_diff(time.ticks_us(), begun))
            steps += 1
    begun = time.ticks_us()
    for i in range(count):
        buffer = messages[i % len(messages)]
        decoder.decode(buffer, 0, len(buffer) - 2)
    took = time.ticks_diff(time.ticks_us(), begun)
    print(took, allocated, steps // len(messages), longest)


run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
