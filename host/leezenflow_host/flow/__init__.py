# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of a display on cyclist flow: observed at the roadside, planned before, and simulated with SUMO."""
