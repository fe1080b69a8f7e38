# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leezenflow on a laptop: configure, install, replay, preview and measure, around the same core as on the board."""
