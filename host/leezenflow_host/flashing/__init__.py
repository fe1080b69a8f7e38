# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a blank chip to a running unit: find boards, install the interpreter, deploy, restart, read back, test."""
