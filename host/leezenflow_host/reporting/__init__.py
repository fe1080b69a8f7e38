# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an evaluation: one self-contained page for people, beside the tables for machines."""

from leezenflow_host.reporting.page import render_report, write_report

__all__ = ["render_report", "write_report"]
