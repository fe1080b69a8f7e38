# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAPEM and J2735 MAP: decoded in the adapter's file already; this gives it its place among the full decoders."""

from leezenflow_adapters.mapem_uper import decode_map as decode

__all__ = ["decode"]
