# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a visible pixel lives in the chain of panels or on the strand of LEDs: a table made once at start.

Three pictures, one after the other:

* the visible one, `width` x `height`, (0, 0) at the top left as a rider sees it;
* the assembled one: the panels side by side in the position in which their own text is upright, panel 0 at the top
  left, numbered row by row. The whole assembly hangs turned clockwise by `rotation`, and `mirror` swaps the visible
  left and right (a chain that enters from the other side);
* the electrical order: `wiring = "matrix"` (HUB75: a row of pixels runs through all panels in the order of the cable;
  place = row * columns of the chain + column) or `"rows"` / `"columns"` (LED strands: each panel is complete before
  the next begins; inside, LEDs run along rows or columns, back and forth if `serpentine`).
"""

from array import array

from leezenflow.errors import LeezenflowError

OPTIONS = {
    "rotation": {
        "type": "int",
        "range": [0, 270],
        "choices": [0, 90, 180, 270],
        "default": 0,
        "help": "degrees by which the assembled panels hang turned clockwise, seen from the front",
    },
    "mirror": {"type": "bool", "default": False, "help": "swap left and right of the visible picture"},
    "panel_widths": {
        "type": "list",
        "items": "int",
        "range": [1, 512],
        "default": [],
        "help": "width of each column of panels before rotation; empty: one panel as wide as the picture",
    },
    "panel_heights": {
        "type": "list",
        "items": "int",
        "range": [1, 512],
        "default": [],
        "help": "height of each row of panels before rotation; empty: one panel as high as the picture",
    },
    "panel_order": {
        "type": "list",
        "items": "int",
        "range": [0, 63],
        "default": [],
        "help": "panel numbers in the order of the cable; empty: 0, 1, 2, ...",
    },
    "panels_turned": {
        "type": "list",
        "items": "int",
        "range": [0, 63],
        "default": [],
        "help": "numbers of the panels that hang upside down among the others",
    },
    "wiring": {
        "type": "str",
        "choices": ["matrix", "rows", "columns"],
        "default": "matrix",
        "help": "matrix: HUB75; rows or columns: an LED strand along them",
    },
    "serpentine": {"type": "bool", "default": False, "help": "the strand runs back and forth instead of always forth"},
}


class PixelMap:
    """The table from visible pixels to places in the electrical order, and back.

    `table[y * width + x]` is the place (0 .. width * height - 1) of the visible pixel (x, y); it is a bijection.
    `columns` and `rows` are the size of the electrical matrix: with wiring "matrix", place = row * columns + column,
    column 0 being the first pixel of panel `panel_order[0]`.

    `options`: a dict such as a board's display section; keys of OPTIONS are read, others ignored. Raises
    LeezenflowError when the panels do not fill the picture.
    """

    def __init__(self, width, height, options=None):
        options = options or {}
        rotation = options.get("rotation", 0)
        if rotation not in (0, 90, 180, 270):
            raise LeezenflowError("rotation = %s: write 0, 90, 180 or 270" % rotation)
        wiring = options.get("wiring", "matrix")
        if wiring not in ("matrix", "rows", "columns"):
            raise LeezenflowError('wiring = "%s": write "matrix", "rows" or "columns"' % wiring)
        across, down = (height, width) if rotation in (90, 270) else (width, height)
        widths = options.get("panel_widths") or [across]
        heights = options.get("panel_heights") or [down]
        _require_sum("panel_widths", widths, across)
        _require_sum("panel_heights", heights, down)
        count = len(widths) * len(heights)
        order = options.get("panel_order") or list(range(count))
        if sorted(order) != list(range(count)):
            raise LeezenflowError("panel_order = %s: name each of the panels 0 to %d once" % (order, count - 1))
        turned = options.get("panels_turned") or []
        for number in turned:
            if not 0 <= number < count:
                raise LeezenflowError("panels_turned = %s: there are panels 0 to %d" % (turned, count - 1))
        if wiring == "matrix" and min(heights) != max(heights):
            raise LeezenflowError("panel_heights = %s: panels on one HUB75 chain must be equally high" % (heights,))
        self.width = width
        self.height = height
        self.rows = heights[0] if wiring == "matrix" else down
        self.columns = width * height // self.rows
        assembled = _number_places(widths, heights, order, turned, wiring, bool(options.get("serpentine")))
        self.table = _turn(assembled, width, height, rotation, bool(options.get("mirror")))

    def place(self, x, y):
        """Place of the visible pixel (x, y) in the electrical order."""
        return self.table[y * self.width + x]

    def visible(self):
        """The table the other way round: element `place` is y * width + x of the visible pixel there."""
        inverse = array("H", self.table)
        for index, place in enumerate(self.table):
            inverse[place] = index
        return inverse


def fold_order(order, columns):
    """Return what is left of an `order` (see bitplanes.pair_order) whose rows all differ by the same from each other.

    It is the order of the first row pair, and behind it that difference plus 32768: 6 kB less for 32 x 96 pixels in one
    chain. `order` itself, where the rows are of more than one kind.
    """
    row = 2 * columns
    if len(order) < 2 * row:
        return order
    step = order[row] - order[0]
    for place in range(row, len(order)):
        if order[place] - order[place - row] != step:
            return order
    folded = array("H", order[:row])
    folded.append(step + 32768)
    return folded


def _require_sum(name, sizes, total):
    if min(sizes) < 1 or sum(sizes) != total:
        raise LeezenflowError(
            "%s = %s: these add up to %d, but the picture (after rotation) has %d" % (name, sizes, sum(sizes), total)
        )


def _number_places(widths, heights, order, turned, wiring, serpentine):
    """Places of the assembled picture, row-major."""
    across = sum(widths)
    places = array("H", bytes(2 * across * sum(heights)))
    chain_columns = 0
    for number in order:
        chain_columns += widths[number % len(widths)]
    before = 0  # columns (matrix) or LEDs (strand) of the panels earlier in the chain
    for number in order:
        grid_x = number % len(widths)
        grid_y = number // len(widths)
        width = widths[grid_x]
        height = heights[grid_y]
        corner = sum(heights[:grid_y]) * across + sum(widths[:grid_x])
        for row in range(height):
            for column in range(width):
                if wiring == "matrix":
                    place = row * chain_columns + before + column
                elif wiring == "rows":
                    back = serpentine and row & 1
                    place = before + row * width + (width - 1 - column if back else column)
                else:
                    back = serpentine and column & 1
                    place = before + column * height + (height - 1 - row if back else row)
                if number in turned:
                    places[corner + (height - 1 - row) * across + width - 1 - column] = place
                else:
                    places[corner + row * across + column] = place
        before += width if wiring == "matrix" else width * height
    return places


def _turn(assembled, width, height, rotation, mirror):
    """The visible picture's table from the assembled picture's."""
    table = array("H", assembled)
    index = 0
    for y in range(height):
        for visible_x in range(width):
            x = width - 1 - visible_x if mirror else visible_x
            if rotation == 0:
                source = y * width + x
            elif rotation == 90:
                source = (width - 1 - x) * height + y
            elif rotation == 180:
                source = (height - 1 - y) * width + width - 1 - x
            else:
                source = x * height + height - 1 - y
            table[index] = assembled[source]
            index += 1
    return table
