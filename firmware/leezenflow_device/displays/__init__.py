# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per display driver: `OPTIONS` and a `Display` with `show(canvas)` and `deinit()`."""
