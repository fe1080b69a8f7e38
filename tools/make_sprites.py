# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the sprite modules of the firmware from the readable sources in tools/sprites.

Usage: python tools/make_sprites.py [--check]

`bicycle.txt`, `digits.txt` and `symbols.txt` (strokes) and `letters.txt` (a drawn alphabet) become sprites_bicycle.py
and so on. With --check nothing is written; exit code 1 if a module is not what its
source makes of it.
"""

import argparse
import binascii
import itertools
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "sprites"
TARGETS = ROOT / "firmware" / "leezenflow"

# Each LED is looked at in 8 x 8 places; what a stroke covers becomes one of 4 shades (2 bit a pixel).
SAMPLES = 8
LETTER_ROWS = 5
# An arc is drawn as so many straight pieces.
ARC_STEPS = 32

Point = tuple[float, float]
Picture = list[list[float]]  # light 0..1 of each LED
Stroke = tuple[str, list[str]]  # where it stands in its source, and its words
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


def draw_stroke(picture: Picture, words: list[str], turn: float, halo: float, scale: float) -> None:
    """Draw one source line at `turn` (0..1) of its loop, `halo` wider on all sides."""

    def paint_stroke(distance: Distance, light: float) -> None:
        paint(picture, lambda x, y: distance(x / scale, y / scale) * scale - halo, light)

    kind, *rest = words
    if kind == "line":
        paint_stroke(from_polyline([parse_point(word) for word in rest[2:]], float(rest[1])), float(rest[0]))
    elif kind == "erase":
        paint_stroke(from_polyline([parse_point(word) for word in rest[1:]], float(rest[0])), 0.0)
    elif kind == "arc":
        light, width, centre, radii = float(rest[0]), float(rest[1]), parse_point(rest[2]), parse_point(rest[3])
        begin, end = math.radians(float(rest[4])), math.radians(float(rest[5]))
        angles = [begin + (end - begin) * step / ARC_STEPS for step in range(ARC_STEPS + 1)]
        points = [(centre[0] + radii[0] * math.sin(a), centre[1] - radii[1] * math.cos(a)) for a in angles]
        paint_stroke(from_polyline(points, width), light)
    elif kind == "disc":
        centre = parse_point(rest[1])
        paint_stroke(from_segment(centre, centre, 2 * float(rest[2])), float(rest[0]))
    elif kind == "wheel":
        light, centre, radius, tyre = float(rest[0]), parse_point(rest[1]), float(rest[2]), float(rest[3])
        spokes, spoke_light, turns = int(rest[4]), float(rest[5]), float(rest[6])
        for spoke in range(spokes):
            angle = 2 * math.pi * (spoke / spokes + turns * turn)
            rim = centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)
            paint_stroke(from_segment(centre, rim, 0.9), spoke_light)
        paint_stroke(from_ring(centre, radius, tyre), light)
    elif kind == "leg":
        light, width, hip, crank = float(rest[0]), float(rest[1]), parse_point(rest[2]), parse_point(rest[3])
        length, thigh, shin, start, turns = (float(word) for word in rest[4:9])
        angle = 2 * math.pi * (start + turns * turn)
        foot = crank[0] + length * math.sin(angle), crank[1] - length * math.cos(angle)
        knee = find_knee(hip, foot, thigh, shin)
        paint_stroke(from_polyline([hip, knee, foot, (foot[0] + 1.2, foot[1])], width), light)
    elif kind == "streak":
        light, width, start_point, length, travel = rest
        x, y = parse_point(start_point)
        x -= float(travel) * turn
        paint_stroke(from_segment((x, y), (x + float(length), y), float(width)), float(light))
    else:
        raise ValueError(f"there is no stroke {kind}")


class Sheet:
    """A stroke source: `sprites` maps a name to (frames, strokes); all are `width` x `height` LEDs.

    `scale` makes everything smaller, the strokes too.
    """

    def __init__(self, path: Path, scale: float = 1.0) -> None:
        self.scale = scale
        self.width = self.height = 0
        self.halo = 0.0
        self.sprites: dict[str, tuple[int, list[Stroke]]] = {}
        parts: dict[str, list[Stroke]] = {}
        current: list[Stroke] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            try:
                if words[0] == "size":
                    self.width, self.height = round(int(words[1]) * scale), round(int(words[2]) * scale)
                elif words[0] == "halo":
                    self.halo = float(words[1])
                elif words[0] == "part":
                    current = parts[words[1]] = []
                elif words[0] == "sprite":
                    current = []
                    self.sprites[words[1]] = (int(words[2]), current)
                elif words[0] == "use":
                    current.extend(parts[words[1]])
                else:
                    current.append((f"{path.name}:{number}: {line.strip()}", words))
            except (IndexError, KeyError, ValueError) as error:
                raise SourceError(f"{path.name}:{number}: {line.strip()}: {error!r}") from error

    def draw(self, name: str, halo: float = 0.0) -> Iterator[Picture]:
        """The pictures of one sprite's loop, every stroke `halo` wider on all sides."""
        frames, strokes = self.sprites[name]
        for frame in range(frames):
            picture = [[0.0] * self.width for _ in range(self.height)]
            for place, words in strokes:
                try:
                    draw_stroke(picture, words, frame / frames, halo, self.scale)
                except (IndexError, ValueError) as error:
                    raise SourceError(f"{place}: {error!r}") from error
            yield picture

    def shade(self, name: str) -> Iterator[list[list[int]]]:
        """The same as shades 0..3. With a halo 0 is transparent, 1 black, 2 and 3 half and full light."""
        if not self.halo:
            for picture in self.draw(name):
                yield [[round(light * 3) for light in row] for row in picture]
            return
        for picture, around in zip(self.draw(name), self.draw(name, self.halo), strict=True):
            yield [
                [2 + (light > 0.75) if light > 0.25 else int(rim > 0.5) for light, rim in zip(*rows, strict=True)]
                for rows in zip(picture, around, strict=True)
            ]


