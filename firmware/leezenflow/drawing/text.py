# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small letters for technicians: eight or so to a line. Drawn pixel by pixel, so not in every frame."""

from leezenflow import sprites_letters as sheet

HEIGHT = sheet.HEIGHT
LINE_PITCH = HEIGHT + 2
_SPACE = 1


def find_letter(character):
    """Where the alphabet has a character (small letters as capitals); 0 stands for what is missing."""
    place = sheet.CHARACTERS.find(character)
    if place < 0:
        # MicroPython's upper() knows ASCII only.
        place = sheet.CHARACTERS.find({"ä": "Ä", "ö": "Ö", "ü": "Ü"}.get(character, character.upper()))
    return place if place > 0 else 0


def measure(text):
    """Width of a text in pixels."""
    return sum(sheet.WIDTHS[find_letter(character)] + _SPACE for character in text) - _SPACE


def draw_line(fb, x, y, text, colour):
    """Draw a text with its top left corner at (x, y); what does not fit is cut off."""
    for character in text:
        place = find_letter(character)
        for row in range(HEIGHT):
            bits = sheet.ROWS[place * HEIGHT + row]
            column = x
            while bits:
                if bits & 128:
                    fb.pixel(column, y + row, colour)
                bits = bits << 1 & 255
                column += 1
        x += sheet.WIDTHS[place] + _SPACE


def wrap(text, width):
    """Break a text into lines that fit into `width` pixels: at spaces, after . : - _ /, or where it must be."""
    lines = []
    line = ""
    for piece in _split(text):
        if line and measure(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        while measure(piece.rstrip()) > width:
            count = len(piece) - 1
            while measure(piece[:count]) > width:
                count -= 1
            lines.append(piece[:count])
            piece = piece[count:]
        line += piece
    if line.strip():
        lines.append(line.rstrip())
    return lines


def _split(text):
    """Pieces that end where a line may break."""
    pieces = []
    start = 0
    for index, character in enumerate(text):
        if character in " .:-_/":
            pieces.append(text[start : index + 1])
            start = index + 1
    pieces.append(text[start:])
    return pieces
