# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per transport, named like the scheme of its source: `OPTIONS` and a `Transport` with `run(sink)`.

A transport is made as `Transport(source, secrets, clock, unit_name)`. Its `run(sink)` never ends by itself: it opens
what there is to open, again and again with growing pauses, and for each message awaits
`sink.message(buffer, start, end, ticks)`, leaving the buffer alone until that returns; after a loss it calls
`sink.reconnected()` before the first new message. It counts in `counters`, says by `listening` whether messages can
come in, and moves `beats` on at least every two seconds, so that a watchdog can tell waiting from being stuck.
"""
