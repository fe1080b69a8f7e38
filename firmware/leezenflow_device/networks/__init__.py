# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per kind of network: `Network(settings, secrets, clock)`, whose `run()` keeps the board connected."""
