# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every look in the folder: dark when told, no claim where there is none, nothing allocated, the golden frames."""

import gc
import json
import os
import sys
from binascii import hexlify
from hashlib import sha256

from leezenflow import palettes
from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow.errors import LeezenflowError
from scenes import SCENES, import_look, play_scene, say

FIRMWARE = __import__("leezenflow").__file__.rsplit("/", 1)[0]
GOLDEN = (__file__.rsplit("/", 1)[0] if "/" in __file__ else ".") + "/../golden/frames.json"
LOOKS = sorted(name[:-3] for name in os.listdir(FIRMWARE + "/renderings") if name[0] != "_" and name[-3:] == ".py")
# These do not speak of a signal at all.
SILENT = ("dark", "status", "test_pattern")
# These never claim a colour.
MODEST = SILENT + ("uncertain",)
CLAIMING = [name for name in LOOKS if name not in MODEST]

KINDS = (
    ("green", 20_000, 30_000, None),
    ("sprint", 4_000, 9_000, None),
    ("red", 35_000, 60_000, None),
    ("uncertain", None, None, "beyond_forecast"),
    ("dark", None, None, "stale"),
)


def hues(canvas):
    """How many pixels are well lit: greenish, reddish, otherwise."""
    table = []
    for index in range(256):
        red, green, blue = canvas.palette[index * 3 : index * 3 + 3]
        if max(red, green, blue) < 60:
            table.append(3)
        elif green > 2 * red and green > blue:
            table.append(0)
        elif red > 2 * green and red > 2 * blue:
            table.append(1)
        else:
            table.append(2)
    counts = [0, 0, 0, 0]
    pixels = bytes(canvas.pixels)
    for index in set(pixels):
        counts[table[index]] += pixels.count(bytes((index,)))
    return counts[:3]


def test_the_folder_was_found():
    assert len(LOOKS) >= 9
    for name in MODEST + ("green_wave", "countdown"):
        assert name in LOOKS


def test_dark_is_black():
    for name in CLAIMING + ["dark", "uncertain"]:
        canvas = play_scene(import_look(name), "green_half")
        play_scene(import_look(name), "dark", canvas=canvas)
        for index in set(canvas.pixels):
            assert bytes(canvas.palette[index * 3 : index * 3 + 3]) == b"\0\0\0", name


def test_every_colour_means_one_thing():
    for name in CLAIMING:
        for scene in SCENES:
            green, red, other = hues(play_scene(import_look(name), scene))
            kind = SCENES[scene][-1][1]
            if kind == "green" or kind == "sprint":
                assert green > 60 and red == 0, (name, scene)
            elif kind == "red":
                assert red > 60 and green == 0, (name, scene)
            else:
                assert green == 0 and red == 0, (name, scene)
            if kind == "uncertain":
                assert other > 200, name
    for scene in SCENES:
        green, red, other = hues(play_scene(import_look("uncertain"), scene))
        assert green == 0 and red == 0 and (other > 200) == (scene != "dark")


def test_silent_looks_need_no_advice():
    for name in SILENT:
        canvas = Canvas()
        look = import_look(name).Look(canvas)
        look.draw(say(Advice(), "dark", reason="no_data"), canvas, 0)
        first = canvas.checksum()
        look.draw(say(Advice(), "dark", reason="no_data"), canvas, 0)
        assert canvas.checksum() == first


def test_every_palette_works_with_every_look():
    for name in LOOKS:
        module = import_look(name)
        option = module.OPTIONS.get("palette")
        if option is None:
            continue
        assert tuple(option["choices"]) == palettes.NAMES, name
        assert option["default"] == palettes.DEFAULT
        seen = []
        for palette in palettes.NAMES:
            canvas = play_scene(module, "red_half", {"palette": palette})
            seen.append(canvas.checksum())
        assert len(set(seen)) == len(palettes.NAMES)
        try:
            module.Look(Canvas(), {"palette": "sepia"})
        except LeezenflowError as error:
            assert "sepia" in str(error)
        else:
            raise AssertionError(name)


def test_no_clock_and_no_advice_breaks_a_look():
    for name in LOOKS:
        canvas = Canvas()
        look = import_look(name).Look(canvas)
        advice = Advice()
        for now_ms in (0, 40, 1 << 28, (1 << 28) + 40, 80, -500, -460, 5_000_000, 4_999_990):
            for kind, remaining_ms, span_ms, reason in KINDS:
                look.draw(say(advice, kind, remaining_ms, span_ms, reason), canvas, now_ms)
        for remaining_ms in (0, 1, 39, 999, 1_000_000, 1 << 29, None):
            for span_ms in (0, 1, 7_000, 1 << 29, None):
                for kind in ("green", "sprint", "red"):
                    look.draw(say(advice, kind, remaining_ms, span_ms), canvas, 0)


def test_a_frame_allocates_nothing():
    if sys.implementation.name != "micropython":
        return
    for name in LOOKS:
        canvas = Canvas()
        look = import_look(name).Look(canvas)
        advice = Advice()
        for warm_up in (True, False):
            now_ms = 0
            for kind, remaining_ms, span_ms, reason in KINDS:
                look.draw(say(advice, kind, remaining_ms, span_ms, reason), canvas, now_ms)
                gc.collect()
                gc.disable()
                before = gc.mem_alloc()
                for frame in range(30):
                    advice.kind = kind
                    advice.remaining_ms = None if remaining_ms is None else remaining_ms - frame * 40
                    advice.span_ms = span_ms
                    advice.reason = reason
                    look.draw(advice, canvas, now_ms)
                    now_ms += 40
                allocated = gc.mem_alloc() - before
                gc.enable()
                assert warm_up or allocated == 0, (name, kind, allocated)


def test_the_length_of_a_claim_shrinks_and_never_vanishes():
    for name in ("green_wave", "countdown", "pedestrian_wait", "wait_ring"):
        for kind, hue in (("green", 0), ("red", 1)):
            canvas = Canvas()
            look = import_look(name).Look(canvas)
            advice = Advice()
            lit = []
            for step in range(101):
                look.draw(say(advice, kind, 30_000 - step * 300, 30_000), canvas, step * 300)
                if step % 10 == 0:
                    lit.append(hues(canvas)[hue])
            # The digits of wait_ring differ in size.
            assert name == "wait_ring" or lit == sorted(lit, reverse=True), (name, kind, lit)
            assert lit[0] > 4 * lit[-1]
            assert lit[-1] > 60


def test_golden_frames():
    # Made by tools/make_golden.py, which also draws them for people to look at.
    with open(GOLDEN) as file:
        golden = json.load(file)
    assert sorted(golden) == LOOKS
    for name in LOOKS:
        module = import_look(name)
        drawn = {}
        for scene in SCENES:
            canvas = play_scene(module, scene)
            drawn[scene] = hexlify(sha256(canvas.picture()).digest()).decode()
        assert drawn == golden[name], name
