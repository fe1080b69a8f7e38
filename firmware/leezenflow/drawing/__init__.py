# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several looks draw with: the shrinking field, the cyclist, digits and letters."""
