# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking over a running unit's shoulder: over USB or MQTT, without disturbing it."""
