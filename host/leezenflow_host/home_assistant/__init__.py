# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units in Home Assistant: what a unit reports (docs/reference/health.md), announced by MQTT discovery.

The units themselves know nothing of it: they may write under their own topic only, and their memory is scarce.
"""
