# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look `status` on a running unit: its name and what is wrong, as text on the panel."""

from pathlib import Path

from brokers import free_port
from unix_device import UnixDevice, run_script, site

from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.renderings.status import Look
from leezenflow_host.board_config import read_board
from leezenflow_host.boards.frames import FrameReceiver
from leezenflow_host.image import build_image
from leezenflow_host.site_config import example_site


def draw(kind: str, reason: str | None, lines: list[str]) -> bytes:
    """The rows above the bar that moves, as the core draws them."""
    canvas, advice = Canvas(), Advice()
    look = Look(canvas)
    look.show_lines(lines)
    advice.decline(kind, reason)
    look.draw(advice, canvas, 0)
    return bytes(canvas.pixels[: -2 * canvas.width])


def test_a_unit_shows_its_name_and_why_it_is_dark(micropython: str, tmp_path: Path) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    device.configure(site(f"udp://127.0.0.1:{free_port()}", name="status"))
    wanted = draw("dark", "no_data", ["test"])
    assert len(wanted) - wanted.count(0) > 100
    with FrameReceiver() as receiver, device.running(receiver.url):
        receiver.wait_for(lambda frame: frame.pixels[: len(wanted)] == wanted, 30)


def test_the_first_fault_is_shown_until_it_is_gone(micropython: str) -> None:
    said = run_script(
        micropython,
        """
import asyncio
from leezenflow_device.status_lines import StatusLines

class Part:
    fault = ""

class Look:
    def show_lines(self, lines):
        print(lines)

class Stop(Exception):
    pass

class Clock:
    turns = 0
    async def sleep_ms(self, ms):
        self.turns += 1
        if self.turns == 2:
            app.network.address = "192.0.2.7"
            app.engine.fault = "malformed"
        elif self.turns == 3:
            app.transport.fault = "no answer"
        elif self.turns == 5:
            app.network.fault = "wrong password"
        elif self.turns == 6:
            raise Stop

class App:
    pass

app = App()
app.clock = App()
app.clock.network = Clock()
app.network, app.transport, app.engine = Part(), Part(), Part()
try:
    asyncio.run(StatusLines(app, Look(), "corner").run())
except Stop:
    pass
app.network = app.transport = None
app.engine.fault = ""
print(StatusLines(app, Look(), "").lines())
""",
    )
    assert said.splitlines() == [
        "['corner']",
        "['corner', '192.0.2.7', 'malformed']",
        "['corner', '192.0.2.7', 'no answer']",
        "['corner', '192.0.2.7', 'wrong password']",
        "['Leezenflow']",
    ]


def test_only_a_status_panel_carries_the_module() -> None:
    unit = example_site()
    board = read_board("virtual")
    assert not any("status_lines" in path for path in build_image(board, unit).files)
    unit.values["look"]["name"] = "status"
    assert any("status_lines" in path for path in build_image(board, unit).files)
