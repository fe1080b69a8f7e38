# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A twin of MicroPython's framebuf for CPython: the methods and formats we use, equal to the byte. Not for boards.

What C leaves undefined (reading a palette beyond its end) is an IndexError here, so that a laptop finds it first.
"""

MONO_HLSB = 3
GS2_HMSB = 5
GS8 = 6

# format: pixels a byte; rows are padded to whole bytes.
_PIXELS_A_BYTE = {MONO_HLSB: 8, GS2_HMSB: 4, GS8: 1}
# What each byte of a packed row holds, the leftmost pixel first.
_UNPACKED = {
    MONO_HLSB: [bytes(byte >> (7 - x) & 1 for x in range(8)) for byte in range(256)],
    GS2_HMSB: [bytes(byte >> 2 * x & 3 for x in range(4)) for byte in range(256)],
}


class FrameBuffer:
    """Drawing into a GS8 buffer; MONO_HLSB and GS2_HMSB can be the source of a blit.

    Coordinates may lie outside: what does not fit is cut off. Colours are taken modulo 256.
    """

    def __init__(self, buffer, width, height, format, stride=None):
        pixels_a_byte = _PIXELS_A_BYTE[format]
        stride = stride or width
        stride = (stride + pixels_a_byte - 1) // pixels_a_byte * pixels_a_byte
        if width < 1 or height < 1 or stride < width:
            raise ValueError
        view = memoryview(buffer)
        if (height - 1) * stride + width > len(view) * pixels_a_byte:
            raise ValueError
        self._view = view
        self._width = width
        self._height = height
        self._stride = stride
        self._format = format

    def _row(self, y):
        """All pixel values of row y as bytes."""
        each = _PIXELS_A_BYTE[self._format]
        start = y * self._stride // each
        row = bytes(self._view[start : start + (self._width + each - 1) // each])
        if each > 1:
            row = b"".join(map(_UNPACKED[self._format].__getitem__, row))
        return row[: self._width]

    def _require_gs8(self):
        if self._format != GS8:
            raise NotImplementedError("this twin draws into GS8 only")

    def fill(self, colour):
        self.fill_rect(0, 0, self._width, self._height, colour)

    def fill_rect(self, x, y, width, height, colour):
        self._require_gs8()
        x1 = min(self._width, x + width)
        y1 = min(self._height, y + height)
        x0 = max(x, 0)
        y0 = max(y, 0)
        if width < 1 or height < 1 or x0 >= x1 or y0 >= y1:
            return
        row = bytes((colour & 0xFF,)) * (x1 - x0)
        for start in range(y0 * self._stride + x0, y1 * self._stride + x0, self._stride):
            self._view[start : start + len(row)] = row

    def hline(self, x, y, width, colour):
        self.fill_rect(x, y, width, 1, colour)

    def vline(self, x, y, height, colour):
        self.fill_rect(x, y, 1, height, colour)

    def pixel(self, x, y, colour=None):
        """Read (without `colour`) or set one pixel; outside: None."""
        self._require_gs8()
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None
        if colour is None:
            return self._view[y * self._stride + x]
        self._view[y * self._stride + x] = colour & 0xFF
        return None

    def blit(self, source, x, y, key=-1, palette=None):
        """Copy `source` to (x, y), each value looked up in row 0 of `palette` if given; `key` stays transparent."""
        self._require_gs8()
        x0 = max(x, 0)
        y0 = max(y, 0)
        x1 = min(self._width, x + source._width)
        y1 = min(self._height, y + source._height)
        if x0 >= x1 or y0 >= y1:
            return
        view = self._view
        table = None if palette is None else palette._row(0)
        clear = bytes((key,)) if 0 <= key <= 255 else None
        for target_y in range(y0, y1):
            row = source._row(target_y - y)[x0 - x : x1 - x]
            if table is not None:
                row = bytes(map(table.__getitem__, row))
            start = target_y * self._stride + x0
            if clear is None:
                view[start : start + len(row)] = row
                continue
            for run in row.split(clear):
                view[start : start + len(run)] = run
                start += len(run) + 1
