# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the sprite modules of the firmware from the readable sources in tools/sprites.

Usage: python tools/make_sprites.py [--check]

`bicycle.txt` (strokes) becomes sprites_bicycle.py, `digits.txt` (strokes) and `letters.txt` (a drawn alphabet) become
sprites_digits.py and sprites_letters.py. With --check nothing is written; exit code 1 if a module is not what its
source makes of it.
"""

import argparse
import binascii
import itertools
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "sprites"
TARGETS = ROOT / "firmware" / "leezenflow"

# Each LED is looked at in 8 x 8 places; what a stroke covers becomes one of 4 shades (2 bit a pixel).
SAMPLES = 8
SHADES = 4

Point = tuple[float, float]
Picture = list[list[float]]  # light 0..1 of each LED
Distance = Callable[[float, float], float]  # from the edge of a stroke, negative inside


# REUSE-IgnoreStart
HEADER = (
    "# SPDX-FileCopyrightText: 2026 Leezenflow contributors",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)
# REUSE-IgnoreEnd


class SourceError(Exception):
    """A line in a sprite source that cannot be drawn."""


def parse_point(word: str) -> Point:
    x, y = word.split(",")
    return float(x), float(y)


def from_segment(a: Point, b: Point, width: float) -> Distance:
    """Distance from a round-ended stroke of `width` from a to b."""
    ax, ay = a
    dx, dy = b[0] - ax, b[1] - ay
    length_squared = dx * dx + dy * dy

    def distance(x: float, y: float) -> float:
        along = 0.0
        if length_squared:
            along = min(1.0, max(0.0, ((x - ax) * dx + (y - ay) * dy) / length_squared))
        return math.hypot(x - ax - along * dx, y - ay - along * dy) - width / 2

    return distance


def from_polyline(points: list[Point], width: float) -> Distance:
    segments = [from_segment(a, b, width) for a, b in itertools.pairwise(points)]
    return lambda x, y: min(distance(x, y) for distance in segments)


def from_ring(centre: Point, radius: float, width: float) -> Distance:
    return lambda x, y: abs(math.hypot(x - centre[0], y - centre[1]) - radius) - width / 2


def find_knee(hip: Point, foot: Point, thigh: float, shin: float) -> Point:
    """The knee of a leg from hip to foot, bent forwards (to the right)."""
    dx, dy = foot[0] - hip[0], foot[1] - hip[1]
    reach = min(math.hypot(dx, dy), (thigh + shin) * 0.999)
    along = (thigh * thigh - shin * shin + reach * reach) / (2 * reach)
    aside = math.sqrt(max(0.0, thigh * thigh - along * along))
    ux, uy = dx / reach, dy / reach
    return hip[0] + ux * along + uy * aside, hip[1] + uy * along - ux * aside


def cover(distance: Distance, x: int, y: int) -> float:
    """Which part of LED (x, y) a stroke covers."""
    centre = distance(x + 0.5, y + 0.5)
    if abs(centre) > 0.75:  # farther than the corners of the LED
        return 1.0 if centre < 0 else 0.0
    hits = 0
    for sub_y in range(SAMPLES):
        for sub_x in range(SAMPLES):
            hits += distance(x + (sub_x + 0.5) / SAMPLES, y + (sub_y + 0.5) / SAMPLES) <= 0
    return hits / SAMPLES**2


def paint(picture: Picture, distance: Distance, light: float) -> None:
    """Lay a stroke over the picture; `light` 0 takes away what lies below."""
    for y, row in enumerate(picture):
        for x in range(len(row)):
            covered = cover(distance, x, y)
            row[x] = max(row[x], light * covered) if light else row[x] * (1 - covered)


def draw_stroke(picture: Picture, words: list[str], turn: float) -> None:
    """Draw one source line at `turn` (0..1) of its loop."""
    kind, *rest = words
    if kind == "line":
        paint(picture, from_polyline([parse_point(word) for word in rest[2:]], float(rest[1])), float(rest[0]))
    elif kind == "erase":
        paint(picture, from_polyline([parse_point(word) for word in rest[1:]], float(rest[0])), 0.0)
    elif kind == "disc":
        centre = parse_point(rest[1])
        paint(picture, from_segment(centre, centre, 2 * float(rest[2])), float(rest[0]))
    elif kind == "wheel":
        light, centre, radius, tyre = float(rest[0]), parse_point(rest[1]), float(rest[2]), float(rest[3])
        spokes, spoke_light, turns = int(rest[4]), float(rest[5]), float(rest[6])
        for spoke in range(spokes):
            angle = 2 * math.pi * (spoke / spokes + turns * turn)
            rim = centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)
            paint(picture, from_segment(centre, rim, 0.9), spoke_light)
        paint(picture, from_ring(centre, radius, tyre), light)
    elif kind == "leg":
        light, width, hip, crank = float(rest[0]), float(rest[1]), parse_point(rest[2]), parse_point(rest[3])
        length, thigh, shin, start, turns = (float(word) for word in rest[4:9])
        angle = 2 * math.pi * (start + turns * turn)
        foot = crank[0] + length * math.sin(angle), crank[1] - length * math.cos(angle)
        knee = find_knee(hip, foot, thigh, shin)
        paint(picture, from_polyline([hip, knee, foot, (foot[0] + 1.2, foot[1])], width), light)
    elif kind == "streak":
        light, width, start_point, length, travel = rest
        x, y = parse_point(start_point)
        x -= float(travel) * turn
        paint(picture, from_segment((x, y), (x + float(length), y), float(width)), float(light))
    else:
        raise SourceError(f"{kind}: no such stroke")


def read_strokes(path: Path) -> tuple[int, int, dict[str, tuple[int, list[list[str]]]]]:
    """Width, height and {sprite: (frames, strokes)} of a stroke source."""
    width = height = 0
    parts: dict[str, list[list[str]]] = {}
    sprites: dict[str, tuple[int, list[list[str]]]] = {}
    current: list[list[str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            if words[0] == "size":
                width, height = int(words[1]), int(words[2])
            elif words[0] == "part":
                current = parts[words[1]] = []
            elif words[0] == "sprite":
                current = []
                sprites[words[1]] = (int(words[2]), current)
            elif words[0] == "use":
                current.extend(parts[words[1]])
            else:
                current.append(words)
        except (IndexError, KeyError, ValueError) as error:
            raise SourceError(f"{path.name}:{number}: {line.strip()}: {error!r}") from error
    return width, height, sprites


def draw_sprite(width: int, height: int, frames: int, strokes: list[list[str]]) -> Iterator[Picture]:
    for frame in range(frames):
        picture = [[0.0] * width for _ in range(height)]
        for words in strokes:
            draw_stroke(picture, words, frame / frames)
        yield picture


def pack_pictures(pictures: list[Picture]) -> bytes:
    """Pictures as framebuf.GS2_HMSB, one after the other: 4 pixels a byte, the leftmost in the lowest bits."""
    packed = bytearray()
    for picture in pictures:
        for row in picture:
            shades = [round(light * (SHADES - 1)) for light in row]
            shades += [0] * (-len(shades) % 4)
            for x in range(0, len(shades), 4):
                packed.append(sum(shade << 2 * place for place, shade in enumerate(shades[x : x + 4])))
    return bytes(packed)


def write_constant(name: str, data: bytes) -> Iterator[str]:
    """Lines of source that bind `name` to `data`."""
    text = binascii.b2a_base64(data, newline=False).decode()
    yield f"{name} = a2b_base64("
    for start in range(0, len(text), 100):
        yield f'    b"{text[start : start + 100]}"'
    yield ")"


def make_bicycle() -> str:
    """Source of sprites_bicycle.py."""
    width, height, sprites = read_strokes(SOURCES / "bicycle.txt")
    lines = [
        *HEADER,
        '"""Generated by tools/make_sprites.py from tools/sprites/bicycle.txt: do not edit.',
        "",
        "Loops of pictures in framebuf.GS2_HMSB, one after the other; shade 0 is transparent.",
        '"""',
        "",
        "from binascii import a2b_base64",
        "",
        f"WIDTH = {width}",
        f"HEIGHT = {height}",
        f"FRAME_BYTES = {(width + 3) // 4 * height}",
    ]
    for name, (frames, strokes) in sprites.items():
        lines += ["", *write_constant(name.upper(), pack_pictures(list(draw_sprite(width, height, frames, strokes))))]
    return "\n".join(lines) + "\n"


MODULES = {"sprites_bicycle.py": make_bicycle}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say which modules differ from their source")
    check = parser.parse_args().check
    stale = 0
    for name, make in MODULES.items():
        text = make()
        path = TARGETS / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            print(f"{name}: up to date")
            continue
        stale += 1
        print(f"{name}: {'differs from its source' if check else 'written'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
