# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed updates: a release is written into the slot that does not run, proven, and started on trial.

docs/reference/update-format.md has the formats and the order of the steps; the loader has the last word.
"""
