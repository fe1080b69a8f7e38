# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handing a unit over: what it proves about itself, and the report that stays when the technician has left."""

from leezenflow_host.commissioning.report import write_report
from leezenflow_host.commissioning.self_test import run_self_test

__all__ = ["run_self_test", "write_report"]
