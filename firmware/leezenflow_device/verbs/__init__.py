# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per command to the running unit, named like its verb: `answer(app, command)`, which may be a coroutine.

`command` is the json object that came, with `do` and perhaps `id`. The answer is a dict; `id` and `ok` are added.
LeezenflowError or ValueError with a sentence refuses. `"restart": True` in an answer restarts the unit soon after.
"""
