# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin draws what MicroPython's framebuf draws, to the byte, and refuses what C leaves undefined."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from framebuf_player import play
from hypothesis import given, settings
from hypothesis import strategies as st

import leezenflow
from leezenflow import framebuf_twin
from leezenflow.framebuf_twin import GS2_HMSB, GS8, MONO_HLSB, FrameBuffer

PIXELS_A_BYTE = {MONO_HLSB: 8, GS2_HMSB: 4, GS8: 1}
# The first source is a palette with an answer to every byte.
PALETTE = [GS8, 256, 1, bytes((i * 31 + 7) & 255 for i in range(256)).hex()]

places = st.integers(-12, 24)
sizes = st.integers(-3, 30)
colours = st.integers(-5, 300)


@st.composite
def sources(draw: st.DrawFn) -> list[Any]:
    form = draw(st.sampled_from(sorted(PIXELS_A_BYTE)))
    width = draw(st.integers(1, 20))
    height = draw(st.integers(1, 9))
    size = (width + PIXELS_A_BYTE[form] - 1) // PIXELS_A_BYTE[form] * height
    return [form, width, height, draw(st.binary(min_size=size, max_size=size)).hex()]


operations = st.one_of(
    st.tuples(st.just("fill"), colours),
    st.tuples(st.just("fill_rect"), places, places, sizes, sizes, colours),
    st.tuples(st.just("hline"), places, places, sizes, colours),
    st.tuples(st.just("vline"), places, places, sizes, colours),
    st.tuples(st.just("pixel"), places, places, colours),
    st.tuples(st.just("pixel"), places, places),
    st.tuples(
        st.just("blit"),
        st.integers(0, 2),
        places,
        places,
        st.one_of(st.just(-1), st.integers(0, 3), st.integers(0, 255)),
        st.sampled_from([None, 0]),
    ),
)
scripts = st.fixed_dictionaries(
    {
        "width": st.integers(1, 17),
        "height": st.integers(1, 15),
        "sources": st.tuples(st.just(PALETTE), sources(), sources()),
        "ops": st.lists(operations, max_size=30),
    }
)


@pytest.fixture(scope="module")
def board(micropython: str) -> Iterator[subprocess.Popen[str]]:
    """A MicroPython that plays scripts."""
    here = Path(__file__).parent
    child = subprocess.Popen(
        [micropython, "-X", "heapsize=4m", str(here / "framebuf_player.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"MICROPYPATH": str(Path(leezenflow.__file__).parents[1])},
    )
    assert child.stdin and child.stdout
    yield child
    child.stdin.close()
    child.stdout.close()
    assert child.wait(timeout=30) == 0


@given(scripts)
@settings(max_examples=300)
def test_twin_and_framebuf_draw_the_same(board: subprocess.Popen[str], script: dict[str, Any]) -> None:
    assert board.stdin and board.stdout
    board.stdin.write(json.dumps(script) + "\n")
    board.stdin.flush()
    answer = board.stdout.readline()
    assert answer, "MicroPython ended; its traceback is above"
    assert json.loads(answer) == play(script)


def test_the_constants_are_those_of_micropython(micropython: str) -> None:
    names = ("MONO_HLSB", "GS2_HMSB", "GS8")
    program = f"import framebuf; print(*[getattr(framebuf, n) for n in {names}])"
    printed = subprocess.run([micropython, "-c", program], capture_output=True, text=True, check=True).stdout
    assert [int(word) for word in printed.split()] == [getattr(framebuf_twin, name) for name in names]


@pytest.mark.parametrize(
    ("size", "width", "height", "form"),
    [(15, 4, 4, GS8), (3, 5, 2, GS2_HMSB), (1, 9, 1, MONO_HLSB), (9, 0, 1, GS8), (9, 1, 0, GS8)],
)
def test_a_buffer_that_is_too_small_is_refused_as_on_the_board(
    micropython: str, size: int, width: int, height: int, form: int
) -> None:
    with pytest.raises(ValueError):
        FrameBuffer(bytearray(size), width, height, form)
    program = f"import framebuf; framebuf.FrameBuffer(bytearray({size}), {width}, {height}, {form})"
    refused = subprocess.run([micropython, "-c", program], capture_output=True, text=True)
    assert "ValueError" in refused.stdout + refused.stderr


def test_what_c_leaves_undefined_is_an_error_here() -> None:
    target = FrameBuffer(bytearray(16), 4, 4, GS8)
    source = FrameBuffer(bytearray([9] * 4), 2, 2, GS8)
    short_palette = FrameBuffer(bytearray(4), 4, 1, GS8)
    with pytest.raises(IndexError):
        target.blit(source, 0, 0, -1, short_palette)


def test_other_formats_are_no_targets() -> None:
    with pytest.raises(NotImplementedError):
        FrameBuffer(bytearray(4), 4, 4, GS2_HMSB).fill(1)
