# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A board described for a person with a soldering iron: pins, panel, memory, and where each number comes from."""

from typing import Any

from leezenflow import bitplanes, strands
from leezenflow.errors import LeezenflowError
from leezenflow.pixel_map import PixelMap
from leezenflow_host.board_config import BoardConfig, display_options
from leezenflow_host.image import build_image

Section = tuple[str, list[tuple[str, str]]]

_SYSTEM_HZ = {"RP2040": 125_000_000, "RP2350": 150_000_000}
# Free heap after the start of stock MicroPython, in kB, where it was measured: with WiFi, and without.
_FREE_HEAP_KB = {("RP2040", True): 195, ("RP2040", False): 236, ("RP2350", True): 467}
_VERIFIED = {
    "hardware": "tried on hardware",
    "emulation": "tried in emulation, not on hardware",
    "none": "not tried: check every pin before you connect a panel",
}


def board_sheet(board: BoardConfig) -> list[Section]:
    """Return sections of (title, [(name, words), ...])."""
    display = board.values["display"]
    declared = display_options(board.driver)
    pins = [(name, rule) for name, rule in declared.items() if name == "pin" or name.endswith("_pin")]
    others = [(name, rule) for name, rule in declared.items() if (name, rule) not in pins]
    sections: list[Section] = [
        (
            f"{board.name}: {board.title}",
            [
                ("chip", board.chip),
                _runtime(board),
                ("network", _network(board)),
                ("verified", _VERIFIED[board.verified]),
                ("file", str(board.file)),
            ],
        ),
        ("Panel", [("size", f"{display['width']} x {display['height']} pixels, as riders see it"), *_timing(board)]),
    ]
    if pins:
        # Blinka calls GPIO 18 of a Raspberry Pi D18.
        gpios = {name: str(display[name]).removeprefix("D") for name, _ in pins}
        sections.append(("Pins", [(name, f"GPIO {gpios[name]:<3} {rule.get('help', '')}") for name, rule in pins]))
    if "light" in board.values:
        sections.append(("Light sensor", [(name, _literal(value)) for name, value in board.values["light"].items()]))
    sections.append(
        (
            f"Options of {board.driver}",
            [(name, f"{_literal(display[name])}  {rule.get('help', '')}") for name, rule in others],
        )
    )
    if not board.is_linux:
        sections.append(("Memory", _memory(board)))
    sections.append(("Where the numbers come from", list(board.source.items()) or [("", "the file does not say")]))
    return sections


def _runtime(board: BoardConfig) -> tuple[str, str]:
    if board.is_linux:
        return "runs", f"leezenflow run --board {board.name}, on Python 3.11 or newer"
    return "MicroPython", f"1.24 or newer, build {' or '.join(board.micropython)}"


def _network(board: BoardConfig) -> str:
    if board.is_linux:
        return "the system's own"
    return "none" if board.values["network"] is None else board.values["network"]["kind"]


def _timing(board: BoardConfig) -> list[tuple[str, str]]:
    if "max_ma" in board.values["display"]:
        return _strand_timing(board)
    timing = _plan(board)
    if timing is None:
        return []
    return [
        ("refresh", f"{timing.refresh_hz()} Hz, {timing.planes} planes and {timing.dither} bits of dithering"),
        ("pixel clock", f"{timing.pixel_clock_khz()} kHz"),
        ("least plane", f"{timing.shortest_lit_ns()} ns"),
        ("lit", f"{timing.lit_permille() / 10:.0f} % of the time at full brightness"),
    ]


def _strand_timing(board: BoardConfig) -> list[tuple[str, str]]:
    """Describe WS2812 strands: how often all LEDs of a lane can be told anew, and what they may take."""
    display = board.values["display"]
    leds, lanes = _strands(board)
    fps = strands.frames_per_second(leds // lanes)
    return [
        ("LEDs", f"{leds} on {lanes} {'strand' if lanes == 1 else 'strands side by side'}"),
        ("refresh", f"at most {fps} frames a second ({leds // lanes * strands.LED_NS // 1000 / 1000:g} ms each)"),
        ("current", f"at most {display['max_ma']} mA, of which {leds * strands.IDLE_UA // 1000} mA when dark"),
    ]


def _strands(board: BoardConfig) -> tuple[int, int]:
    """Return how many LEDs there are, and on how many lanes."""
    display = board.values["display"]
    return display["width"] * display["height"] // display.get("divide", 1) ** 2, display.get("lanes", 1)


def _memory(board: BoardConfig) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if board.virtual is not None:
        rows.append(("heap", f"{board.virtual.heap_kb} kB (64-bit objects)"))
        rows.append(("file system", f"{board.virtual.flash_kb} kB"))
    heap_kb = _FREE_HEAP_KB.get((board.chip, board.values["network"] is not None))
    if heap_kb is not None:
        rows.append(("free heap", f"about {heap_kb} kB after the start of MicroPython"))
    timing = _plan(board)
    if timing is not None:
        rows.append(("panel", f"{timing.memory_bytes() / 1024:.1f} kB of the heap for planes and tables"))
    if board.driver == "ws2812_rp2":
        rows.append(("panel", f"{_strand_bytes(board) / 1024:.1f} kB of the heap for frames and tables"))
    image = build_image(board, None)
    rows.append(("firmware", f"{image.size / 1024:.0f} kB of files without a site's adapter and transport"))
    return rows


def _strand_bytes(board: BoardConfig) -> int:
    """Return what the driver for parallel strands reserves: two frames, the order of the LEDs, tables of colours."""
    leds, lanes = _strands(board)
    frame = 4 * strands.WORDS_PER_LED * leds // lanes
    tables = 256 * 4 * strands.WORDS_PER_LED + 2 * 512 + 768 + 256 + 512 + 64
    return 2 * frame + 2 * leds + tables


def _plan(board: BoardConfig) -> bitplanes.Timing | None:
    """Return how a HUB75 panel is driven; None for other displays, and for what the driver would refuse."""
    display = board.values["display"]
    if "planes" not in display or board.chip not in _SYSTEM_HZ:
        return None
    try:
        pixel_map = PixelMap(display["width"], display["height"], display)
        return bitplanes.plan_timing(
            pixel_map.columns,
            pixel_map.rows,
            display["planes"],
            display["dither"],
            _SYSTEM_HZ[board.chip],
            display["pixel_clock_khz"],
            display["refresh_hz"],
        )
    except LeezenflowError:
        return None


def _literal(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)
