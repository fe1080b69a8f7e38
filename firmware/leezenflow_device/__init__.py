# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The board's side: the only place on the device that knows of machine, network, asyncio and time."""
