# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording signal messages as they arrive: sources, what is not kept, files, and the loop around them."""
