# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays drawing operations on a FrameBuffer; runs on CPython (the twin) and on MicroPython (framebuf itself).

A script is {"width", "height", "sources": [[format, width, height, hex], ...], "ops": [[method, argument, ...], ...]};
"blit" has [source, x, y, key, palette source or null]. The answer is [pixels as hex, results of the "pixel" reads].
As a program it reads one script a line and answers one line of json each.
"""

import json
import sys
from binascii import hexlify, unhexlify

from leezenflow.canvas import framebuf


def play(script):
    """Return the pixels after all operations, and what reading pixels gave."""
    width = script["width"]
    height = script["height"]
    pixels = bytearray(width * height)
    target = framebuf.FrameBuffer(pixels, width, height, framebuf.GS8)
    sources = []
    for form, source_width, source_height, data in script["sources"]:
        buffer = bytearray(unhexlify(data))
        sources.append(framebuf.FrameBuffer(buffer, source_width, source_height, form))
    read = []
    for method, *arguments in script["ops"]:
        if method == "blit":
            source, x, y, key, palette = arguments
            if palette is None:
                target.blit(sources[source], x, y, key)
            else:
                target.blit(sources[source], x, y, key, sources[palette])
        elif method == "pixel" and len(arguments) == 2:
            read.append(target.pixel(*arguments))
        else:
            getattr(target, method)(*arguments)
    return [hexlify(pixels).decode(), read]


def serve():
    """Answer scripts from stdin until it closes."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print(json.dumps(play(json.loads(line))))


if __name__ == "__main__":
    serve()
