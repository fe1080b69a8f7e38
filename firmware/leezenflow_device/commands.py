# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands to the running unit: one json object a line on its serial port, `{"do": "health", "id": 7}`.

The answer is one line `answer {"id":7,"ok":true,...}`, with `"error": "<sentence>"` where `ok` is false. What stands in
`do` is the name of a module in `leezenflow_device.verbs`, which is loaded for the command and then forgotten: a unit
that nobody asks anything has no memory for answers. Over MQTT the same commands come through `remote`.

Lines that do not begin with `{` are somebody else's (a terminal, mpremote before its Ctrl-C) and pass without a word.
Ctrl-C still ends the unit: the interpreter takes it out of the input before anything here could.
"""

import asyncio
import gc
import json
import select
import sys

from leezenflow.errors import LeezenflowError
from leezenflow.file_names import is_file_name

# A line on the serial port that begins with this is an answer.
PREFIX = "answer "
# The longest command is the begin of an update: a manifest of some 80 files and two signatures.
LINE_BYTES = 16_384
# Bytes between two awaits: each costs some 60 us on an RP2040.
_PIECE_BYTES = 64
_FIRST_BYTES = 128
_PACKAGE = "leezenflow_device.verbs"
# Modules that go on working, or are soon asked again.
_STAYING = ("update", "watch", "feed")


class Commands:
    """Answers commands to `app`; `handlers` maps further verbs to `answer(app, command)`, for tests and safe mode.

    `answered` counts commands, `session` is the update's, as long as one is under way.
    """

    def __init__(self, app, handlers=None):
        self.answered = 0
        self.session = None
        self._app = app
        self._handlers = handlers or {}

    async def run(self):
        """Answer what comes on the serial port, until that ends (on boards: never)."""
        stream = sys.stdin.buffer
        poller = select.poll()
        poller.register(sys.stdin, select.POLLIN)
        line = bytearray(_FIRST_BYTES)
        used = 0  # -1: the rest of this line is not for us
        while True:
            await _readable(sys.stdin)
            for _ in range(_PIECE_BYTES):
                if not poller.poll(0):
                    break
                # One at a time: on boards a longer read waits until all of it has come.
                byte = stream.read(1)
                if not byte:
                    return
                if byte in b"\r\n":
                    if used > 0:
                        try:
                            text = bytes(memoryview(line)[:used])
                            line = bytearray(_FIRST_BYTES)
                            print(PREFIX + (await self.handle(text)).decode())
                        except MemoryError:
                            print(PREFIX + _encode(_refusal(None, "there is no room for the command, or its answer")))
                    used = 0
                elif used < 0 or (not used and byte != b"{"):
                    used = -1
                elif used < len(line):
                    line[used] = byte[0]
                    used += 1
                else:
                    longer = _longer(line)
                    if longer is None:
                        print(PREFIX + _encode(_refusal(None, "the command is too long, or there is no room for it")))
                        longer = bytearray(_FIRST_BYTES)
                        used = -1
                    else:
                        longer[used] = byte[0]
                        used += 1
                    line = longer
            await asyncio.sleep_ms(0)

    async def handle(self, line):
        """Return the answer (bytes of json) to one command (bytes of json); never raises an Exception."""
        try:
            command = json.loads(line)
        except (ValueError, MemoryError):
            command = None
        if not isinstance(command, dict):
            return _encode(
                _refusal(None, "this is not a json object; it may have been cut short, send it again")
            ).encode()
        answer = await self.execute(command)
        try:
            return _encode(answer).encode()
        except MemoryError:
            return _encode(_refusal(answer["id"], "there is no room for the answer")).encode()

    async def execute(self, command):
        """Return the answer to one command, both as dicts; never raises an Exception."""
        number = command.get("id")
        if not isinstance(number, (int, str)):
            number = None  # lists within lists would come back at the price of the stack
        verb = command.get("do")
        if not isinstance(verb, str):
            verb = None
        try:
            answer = self._find(verb)(self._app, command)
            if hasattr(answer, "send"):
                answer = await answer
            answer["id"] = number
            if "ok" not in answer:
                answer["ok"] = True
            self.answered = (self.answered + 1) & 0x3FFFFFFF
            if answer.get("restart"):
                from leezenflow_device.verbs.restart import schedule

                schedule(self._app, verb)
        except (LeezenflowError, ValueError) as error:
            answer = _refusal(number, str(error))
        except Exception as error:
            answer = _refusal(number, "%s failed: %s: %s" % (verb, type(error).__name__, error))
        finally:
            _forget(verb)
        return answer

    def _find(self, verb):
        """Return the `answer(app, command)` of a verb."""
        if verb in self._handlers:
            return self._handlers[verb]
        if verb is None or not is_file_name(verb):
            raise LeezenflowError('the command names no verb: write {"do": "health", "id": 1}')
        gc.collect()  # as for any driver: what is loaded should not end up scattered
        try:
            return __import__("%s.%s" % (_PACKAGE, verb), None, None, ("*",)).answer
        except ImportError as error:
            raise LeezenflowError("the unit knows no command %r (%s)" % (verb, error))


def _forget(verb):
    """Let go of a verb's module."""
    path = "%s.%s" % (_PACKAGE, verb)
    if verb in _STAYING or path not in sys.modules:
        return
    del sys.modules[path]
    package = sys.modules[_PACKAGE]
    if hasattr(package, verb):
        delattr(package, verb)


def _longer(line):
    """Return a buffer four times as long with the same content; None: that would be too long, or there is no room."""
    if len(line) >= LINE_BYTES:
        return None
    try:
        longer = bytearray(min(4 * len(line), LINE_BYTES))
    except MemoryError:
        return None
    longer[: len(line)] = line
    return longer


def _refusal(number, why):
    return {"id": number, "ok": False, "error": why}


def _encode(answer):
    return json.dumps(answer, separators=(",", ":"))


def _readable(stream):
    """Wait until there is something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(stream)  # pyright: ignore[reportAttributeAccessIssue]
