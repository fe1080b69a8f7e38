# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device shell around the core: the only place for machine, network, asyncio and time on a board."""
