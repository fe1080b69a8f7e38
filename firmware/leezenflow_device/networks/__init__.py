# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per kind of network: `OPTIONS` and `Network(settings, secrets, clock)`, whose `run()` keeps it connected.

`fault` says in words why there is no connection ("": there is one), `address` is the board's own then, and `counters`
count.
"""
