# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the look `status` shows technicians: the unit's name, its address, and what is wrong, worst first."""

_PERIOD_MS = 1_000


class StatusLines:
    """Keeps the lines of `look` (anything with show_lines) those of `app`; it draws only when they change."""

    def __init__(self, app, look, unit_name):
        self._app = app
        self._look = look
        self._unit_name = unit_name
        self._shown = None

    async def run(self):
        """Look once a second, for ever."""
        sleep_ms = self._app.clock.network.sleep_ms
        while True:
            lines = self.lines()
            if lines != self._shown:
                self._shown = lines
                self._look.show_lines(lines)
            await sleep_ms(_PERIOD_MS)

    def lines(self):
        """The unit's name, its address if it has one, then the first of its faults: network, transport, signal."""
        app = self._app
        lines = [self._unit_name or "Leezenflow"]
        address = getattr(app.network, "address", "")
        if address:
            lines.append(address)
        for part in (app.network, app.transport, app.engine):
            fault = getattr(part, "fault", "")
            if fault:
                lines.append(fault)
                break
        return lines
