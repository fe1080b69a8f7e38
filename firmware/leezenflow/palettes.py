# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours by name, laid out as ramps from black so that looks can shade with plain index arithmetic.

A look draws indices; which colours they are is the palette's choice. Layout of the 256 indices:

    0            black
    INK_RAMP     16 shades of the drawing colour (bicycle, digits, text), the last one full
    GREEN_RAMP   48 shades, the last one full
    RED_RAMP     48 shades
    NEUTRAL_RAMP 48 shades of the colour of "uncertain"
    ACCENT_RAMP  16 shades of a second drawing colour (road, frames, hints)
"""

from leezenflow.errors import LeezenflowError

BLACK = 0
INK_RAMP = 16
GREEN_RAMP = 32
RED_RAMP = 80
NEUTRAL_RAMP = 128
ACCENT_RAMP = 176
INK_SHADES = 16
FIELD_SHADES = 48

# index of the full shade of each ramp
INK_FULL = INK_RAMP + INK_SHADES - 1
GREEN_FULL = GREEN_RAMP + FIELD_SHADES - 1
RED_FULL = RED_RAMP + FIELD_SHADES - 1
NEUTRAL_FULL = NEUTRAL_RAMP + FIELD_SHADES - 1
ACCENT_FULL = ACCENT_RAMP + INK_SHADES - 1

# name: (ink, green, red, neutral, accent), each (R, G, B) 0..255.
PALETTES = {
    # The green with much blue in it and the full red of signal lamps, as Münster's riders know them.
    "muenster": ((255, 255, 235), (0, 222, 132), (255, 20, 10), (125, 140, 180), (120, 120, 130)),
    # Against the sun: everything as bright as the panel can.
    "high_contrast": ((255, 255, 255), (0, 255, 150), (255, 40, 0), (150, 150, 190), (170, 170, 170)),
    # Green moves to cyan-blue and red to orange: far apart for every kind of colour vision.
    "colour_vision_safe": ((255, 255, 255), (0, 190, 255), (255, 84, 0), (110, 110, 110), (130, 130, 130)),
    # Little light and little blue: kind to eyes that are used to the dark.
    "night": ((150, 130, 90), (0, 130, 85), (115, 0, 0), (66, 68, 84), (64, 56, 44)),
}

NAMES = tuple(sorted(PALETTES))
DEFAULT = "muenster"

_RAMPS = (
    (INK_RAMP, INK_SHADES),
    (GREEN_RAMP, FIELD_SHADES),
    (RED_RAMP, FIELD_SHADES),
    (NEUTRAL_RAMP, FIELD_SHADES),
    (ACCENT_RAMP, INK_SHADES),
)


def fill_palette(target, name=None):
    """Write the palette called `name` (default "muenster") into `target` (bytearray of 768).

    Unused indices become black. Raises LeezenflowError for a name that does not exist.
    """
    name = name or DEFAULT
    if name not in PALETTES:
        raise LeezenflowError('there is no palette "%s": write one of %s' % (name, ", ".join(NAMES)))
    for index in range(len(target)):
        target[index] = 0
    colours = PALETTES[name]
    for number, (first, shades) in enumerate(_RAMPS):
        for shade in range(shades):
            for channel in range(3):
                full = colours[number][channel]
                target[(first + shade) * 3 + channel] = (full * shade + (shades - 1) // 2) // (shades - 1)
