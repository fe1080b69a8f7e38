# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per wire format: each a sans-IO Decoder from bytes to an IntersectionState."""
