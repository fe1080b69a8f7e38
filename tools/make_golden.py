# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the golden frames of every look anew, and say which of them changed.

Usage: python tools/make_golden.py [--check]

tests/golden/frames.json holds the SHA-256 of each scene's last frame (tests compare it on both interpreters);
tests/golden/<look>.png shows the same frames side by side, one pixel a pixel, for reviewers. With --check nothing is
written; exit code 1 if anything differs.
"""

import argparse
import hashlib
import importlib
import json
import sys
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
for folder in ("firmware", "host", "tests/core"):
    sys.path.insert(0, str(ROOT / folder))

from leezenflow import renderings  # noqa: E402
from leezenflow_host.preview import draw_image  # noqa: E402

scenes = importlib.import_module("scenes")

GAP = 2


def list_looks() -> list[str]:
    """Names of all looks."""
    folder = Path(renderings.__path__[0])
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def draw_look(name: str) -> tuple[dict[str, str], Image.Image]:
    """Checksums of a look's scenes, and all of them in one picture."""
    module = scenes.import_look(name)
    sums = {}
    strip = None
    for number, scene in enumerate(scenes.SCENES):
        canvas = scenes.play_scene(module, scene)
        sums[scene] = hashlib.sha256(canvas.picture()).hexdigest()
        if strip is None:
            strip = Image.new("RGB", ((canvas.width + GAP) * len(scenes.SCENES) - GAP, canvas.height), (40, 40, 40))
        strip.paste(draw_image(canvas, "pixels", 1), (number * (canvas.width + GAP), 0))
    assert strip is not None
    return sums, strip


def describe_change(name: str, scene: str, strip: Image.Image) -> str:
    """How many pixels of a scene differ from the picture on disk."""
    path = GOLDEN / f"{name}.png"
    if not path.exists():
        return "new"
    with Image.open(path) as image:
        old = image.convert("RGB")
    if old.size != strip.size:
        return "another size"
    width = (strip.width + GAP) // len(scenes.SCENES) - GAP
    left = list(scenes.SCENES).index(scene) * (width + GAP)
    box = (left, 0, left + width, strip.height)
    difference = ImageChops.difference(old.crop(box), strip.crop(box)).convert("L")
    changed = sum(difference.point([0] + [1] * 255).histogram()[1:])
    return f"{changed} of {width * strip.height} pixels differ, by up to {difference.getextrema()[1]}"


def is_same_picture(path: Path, strip: Image.Image) -> bool:
    """Whether the file shows exactly this."""
    if not path.exists():
        return False
    with Image.open(path) as image:
        return image.convert("RGB").tobytes() == strip.tobytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say what differs")
    check = parser.parse_args().check
    frames = GOLDEN / "frames.json"
    known: dict[str, dict[str, str]] = json.loads(frames.read_text(encoding="utf-8")) if frames.exists() else {}
    drawn: dict[str, dict[str, str]] = {}
    changes = 0
    for name in list_looks():
        drawn[name], strip = draw_look(name)
        for scene, checksum in drawn[name].items():
            if known.get(name, {}).get(scene) != checksum:
                changes += 1
                print(f"{name} {scene}: {describe_change(name, scene, strip)}")
        path = GOLDEN / f"{name}.png"
        if not is_same_picture(path, strip):
            if known.get(name) == drawn[name]:
                changes += 1
                print(f"{path.name}: does not show the golden frames")
            if not check:
                strip.save(path, optimize=True)
    gone = [f"{name} {scene}" for name in known for scene in known[name] if scene not in drawn.get(name, {})]
    for name in gone:
        print(f"{name}: gone")
    if not check:
        for path in GOLDEN.glob("*.png"):
            if path.stem not in drawn:
                path.unlink()
        frames.write_text(json.dumps(drawn, indent=1) + "\n", encoding="utf-8")
    print(f"{changes + len(gone)} frames changed of {len(drawn) * len(scenes.SCENES)}")
    return 1 if check and (changes or gone) else 0


if __name__ == "__main__":
    sys.exit(main())
