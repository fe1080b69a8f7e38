# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames for people at a desk: in the terminal, as PNG, as GIF, as plain pixels or as the LEDs of the panel.

A palette value is perceptual, like a screen's. A panel turns it into light with gamma 2.2 in steps of its bit planes
and dims by on-time; the style "panel" shows what is left of a colour after that, so that designers judge dark shades
as riders see them. The style "pixels" shows the values themselves, each pixel a plain square.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from leezenflow_host.atomic_file import beside
from leezenflow_host.errors import InputError

Style = Literal["panel", "pixels"]
Depth = Literal["true", "256", "plain"]
RGB = tuple[int, int, int]

GAMMA = 2.2
# What one sees of a panel where no LED shines.
HOUSING: RGB = (9, 9, 10)
# In "panel", the dot's diameter and its bright core as shares of the LED pitch.
DOT = 0.84
CORE = 0.62
# Light without colour, darkest first, for a terminal without colours.
PLAIN_SHADES = " .:-=+*#%@"
GIF_COLOURS = 256


class Picture(Protocol):
    """What can be shown: a Canvas, or a Snapshot of one."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def pixels(self) -> bytes | bytearray: ...
    @property
    def palette(self) -> bytes | bytearray: ...


@dataclass(frozen=True)
class Snapshot:
    """One frame kept: `width` * `height` palette indices from the top left, and 256 RGB triples."""

    width: int
    height: int
    pixels: bytes
    palette: bytes

    @classmethod
    def of(cls, picture: Picture) -> "Snapshot":
        """A copy of the picture as it is now."""
        return cls(picture.width, picture.height, bytes(picture.pixels), bytes(picture.palette))


def picture_colours(picture: Picture) -> list[RGB]:
    """The palette as 256 triples."""
    table = picture.palette
    return [(table[place], table[place + 1], table[place + 2]) for place in range(0, 768, 3)]


def shine(colour: RGB, brightness: int = 255, planes: int = 8) -> RGB:
    """What a screen has to show for a colour that went through the panel's gamma, bit planes and dimming.

    `brightness` 0..255 is the share of on-time; `planes` the bit planes of the panel driver.
    """
    steps = (1 << planes) - 1
    lights = (round(steps * (value / 255) ** GAMMA) / steps * brightness / 255 for value in colour)
    red, green, blue = (round(255 * light ** (1 / GAMMA)) for light in lights)
    return red, green, blue


# -- terminal ---------------------------------------------------------------------------------------------------------


def terminal_frame(picture: Picture, depth: Depth = "true", shrink: int = 1) -> list[str]:
    """The picture as lines of text, two rows of pixels a line; complete in themselves, without cursor movements.

    `depth`: 24-bit colour, the 256 colours of older terminals, or characters only. `shrink` 2 averages 2 x 2 pixels,
    so that 96 rows fit into 24 lines.
    """
    rows = _shrink(picture, shrink)
    if len(rows) % 2:
        rows.append([(0, 0, 0)] * len(rows[0]))
    return [_terminal_line(rows[y], rows[y + 1], depth) for y in range(0, len(rows), 2)]


def _shrink(picture: Picture, shrink: int) -> list[list[RGB]]:
    colours = picture_colours(picture)
    width = picture.width
    rows = [[colours[index] for index in picture.pixels[y * width : (y + 1) * width]] for y in range(picture.height)]
    if shrink == 1:
        return rows
    return [
        [
            _mean([rows[y + dy][x + dx] for dy in range(shrink) for dx in range(shrink)])
            for x in range(0, width - shrink + 1, shrink)
        ]
        for y in range(0, picture.height - shrink + 1, shrink)
    ]


def _mean(colours: Sequence[RGB]) -> RGB:
    red, green, blue = (round(sum(channel) / len(colours)) for channel in zip(*colours, strict=True))
    return red, green, blue


def _terminal_line(upper: Sequence[RGB], lower: Sequence[RGB], depth: Depth) -> str:
    if depth == "plain":
        lights = (max(*above, *below) for above, below in zip(upper, lower, strict=True))
        return "".join(PLAIN_SHADES[light * (len(PLAIN_SHADES) - 1) // 255] for light in lights)
    parts: list[str] = []
    shown = None
    for above, below in zip(upper, lower, strict=True):
        if (above, below) != shown:
            shown = (above, below)
            parts.append(f"\x1b[{_sgr(38, above, depth)};{_sgr(48, below, depth)}m")
        parts.append("▀")
    return "".join(parts) + "\x1b[0m"


def _sgr(layer: int, colour: RGB, depth: Depth) -> str:
    if depth == "true":
        return f"{layer};2;{colour[0]};{colour[1]};{colour[2]}"
    # xterm's 6 x 6 x 6 cube has the levels 0, 95, 135, 175, 215, 255.
    cube = [0 if value < 48 else 1 if value < 115 else (value - 35) // 40 for value in colour]
    return f"{layer};5;{16 + 36 * cube[0] + 6 * cube[1] + cube[2]}"


# -- images -----------------------------------------------------------------------------------------------------------


def draw_image(picture: Picture, style: Style = "pixels", scale: int = 8, brightness: int = 255) -> Image.Image:
    """The picture as an RGB image of exactly width * scale x height * scale.

    In "panel", LEDs are dots with a little glow around them, dimmed by `brightness` (0..255).
    """
    if style == "pixels":
        colours = picture_colours(picture)
        data = bytes(value for index in picture.pixels for value in colours[index])
        image = Image.frombytes("RGB", (picture.width, picture.height), data)
        return image.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    light = draw_image(_shining(picture, brightness), "pixels", scale)
    dots = Image.composite(light, Image.new("RGB", light.size, HOUSING), _dot_mask(picture, scale, DOT, smooth=True))
    glow = light.filter(ImageFilter.GaussianBlur(scale * 0.9)).point([value // 4 for value in range(256)] * 3)
    return ImageChops.lighter(dots, glow)


def write_png(
    path: str | Path, picture: Picture, style: Style = "pixels", scale: int = 8, brightness: int = 255
) -> None:
    """Save one picture, whole or not at all. In style "pixels" every square holds exactly the palette's value."""
    with beside(Path(path)) as part:
        draw_image(picture, style, scale, brightness).save(part, format="PNG", optimize=True)


