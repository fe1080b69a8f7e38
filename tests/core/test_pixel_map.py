# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PixelMap: every combination of options is a bijection, and the ones that are built are right pixel by pixel."""

from leezenflow.bitplanes import pair_order
from leezenflow.errors import LeezenflowError
from leezenflow.pixel_map import OPTIONS, PixelMap, fold_order

PANEL = {"rotation": 90, "mirror": True, "panel_widths": [64, 32]}


def is_bijection(table):
    seen = bytearray(len(table))
    for place in table:
        seen[place] += 1
    return seen == b"\x01" * len(table)


def places(width, height, **options):
    """The table as text rows."""
    table = PixelMap(width, height, options).table
    return [list(table[row * width : (row + 1) * width]) for row in range(height)]


def refuses(width, height, **options):
    try:
        PixelMap(width, height, options)
    except LeezenflowError as error:
        return str(error)
    raise AssertionError("accepted")


def test_without_options_it_is_one_upright_panel():
    pixel_map = PixelMap(3, 2)
    assert list(pixel_map.table) == [0, 1, 2, 3, 4, 5]
    assert (pixel_map.columns, pixel_map.rows) == (3, 2)
    assert pixel_map.place(2, 1) == 5


def test_rotation_is_clockwise_seen_from_the_front():
    # The panel's own rows are 0 1 2 and 3 4 5.
    assert places(3, 2, rotation=180) == [[5, 4, 3], [2, 1, 0]]
    assert places(2, 3, rotation=90) == [[3, 0], [4, 1], [5, 2]]
    assert places(2, 3, rotation=270) == [[2, 5], [1, 4], [0, 3]]


def test_mirror_swaps_the_visible_left_and_right():
    assert places(3, 2, mirror=True) == [[2, 1, 0], [5, 4, 3]]
    assert places(2, 3, rotation=90, mirror=True) == [[0, 3], [1, 4], [2, 5]]


def test_the_real_panel():
    # One 64 x 32 and one 32 x 32 on a chain of 96 columns: portrait y = c, x = r.
    pixel_map = PixelMap(32, 96, PANEL)
    assert (pixel_map.columns, pixel_map.rows) == (96, 32)
    for x in range(32):
        for y in range(96):
            assert pixel_map.place(x, y) == x * 96 + y
    turned = PixelMap(32, 96, {"rotation": 270, "mirror": True, "panel_widths": [64, 32]})
    for x in range(32):
        for y in range(96):
            assert turned.place(x, y) == (31 - x) * 96 + 95 - y


def test_a_chain_that_visits_the_small_panel_first():
    pixel_map = PixelMap(32, 96, {"rotation": 90, "mirror": True, "panel_widths": [64, 32], "panel_order": [1, 0]})
    assert pixel_map.place(5, 64) == 5 * 96
    assert pixel_map.place(5, 95) == 5 * 96 + 31
    assert pixel_map.place(5, 0) == 5 * 96 + 32


def test_a_panel_upside_down():
    assert places(4, 2, panel_widths=[2, 2], panels_turned=[1]) == [[0, 1, 7, 6], [4, 5, 3, 2]]


def test_strands_along_rows_and_columns():
    assert places(3, 2, wiring="rows") == [[0, 1, 2], [3, 4, 5]]
    assert places(3, 2, wiring="rows", serpentine=True) == [[0, 1, 2], [5, 4, 3]]
    assert places(3, 2, wiring="columns") == [[0, 2, 4], [1, 3, 5]]
    assert places(3, 2, wiring="columns", serpentine=True) == [[0, 3, 4], [1, 2, 5]]


def test_led_tiles_are_complete_before_the_next_begins():
    assert places(4, 2, wiring="rows", panel_widths=[2, 2]) == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert places(4, 2, wiring="rows", panel_widths=[2, 2], panel_order=[1, 0]) == [[4, 5, 0, 1], [6, 7, 2, 3]]
    assert places(2, 4, wiring="rows", panel_heights=[2, 2], serpentine=True) == [[0, 1], [3, 2], [4, 5], [7, 6]]


def test_two_rows_of_matrix_panels_share_one_chain():
    pixel_map = PixelMap(2, 4, {"panel_heights": [2, 2]})
    assert (pixel_map.columns, pixel_map.rows) == (4, 2)
    assert places(2, 4, panel_heights=[2, 2]) == [[0, 1], [4, 5], [2, 3], [6, 7]]


def test_every_combination_is_a_bijection():
    # Sizes with few common divisors, so that a wrong stride cannot hide; panels of all shapes.
    for rotation in OPTIONS["rotation"]["choices"]:
        across, down = (7, 6) if rotation in (90, 270) else (6, 7)
        for wiring in OPTIONS["wiring"]["choices"]:
            for bits in range(16):
                options = {"rotation": rotation, "wiring": wiring, "mirror": bool(bits & 1)}
                options["serpentine"] = bool(bits & 2)
                if bits & 4:
                    options["panel_widths"] = [across - 2, 2]
                    options["panel_order"] = [1, 0]
                if bits & 8:
                    options["panels_turned"] = [0]
                    if wiring != "matrix":
                        options["panel_heights"] = [1, down - 1]
                        options["panel_order"] = [2, 0, 3, 1] if bits & 4 else [1, 0]
                pixel_map = PixelMap(6, 7, options)
                assert is_bijection(pixel_map.table), options
                visible = pixel_map.visible()
                for index in range(42):
                    assert visible[pixel_map.table[index]] == index


def test_the_full_size_is_a_bijection_too():
    assert is_bijection(PixelMap(32, 96, PANEL).table)
    assert is_bijection(PixelMap(32, 96, {"wiring": "columns", "serpentine": True}).table)


def test_what_does_not_fit_is_refused():
    assert "90" in refuses(3, 2, rotation=45)
    assert '"zigzag"' in refuses(3, 2, wiring="zigzag")
    message = refuses(32, 96, rotation=90, panel_widths=[64, 64])
    assert "128" in message and "96" in message
    assert "panel_heights" in refuses(3, 2, panel_heights=[2, 1])
    assert "panel_heights" in refuses(3, 3, panel_heights=[2, 1])
    assert "panel_widths" in refuses(3, 2, panel_widths=[4, -1])
    assert "once" in refuses(4, 2, panel_widths=[2, 2], panel_order=[0, 0])
    assert "panels 0 to 0" in refuses(4, 2, panels_turned=[1])


def folded(columns, row_pairs, width, height, **options):
    order = pair_order(PixelMap(width, height, options).visible(), columns, row_pairs)
    return list(order), list(fold_order(order, columns))


def test_the_order_of_the_real_panel_folds_to_one_row_and_a_step():
    for rotation, mirror in ((90, False), (90, True), (270, False), (270, True)):
        options = {"rotation": rotation, "mirror": mirror, "panel_widths": [64, 32]}
        order, fold = folded(96, 16, 32, 96, **options)
        assert len(fold) == 193
        step = fold.pop() - 32768
        assert abs(step) == 1
        assert order == [place + row * step for row in range(16) for place in fold]


def test_an_order_with_rows_of_several_kinds_stays():
    # Panels on top of each other, the second of which hangs upside down.
    order, fold = folded(32, 8, 16, 32, panel_heights=[16, 16], panels_turned=[1])
    assert fold == order


def test_one_row_pair_has_nothing_to_fold():
    order, fold = folded(8, 1, 8, 2)
    assert fold == order
