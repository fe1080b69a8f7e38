# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boards as the host reaches them: virtual ones and real ones, behind one interface."""
