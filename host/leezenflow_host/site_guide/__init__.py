# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a place at a junction to a site file: which signal, how far, how fast; and whether a site makes sense."""
