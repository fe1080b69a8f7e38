# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per kind of network: `OPTIONS` and `Network(settings, secrets, clock)`, whose `run()` keeps it connected.

`fault` says in words why there is no connection ("": there is one), `address` is the board's own then, and `counters`
count.
"""

# Who tells the addresses of names: a network says it when it is connected, and "" while it is not. None: there is no
# network of ours (virtual boards), and the system looks names up.
name_server = None
# A transport that reached nobody for long says so here: a network that believes to be connected then begins anew.
doubted = False
