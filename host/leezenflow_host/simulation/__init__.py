# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal recordings that never happened: a simulated controller whose every switch is known, for tests and teaching."""
