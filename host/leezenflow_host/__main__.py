# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m leezenflow_host`: the same as the `leezenflow` console script."""

from leezenflow_host.cli import main

if __name__ == "__main__":
    main()
