# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sources in order of preference: the next one is taken when the present one gives nothing usable.

Usable is a message that the engine accepts as news of the wanted signal; a broker that is there but has nothing to say
is as good as none. While a lesser source is in use, the better ones are tried again from time to time: beside it where
the heap has room for two, so that the present feed goes on; else by changing over, which costs the feed `failover_s` if
the better one is still mute. Every change is a reconnection for the engine (rule F9): it begins with new evidence.
"""

import asyncio
import gc

from leezenflow.errors import SignalError

# The better source is tried again after this time, and after twice as long each time it was mute.
_FIRST_PROBE_MS = 60_000
_LONGEST_PROBE_MS = 1_800_000
# A changeover on trial loses the feed that is there: not so often.
_FIRST_TRIAL_MS = 600_000
# A source proves to be alive by as many messages.
_PROOF_MESSAGES = 3
# Beside a second transport (its buffer, a TLS connection) this much must stay free for the unit's own work.
_ROOM_BYTES = 98_304
_STEP_MS = 250


class Transport:
    """As every transport; `makers` are functions that each make the transport of one source, the best first."""

    def __init__(self, makers, failover_s, clock):
        self._makers = makers
        self._patience_ms = failover_s * 1000
        self._network = clock.network
        self._index = 0
        self._current = makers[0]()
        self._own_beats = 0
        self._own = {"source": 0, "switches": 0, "probes": 0}
        self.fault = ""
        self.usable_at = 0

    @property
    def listening(self):
        """Whether messages can come in from the present source."""
        return self._current is not None and self._current.listening

    @property
    def beats(self):
        """Moves on while this and the present source are alive."""
        return (self._own_beats + (self._current.beats if self._current is not None else 0)) & 0xFFFF

    @property
    def counters(self):
        """What the present source counts, with `source` (0 is the best), `switches` and `probes`."""
        counters = dict(self._own)
        if self._current is not None:
            counters.update(self._current.counters)
        return counters

    async def publish(self, word, payload, retain=False):
        """Publish by the present source."""
        return self._current is not None and await self._current.publish(word, payload, retain)

    async def run(self, sink):
        """Hand messages to `sink` for ever."""
        tap = _Tap(self, sink)
        probe_ms = _FIRST_PROBE_MS
        while True:
            wanted, probe_ms = await self._use(tap, probe_ms)
            self._own["switches"] = (self._own["switches"] + 1) & 0x3FFFFFFF
            self._own["source"] = self._index = wanted
            sink.reconnected()

    async def _use(self, tap, probe_ms):
        """Feed from the present source until another is wanted; returns (that one, pause until the next probe)."""
        network = self._network
        if self._current is None:
            gc.collect()  # the buffer of the last one makes room for that of the next
            self._current = self._makers[self._index]()
        task = asyncio.create_task(_shielded(self._current, tap))
        began_at = self.usable_at = network.ticks()
        probed_at = began_at
        try:
            while True:
                await network.sleep_ms(_STEP_MS)
                self._own_beats += 1
                now = network.ticks()
                self.fault = self._current.fault
                if task.done():
                    fault = await task
                    print("source %d: %s; trying the next" % (self._index + 1, fault))
                    self.fault = str(fault)
                    await self._rest()
                    return (self._index + 1) % len(self._makers), probe_ms
                if network.diff(now, self.usable_at) > self._patience_ms:
                    print("source %d: nothing usable; trying the next" % (self._index + 1))
                    if self.usable_at == began_at:  # it was mute from the first: do not come back so soon
                        probe_ms = min(2 * probe_ms, _LONGEST_PROBE_MS)
                    return (self._index + 1) % len(self._makers), probe_ms
                if self._index == 0 and network.diff(now, began_at) > 2 * self._patience_ms:
                    probe_ms = _FIRST_PROBE_MS
                if self._index and network.diff(now, probed_at) > probe_ms:
                    probed_at = now
                    better = await self._probe(now, began_at)
                    if better is not None:
                        print("source %d: alive again" % (better + 1))
                        return better, probe_ms
                    probe_ms = min(2 * probe_ms, _LONGEST_PROBE_MS)
        finally:
            await _end(task)
            self._current = None

    async def _probe(self, now, began_at):
        """Return the index of a better source that is worth a change, None for none."""
        self._own["probes"] = (self._own["probes"] + 1) & 0x3FFFFFFF
        for index in range(self._index):
            try:
                gc.collect()
                if not _has_room():
                    raise MemoryError
                other = self._makers[index]()
                if not _has_room():
                    raise MemoryError
            except MemoryError:
                other = None
                gc.collect()
                # No room for two: change over, and come back if it was in vain.
                return 0 if self._network.diff(now, began_at) > _FIRST_TRIAL_MS else None
            witness = _Witness()
            task = asyncio.create_task(_shielded(other, witness))
            try:
                for _ in range(self._patience_ms // _STEP_MS):
                    await self._network.sleep_ms(_STEP_MS)
                    self._own_beats += 1
                    if witness.messages >= _PROOF_MESSAGES:
                        return index
                    if task.done():
                        break
            finally:
                await _end(task)
        return None

    async def _rest(self):
        """A source that fails at once must not be asked in a tight circle."""
        for _ in range(4):
            self._own_beats += 1
            await self._network.sleep_ms(_STEP_MS)


class _Tap:
    """Between a source and the sink: notes when something usable passes."""

    def __init__(self, owner, sink):
        self._owner = owner
        self._sink = sink
        self.reconnected = sink.reconnected
        if hasattr(sink, "command"):
            self.command = sink.command

    async def message(self, buffer, start, end, ticks):
        """Hand a message on; a sink that does not say whether it was news counts them all."""
        if await self._sink.message(buffer, start, end, ticks) is not False:
            self._owner.usable_at = self._owner._network.ticks()


class _Witness:
    """In a sink's place: counts, so that a source can prove to be alive without touching the engine."""

    messages = 0

    async def message(self, buffer, start, end, ticks):
        """Count a message."""
        self.messages += 1

    def reconnected(self):
        """Nothing to begin anew."""


async def _shielded(transport, sink):
    """Run a transport; what ends it is returned, not raised: another source may still work."""
    try:
        await transport.run(sink)
    except (OSError, SignalError, MemoryError) as error:
        return error
    return OSError("the transport came to an end")


async def _end(task):
    if not task.done():
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


def _has_room():
    return gc.mem_free() >= _ROOM_BYTES
