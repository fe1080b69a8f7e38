# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit on a Linux computer (Raspberry Pi): the same core, driven by this computer's clock, network and display."""
