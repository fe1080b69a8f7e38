# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of one update: begin, chunk after chunk, finish. Nothing is believed that is not signed.

All of it goes into the slot that does not run. What the power interrupts goes on later: files that are there whole are
not sent again. Between two pieces of work the panel has its turn.
"""

import asyncio
import binascii
import gc
import os
import sys

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import parse_source
from leezenflow_device.configuration import read_json
from leezenflow_device.updating import authority, boot_state
from leezenflow_device.updating.manifest import FILE, MAX_BYTES, NEW, Manifest, hash_file
from leezenflow_device.updating.slot_files import SlotFiles

_MAX_KEYS_BYTES = 4096
_MAX_CHUNK_BYTES = 1024
# What the file system needs besides: folders that grow, and blocks that are being replaced.
_SPARE_BLOCKS = 6


class Session:
    """One update at a time; `handle` takes its steps. `app` is not used: nothing of a running unit is touched."""

    def __init__(self, app=None):
        self._busy = False
        self._text = bytearray()
        self._forget()

    async def handle(self, command):
        """Return the answer to one step; LeezenflowError says why it is refused, and then nothing has happened."""
        step = _STEPS.get(command.get("step")) if isinstance(command.get("step"), str) else None
        if step is None:
            raise LeezenflowError("an update has no step %r; it has %s" % (command.get("step"), ", ".join(_STEPS)))
        if self._busy:
            raise LeezenflowError("the step before is still at work: ask again")
        self._busy = True
        try:
            return await step(self, command)
        except OSError as error:
            self._drop_part()
            raise LeezenflowError("the flash cannot be written (%s); the release that runs is as before" % error)
        finally:
            self._busy = False

    async def _begin(self, command):
        self._drop_part()
        slot = boot_state.running_slot()
        if slot is None:
            raise LeezenflowError("this unit does not run from a slot: install the firmware over USB first")
        boot = boot_state.read()
        if boot["try"] == slot:
            raise LeezenflowError("the release that runs is still on trial: send this one when it is confirmed")
        text = bytes(self._text) if "manifest" not in command else _bytes_of(command, "manifest", MAX_BYTES)
        manifest = await self._authorise(command, text, boot)
        settings = read_json("/board.json")
        floor = max(boot["floor"], boot_state.release_in(slot))
        own = sys.implementation
        manifest.check(settings.get("name"), floor, boot["bad"], own.version, getattr(own, "_mpy", 0))
        _check_parts(manifest, settings)
        target = "b" if slot == "a" else "a"
        files = SlotFiles("/" + target, manifest)
        if hash_file("/%s/%s" % (slot, FILE), files.buffer) == manifest.digest:
            raise LeezenflowError("release %d runs already" % manifest.release)
        await files.compare(_turn)
        free_blocks, block_bytes = _free()
        needed = files.blocks_needed(block_bytes)
        if needed + _SPARE_BLOCKS > free_blocks + files.blocks_freed(block_bytes):
            raise LeezenflowError(
                "the flash has no room: %d kB are needed, %d kB are free"
                % ((needed + _SPARE_BLOCKS) * block_bytes // 1024, free_blocks * block_bytes // 1024)
            )
        # From here on the other slot is no release any more; so nothing may say that it is one.
        if (boot["active"], boot["try"], boot["left"]) != (slot, None, 0):
            boot["active"] = slot
            boot["try"] = None
            boot["left"] = 0
            boot_state.write(boot)
        await files.clear(_turn)
        self._slot = target
        self._files = files
        self._manifest = manifest
        self._text = bytearray()
        return {"slot": target, "have": dict(files.have)}

    async def _authorise(self, command, text, boot):
        """Return the manifest in `text` if a key signed it that a root of this unit vouches for."""
        roots = authority.read_roots()
        keys = _bytes_of(command, "keys", _MAX_KEYS_BYTES)
        signature = _signature(command, "keys_signature")
        if not await _is_signed(keys, signature, roots):
            raise LeezenflowError("keys.json is not signed by a root key of this unit")
        version, moduli = authority.read_keys(keys, boot["keys"])
        if version > boot["keys"]:
            # Whatever becomes of this update: keys that its list no longer has are withdrawn.
            boot["keys"] = version
            boot_state.write(boot)
        if not await _is_signed(text, _signature(command, "signature"), moduli):
            raise LeezenflowError("the manifest is not signed by a release key of keys.json version %d" % version)
        return Manifest(text)

    async def _chunk(self, command):
        path, offset = command.get("path"), command.get("offset")
        if not isinstance(path, str) or not isinstance(offset, int) or offset < 0:
            raise LeezenflowError("a chunk needs a path and an offset")
        try:
            data = binascii.a2b_base64(command.get("data"))
        except (ValueError, TypeError):
            raise LeezenflowError("the data of a chunk is base64; send it again")
        if len(data) > _MAX_CHUNK_BYTES:
            raise LeezenflowError("a chunk has at most %d bytes" % _MAX_CHUNK_BYTES)
        if path == FILE:
            return self._take_manifest(offset, data)
        if self._files is None:
            raise LeezenflowError("no update is under way: begin first")
        return {"done": self._files.write(path, offset, data)}

    def _take_manifest(self, offset, data):
        """Keep a piece of a manifest until `begin`."""
        text = self._text
        if not offset and len(text) > len(data):
            text = self._text = bytearray()
        if offset > len(text) or offset + len(data) > MAX_BYTES:
            raise LeezenflowError("%s: go on at byte %d" % (FILE, len(text)))
        text[offset:] = data
        return {"done": len(text)}

    async def _finish(self, command):
        files, manifest = self._files, self._manifest
        if files is None:
            raise LeezenflowError("no update is under way: begin first")
        self._drop_part()
        wrong = await files.verify(_turn)
        if wrong:
            raise LeezenflowError(
                "%d files are missing or damaged: begin again and send what is not there (%s ...)"
                % (len(wrong), wrong[0])
            )
        slot = self._slot
        path = "/%s/%s" % (slot, FILE)
        with open(path + NEW, "wb") as file:
            file.write(manifest.text)
        if hash_file(path + NEW, files.buffer) != manifest.digest:
            os.remove(path + NEW)
            raise LeezenflowError("the manifest cannot be read back from the flash: begin again")
        os.rename(path + NEW, path)
        boot_state.begin_trial(slot)
        self._forget()
        return {"slot": slot, "restart": True}

    async def _status(self, command):
        boot = boot_state.read()
        slot = boot_state.running_slot()
        answer = {"slot": slot}
        for key in ("active", "try", "left", "floor", "bad", "keys"):
            answer[key] = boot[key]
        answer["release"] = 0 if slot is None else boot_state.release_in(slot)
        answer["manifest"] = None if slot is None else hash_file("/%s/%s" % (slot, FILE), memoryview(bytearray(512)))
        answer["update"] = None
        if self._files is not None:
            done, total = self._files.progress()
            answer["update"] = {
                "slot": self._slot,
                "release": self._manifest.release,
                "manifest": self._manifest.digest,
                "done": done,
                "total": total,
            }
        return answer

    async def _abort(self, command):
        self._drop_part()
        self._forget()
        self._text = bytearray()
        return {}

    def _drop_part(self):
        if self._files is not None:
            self._files.drop_part()

    def _forget(self):
        self._slot = self._files = self._manifest = None
        gc.collect()


_STEPS = {
    "begin": Session._begin,
    "chunk": Session._chunk,
    "finish": Session._finish,
    "status": Session._status,
    "abort": Session._abort,
}


async def _turn():
    """Let the panel have its frame."""
    await asyncio.sleep_ms(0)


async def _is_signed(text, signature, moduli):
    signed = False
    for verdict in authority.check_signature(text, signature, moduli):
        signed = verdict
        await _turn()
    return signed is True


def _bytes_of(command, key, limit):
    value = command.get(key)
    if not isinstance(value, str) or not value or len(value) > limit:
        raise LeezenflowError("`%s` is missing, or longer than %d bytes" % (key, limit))
    return value.encode()


def _signature(command, key):
    try:
        return binascii.a2b_base64(command.get(key))
    except (ValueError, TypeError):
        raise LeezenflowError("`%s` is missing, or not base64" % key)


def _free():
    """Return free blocks of the flash, and the bytes of one."""
    values = os.statvfs("/")
    return values[3], values[0]


def _check_parts(manifest, settings):
    """Refuse a release that lacks what this unit's configuration names: it could only fail its trial."""
    wanted = ["leezenflow_device/displays/%s" % (settings.get("display") or {}).get("driver")]
    if settings.get("network"):
        wanted.append("leezenflow_device/networks/%s" % settings["network"].get("kind", "wifi"))
    if settings.get("light"):
        wanted.append("leezenflow_device/sensors/%s" % settings["light"].get("sensor"))
    for sensor in settings.get("sensors") or ():
        wanted.extend(("leezenflow_device/sensing", "leezenflow_device/sensors/%s" % sensor))
    if settings.get("setup"):
        wanted.append("leezenflow_device/setup_button")
    if (settings.get("device") or {}).get("time_server"):
        wanted.append("leezenflow_device/timekeeping")
    site = read_json("/site.json", {})
    signal, look = site.get("signal") or {}, site.get("look") or {}
    if settings.get("light") or site.get("light"):
        wanted.append("leezenflow_device/light")
    if look.get("name") == "status":
        wanted.append("leezenflow_device/status_lines")
    if look.get("name"):
        wanted.append("leezenflow/renderings/%s" % look["name"])
    if signal.get("adapter"):
        wanted.append("leezenflow_adapters/%s" % signal["adapter"])
    for source in [signal.get("source")] + list(signal.get("more_sources") or ()):
        if source:
            wanted.append("leezenflow_device/transports/%s" % parse_source(source).scheme)
    if signal.get("more_sources"):
        wanted.append("leezenflow_device/transports/failover")
    for module in wanted:
        if not manifest.holds_module(module):
            raise LeezenflowError("the update lacks %s, which this unit's configuration names" % module)
