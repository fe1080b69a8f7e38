# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which case it is: one diagnosis and one next step for a unit that does not show what it should."""
