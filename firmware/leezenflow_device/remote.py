# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands over MQTT: who may give them, and that nobody can give an old one again.

`{"do": "health"}` and `{"do": "identity"}` are answered to everybody whom the broker lets write to the unit's topic.
Everything else comes as `{"body": "<the command as json text>", "mac": "<hexadecimal digits>"}`: HMAC-SHA256 (RFC 2104)
over the bytes of `body` with the unit's key, `{"command_key": "<64 hexadecimal digits>"}` in /secrets.json. The command
holds `n`, a number that grows from command to command and over restarts; its last value survives in
/state/commands.json. `unit`, where the command holds it, must be this unit: keys may be shared, commands may not.
"""

import binascii
import hashlib
import json
import os

from leezenflow.errors import LeezenflowError
from leezenflow_device.configuration import read_json
from leezenflow_device.flash_file import replace_json

FILE = "/state/commands.json"
OPEN_VERBS = ("health", "identity")
# Without a MAC nobody needs a long command, and a long number in it would cost seconds.
_OPEN_BYTES = 256
_MOST_BYTES = 16_384
# The file is written once in so many commands (an update has hundreds), always ahead of what was accepted.
_AHEAD = 64
# A number that has run away could never be followed by a greater one.
_MOST_N = 1 << 48
_BLOCK_BYTES = 64


class Gate:
    """Lets commands to `commands` (a Commands) through; `refused` counts those that it did not."""

    def __init__(self, commands, secrets, unit_name):
        self.refused = 0
        self._commands = commands
        self._unit_name = unit_name
        self._key = _key_of(secrets)
        self._written_n = self._last_n = _kept_n()

    async def handle(self, message):
        """Return the answer (bytes of json) to a message (bytes)."""
        try:
            command = self._admit(message)
        except LeezenflowError as error:
            self.refused = (self.refused + 1) & 0x3FFFFFFF
            refusal = {"id": None, "ok": False, "error": str(error), "n": self._last_n}
            return json.dumps(refusal).encode()
        answer = await self._commands.execute(command)
        answer["n"] = self._last_n
        return json.dumps(answer).encode()

    def _admit(self, message):
        """Return the command of a message that may pass; LeezenflowError says why it may not."""
        if len(message) > _MOST_BYTES:
            raise LeezenflowError("the command is longer than %d bytes" % _MOST_BYTES)
        if message.find(b'"mac"') < 0:
            command = _parse(message) if len(message) <= _OPEN_BYTES else {}
            if command.get("do") not in OPEN_VERBS:
                raise LeezenflowError(
                    "this command needs a body and a mac; without, only health and identity are answered"
                )
            return command
        if self._key is None:
            raise LeezenflowError('the unit has no "command_key" in /secrets.json: it takes no such commands over MQTT')
        envelope = _parse(message)
        body, mac = envelope.get("body"), envelope.get("mac")
        if not isinstance(body, str) or not isinstance(mac, str):
            raise LeezenflowError("body and mac must be texts")
        body = body.encode()
        if not _same(hmac_sha256(self._key, body), mac):
            raise LeezenflowError("the mac is not of this body and this unit's key")
        command = _parse(body)
        n = command.get("n")
        if not isinstance(n, int) or isinstance(n, bool) or not self._last_n < n < _MOST_N:
            raise LeezenflowError("n must be a number greater than %d" % self._last_n)
        if command.get("unit", self._unit_name) != self._unit_name:
            raise LeezenflowError("the command is for another unit")
        if n > self._written_n:
            try:
                replace_json(FILE, {"n": n + _AHEAD})
            except OSError as error:
                raise LeezenflowError("%s cannot be written (%s)" % (FILE, error))
            self._written_n = n + _AHEAD
        self._last_n = n
        return command


def hmac_sha256(key, message):
    """Return HMAC-SHA256 of `message` with a key of up to 64 bytes."""
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + b"\x36" * (_BLOCK_BYTES - len(key)))
    inner.update(message)
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + b"\x5c" * (_BLOCK_BYTES - len(key)))
    outer.update(inner.digest())
    return outer.digest()


def _same(digest, mac):
    """Compare a digest with hexadecimal digits in a time that does not tell where they differ."""
    wanted = binascii.hexlify(digest)
    given = mac.lower().encode()
    if len(given) != len(wanted):
        return False
    difference = 0
    for index in range(len(wanted)):
        difference |= wanted[index] ^ given[index]
    return difference == 0


def _key_of(secrets):
    text = secrets.get("command_key")
    if text is None:
        return None
    try:
        key = binascii.unhexlify(text)
    except (ValueError, TypeError):
        key = b""
    if len(key) != 32:
        print('/secrets.json: "command_key" must be 64 hexadecimal digits; commands over MQTT are refused')
        return None
    return key


def _kept_n():
    """Return the number that the next command must exceed; after a restart some that were never used are skipped."""
    try:
        os.stat(FILE)
    except OSError:
        return 0
    n = read_json(FILE).get("n")
    if not isinstance(n, int):
        raise LeezenflowError("%s: damaged; remove it over USB to take commands over MQTT again" % FILE)
    return n


def _parse(text):
    try:
        values = json.loads(text)
    except (ValueError, MemoryError):
        values = None
    if not isinstance(values, dict):
        raise LeezenflowError("the command is not a json object")
    return values
