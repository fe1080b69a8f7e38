# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new release proves itself: it has run for a minute, reads the message it carries, and has memory left.

A signal or a network is never asked for: a good release at a dark crossing must not be taken back.
"""

from leezenflow.errors import LeezenflowError
from leezenflow_device import self_test
from leezenflow_device.updating import boot_state

CLEAN_MS = 60_000


class Trial:
    """The trial of the release in `slot`, which runs."""

    def __init__(self, slot):
        self.slot = slot

    async def run(self, app):
        """Confirm the release when it has run for CLEAN_MS; an exception ends this start, and the loader goes on."""
        await app.clock.sleep_ms(CLEAN_MS)
        result = self_test.prove(app)
        if not result["ok"]:
            failed = [name for name, check in result["checks"].items() if check["ok"] is False]
            raise LeezenflowError("the release on trial fails its self-test: %s" % ", ".join(failed))
        boot_state.confirm(self.slot)
        print("The release in /%s has proven itself." % self.slot)
