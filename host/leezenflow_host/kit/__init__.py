# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline kit: everything that a technician at a junction without internet needs, in one folder or zip."""

from leezenflow_host.kit.contents import KitPlan, plan_kit
from leezenflow_host.kit.kit import Kit
from leezenflow_host.kit.storage import write_kit

__all__ = ["Kit", "KitPlan", "plan_kit", "write_kit"]