def pack_pictures(pictures: Iterable[list[list[int]]]) -> bytes:
    """Shades as framebuf.GS2_HMSB, one picture after the other: 4 pixels a byte, the leftmost in the lowest bits."""
    packed = bytearray()
    for picture in pictures:
        for row in picture:
            shades = row + [0] * (-len(row) % 4)
            for x in range(0, len(shades), 4):
                packed.append(sum(shade << 2 * place for place, shade in enumerate(shades[x : x + 4])))
    return bytes(packed)


def write_constant(name: str, data: bytes, kind: str = "") -> Iterator[str]:
    """Lines of source that bind `name` to `data`, as bytes or as another `kind`."""
    text = binascii.b2a_base64(data, newline=False).decode()
    before, after = (f"{name} = {kind}(a2b_base64(", "))") if kind else (f"{name} = a2b_base64(", ")")
    line = f'{before}b"{text}"{after}'
    if len(line) <= 120:
        yield line
        return
    lines = [f'b"{text[start : start + 100]}"' for start in range(0, len(text), 100)]
    if not kind:
        yield from [before, *(f"    {line}" for line in lines), after]
        return
    yield from [f"{name} = {kind}(", "    a2b_base64(", *(f"        {line}" for line in lines), "    )", ")"]


def make_strokes(source: str, scale: float = 1.0) -> str:
    """Source of the module of a stroke source: a constant for each sprite."""
    sheet = Sheet(SOURCES / source, scale)
    zero = "0 is transparent, 1 black" if sheet.halo else "0 is transparent"
    lines = [
        *HEADER,
        f'"""Generated by tools/make_sprites.py from tools/sprites/{source}: do not edit.',
        "",
        f"Pictures in framebuf.GS2_HMSB, those of a loop one after the other; shade {zero}.",
        "As bytearrays, because framebuf refuses what cannot be written.",
        '"""',
        "",
        "from binascii import a2b_base64",
        "",
        f"WIDTH = {sheet.width}",
        f"HEIGHT = {sheet.height}",
        f"FRAME_BYTES = {(sheet.width + 3) // 4 * sheet.height}",
    ]
    for name in sheet.sprites:
        lines += ["", *write_constant(name.upper(), pack_pictures(sheet.shade(name)), "bytearray")]
    return "\n".join(lines) + "\n"


def make_letters(source: str) -> str:
    """Source of the module of the drawn alphabet."""
    blocks = (SOURCES / source).read_text(encoding="utf-8").split("\n\n")
    characters, widths, rows = "", bytearray(), bytearray()
    for block in blocks:
        lines = block.strip("\n").splitlines()
        if not lines or lines[0].startswith("# "):
            continue
        name, picture = lines[0], lines[1:]
        if len(picture) != LETTER_ROWS or len({len(row) for row in picture}) != 1 or len(picture[0]) > 8:
            raise SourceError(f"{source}: {name}: draw {LETTER_ROWS} rows of equal length, at most 8")
        characters += {"missing": "\0", "space": " "}.get(name, name)
        widths.append(len(picture[0]))
        rows += bytes(sum(128 >> x for x, dot in enumerate(row) if dot == "#") for row in picture)
    return "\n".join(
        [
            *HEADER,
            f'"""Generated by tools/make_sprites.py from tools/sprites/{source}: do not edit.',
            "",
            "CHARACTERS[i] is WIDTHS[i] wide; ROWS holds HEIGHT bytes for each, the leftmost pixel in the highest bit.",
            "The first character stands for all that are missing.",
            '"""',
            "",
            "from binascii import a2b_base64",
            "",
            f"HEIGHT = {LETTER_ROWS}",
            f"CHARACTERS = {json.dumps(characters, ensure_ascii=False).replace(chr(92) + 'u0000', chr(92) + '0')}",
            "",
            *write_constant("WIDTHS", bytes(widths)),
            "",
            *write_constant("ROWS", bytes(rows)),
            "",
        ]
    )


MODULES = {
    "sprites_bicycle.py": lambda: make_strokes("bicycle.txt"),
    "sprites_digits.py": lambda: make_strokes("digits.txt"),
    "sprites_digits_small.py": lambda: make_strokes("digits.txt", 0.72),
    "sprites_symbols.py": lambda: make_strokes("symbols.txt"),
    "sprites_letters.py": lambda: make_letters("letters.txt"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say which modules differ from their source")
    check = parser.parse_args().check
    stale = 0
    for name, make in MODULES.items():
        try:
            text = make()
        except SourceError as error:
            print(error, file=sys.stderr)
            return 2
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