def write_gif(
    path: str | Path,
    frames: Iterable[tuple[Picture, int]],
    style: Style = "panel",
    scale: int = 5,
    brightness: int = 255,
) -> int:
    """Save (picture, milliseconds it stays) as an endless GIF, whole or not at all; returns how many pictures it shows.

    GIFs count time in hundredths of a second: rounding errors are carried over, equal pictures in a row become one.
    """
    pictures, lengths_ms = _join_equal(frames, style, brightness)
    if not pictures:
        raise InputError("there is no frame to put into a GIF: the recording holds no message")
    places, palette = _choose_colours(pictures, style)
    core = None if style == "pixels" else _dot_mask(pictures[0], scale, CORE)
    dot = None if style == "pixels" else _dot_mask(pictures[0], scale, DOT)
    images = [_index_image(picture, places, palette, scale, core, dot) for picture in pictures]
    with beside(Path(path)) as part:
        images[0].save(
            part,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=_hundredths(lengths_ms),
            loop=0,
            disposal=1,
            optimize=False,
        )
    return len(images)


def _shining(picture: Picture, brightness: int) -> Snapshot:
    palette = bytes(value for colour in picture_colours(picture) for value in shine(colour, brightness))
    return Snapshot(picture.width, picture.height, bytes(picture.pixels), palette)


def _dot_mask(picture: Picture, scale: int, diameter: float, smooth: bool = False) -> Image.Image:
    """A mask with a dot in every cell; `smooth` ones have grey rims."""
    fine = 8
    dot = Image.new("L", (scale * fine, scale * fine), 0)
    rim = (1 - diameter) / 2 * scale * fine
    ImageDraw.Draw(dot).ellipse((rim, rim, scale * fine - 1 - rim, scale * fine - 1 - rim), fill=255)
    dot = dot.resize((scale, scale), Image.Resampling.BOX)
    if not smooth:
        dot = dot.point([255 if value > 127 else 0 for value in range(256)])
    mask = Image.new("L", (picture.width * scale, picture.height * scale))
    for y in range(picture.height):
        for x in range(picture.width):
            mask.paste(dot, (x * scale, y * scale))
    return mask


def _join_equal(
    frames: Iterable[tuple[Picture, int]], style: Style, brightness: int
) -> tuple[list[Snapshot], list[int]]:
    pictures: list[Snapshot] = []
    lengths_ms: list[int] = []
    last: Snapshot | None = None
    for picture, length_ms in frames:
        snapshot = Snapshot.of(picture)
        if last == snapshot:
            lengths_ms[-1] += length_ms
            continue
        last = snapshot
        pictures.append(_shining(snapshot, brightness) if style == "panel" else snapshot)
        lengths_ms.append(length_ms)
    return pictures, lengths_ms


def _hundredths(lengths_ms: Iterable[int]) -> list[int]:
    """Lengths in ms that are multiples of 10, at least 20 (browsers slow faster GIFs down), and in sum right."""
    rounded: list[int] = []
    owed_ms = 0
    for length_ms in lengths_ms:
        owed_ms += length_ms
        length = max(20, owed_ms // 10 * 10)
        owed_ms -= length
        rounded.append(length)
    return rounded


def _choose_colours(pictures: Sequence[Snapshot], style: Style) -> tuple[dict[RGB, int], bytes]:
    """One palette for the whole GIF: place of each colour, and 768 bytes.

    In "panel" each colour needs a second place for the dimmer rim of its dot. Where colours are too many, the lowest
    bits of all are dropped until they fit.
    """
    used = {picture_colours(picture)[index] for picture in pictures for index in set(picture.pixels)}
    each = 1 if style == "pixels" else 2
    mask = 0xFF
    kept = sorted(used)
    while 1 + each * len(kept) > GIF_COLOURS:
        mask = mask << 1 & 0xFF
        kept = sorted({(colour[0] & mask, colour[1] & mask, colour[2] & mask) for colour in used})
    palette = bytearray(HOUSING)
    for colour in kept:
        palette += bytes(colour)
        if style == "panel":
            palette += bytes(max(value * 5 // 9, dark) for value, dark in zip(colour, HOUSING, strict=True))
    places = {colour: 1 + each * number for number, colour in enumerate(kept)}
    by_colour = {colour: places[colour[0] & mask, colour[1] & mask, colour[2] & mask] for colour in used}
    return by_colour, bytes(palette).ljust(768, b"\0")


def _index_image(
    picture: Snapshot,
    places: dict[RGB, int],
    palette: bytes,
    scale: int,
    core: Image.Image | None,
    dot: Image.Image | None,
) -> Image.Image:
    size = (picture.width, picture.height)
    table = bytes(places.get(colour, 0) for colour in picture_colours(picture))
    image = Image.frombytes("P", size, picture.pixels.translate(table))
    image = image.resize((size[0] * scale, size[1] * scale), Image.Resampling.NEAREST)
    if core is not None and dot is not None:
        rims = Image.frombytes("P", image.size, image.tobytes().translate(bytes(min(i + 1, 255) for i in range(256))))
        board = Image.new("P", image.size, 0)
        board.paste(rims, None, dot)
        board.paste(image, None, core)
        image = board
    image.putpalette(palette)
    return image
