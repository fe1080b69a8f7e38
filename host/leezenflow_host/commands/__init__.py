# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per command; `cli.py` finds them by file name (`foo_bar.py` is `leezenflow foo-bar`)."""
