# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How good the advice was: accuracy against the signal, and the effect on cyclist flow."""
