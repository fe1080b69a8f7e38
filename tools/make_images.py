# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the pictures of docs/looks.md and of the README with our own renderer.

Usage: python tools/make_images.py
"""

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
for folder in ("firmware", "host", "tests/core"):
    sys.path.insert(0, str(ROOT / folder))

from leezenflow.canvas import Canvas  # noqa: E402
from leezenflow_host.preview import Snapshot, draw_image, write_gif  # noqa: E402
from leezenflow_host.showcase import showcase_frames  # noqa: E402

scenes = importlib.import_module("scenes")

PAPER = (38, 40, 44)
GAP = 12
# Enough for dots, their rims and their glow; a picture of the documentation should be small.
COLOURS = 96
STATES = ("green_full", "green_half", "sprint", "red_half", "red_last", "uncertain")
# (look, options, scenes)
STRIPS: dict[str, list[tuple[str, dict[str, object], Iterable[str]]]] = {
    "green_wave": [("green_wave", {}, STATES)],
    "change_of_plan": [("green_wave", {}, ("green_half", "prolonged", "cut_short", "drained", "uncertain"))],
    "countdown": [("countdown", {}, STATES)],
    "speed_hint": [("speed_hint", {}, STATES)],
    "wait_ring": [("wait_ring", {}, STATES)],
    "pedestrian_wait": [("pedestrian_wait", {}, ("red_first", "red_half", "red_last", "green_half", "uncertain"))],
    "palettes": [
        ("green_wave", {"palette": palette}, (scene,))
        for palette in ("muenster", "high_contrast", "colour_vision_safe", "night")
        for scene in ("green_half", "red_half")
    ],
    "technicians": [
        ("test_pattern", {}, ("dark",)),
        ("status", {"text": "BOHLWEG 2|192.168.178.31"}, ("dark",)),
        ("status", {"text": "BOHLWEG 2|192.168.178.31"}, ("green_half",)),
    ],
}
SCALE = 4
# Seconds of the moving picture: the end of a red, a green that is cut short, and the hurry after it.
FILM_S = (4, 20)
FILM_FPS = 10


def draw_strip(parts: Iterable[tuple[str, dict[str, object], Iterable[str]]]) -> Image.Image:
    """Panels side by side."""
    panels = [
        draw_image(scenes.play_scene(scenes.import_look(look), scene, options), "panel", SCALE)
        for look, options, names in parts
        for scene in names
    ]
    width, height = panels[0].size
    strip = Image.new("RGB", (GAP + (width + GAP) * len(panels), height + 2 * GAP), PAPER)
    draw = ImageDraw.Draw(strip)
    for number, panel in enumerate(panels):
        left = GAP + number * (width + GAP)
        draw.rectangle((left - 3, GAP - 3, left + width + 2, GAP + height + 2), fill=(0, 0, 0))
        strip.paste(panel, (left, GAP))
    return strip.quantize(COLOURS, dither=Image.Dither.NONE)


def play_film() -> Iterator[tuple[Snapshot, int]]:
    """A few seconds of green_wave."""
    canvas = Canvas()
    look = scenes.import_look("green_wave").Look(canvas)
    # Drawn at the panel's own rate, so that what eases looks as it does there.
    for number, (at_ms, advice) in enumerate(showcase_frames(20)):
        look.draw(advice, canvas, at_ms)
        if FILM_S[0] * 1000 <= at_ms < FILM_S[1] * 1000 and number % (20 // FILM_FPS) == 0:
            yield Snapshot.of(canvas), 1000 // FILM_FPS


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, parts in STRIPS.items():
        path = IMAGES / f"{name}.png"
        draw_strip(parts).save(path, optimize=True)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    path = IMAGES / "green_wave.gif"
    count = write_gif(path, play_film(), "panel", SCALE)
    print(f"{path.relative_to(ROOT)}: {count} pictures, {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
