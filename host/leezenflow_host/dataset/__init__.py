# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings decoded into Parquet: every signal group, only what changes, by intersection and day."""
