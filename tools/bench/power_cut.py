# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut the power at every flash operation of an update of the whole firmware, and of two naive ways to do it.

    python tools/bench/power_cut.py [STEP]

Real LittleFS, session and loader on MicroPython, as in tests/device/test_power_cut_*.py, but with the release that
`leezenflow update build` makes. After each cut every file of the slot that the loader chooses is hashed. With STEP only
each STEP-th operation is cut.
"""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/device"))

from cut_power import Rig, begin_command, configuration, describe  # noqa: E402

from leezenflow_host.board_config import read_board  # noqa: E402
from leezenflow_host.boards.interpreter import find_micropython  # noqa: E402
from leezenflow_host.release import Release, build_release  # noqa: E402
from leezenflow_host.site_config import example_site  # noqa: E402

# The file system of a Pico W.
BLOCKS = 212
CHECK = """
def check_whole(numbers):
    slot, on_trial = loader.choose_slot()
    if slot is None:
        raise ValueError("no release")
    number = check_slot(slot)
    if number not in numbers:
        raise ValueError("release %d" % number)
    if read("/site.json") is None or read("/board.json") is None:
        raise ValueError("no configuration")
    return "%d%s" % (number, " on trial" if on_trial else "")
"""


def numbered(release: Release, number: int) -> Release:
    """The release with another number and, as any other version would have, another content of each file."""
    files = {path: content + b"#%d" % number for path, content in release.files.items()}
    return replace(release, manifest_text=text_of(release, files, number), files=files)


def text_of(release: Release, files: dict[str, bytes], number: int) -> str:
    """The manifest of these files."""
    listed = [[path, len(files[path]), hashlib.sha256(files[path]).hexdigest()] for path in sorted(files)]
    manifest = {**release.manifest, "release": number, "files": listed}
    return json.dumps(manifest, separators=(",", ":"))


def main() -> None:
    """Print the figures of each procedure."""
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    board = read_board("virtual")
    built = build_release(board, [example_site()])
    old, new = numbered(built, 1), numbered(built, 2)
    tree = {f"/a/{path}": content for path, content in old.files.items()}
    tree |= {"/a/manifest.json": old.manifest_text.encode(), **configuration(1)}
    tree["/board.json"] = json.dumps(board.values).encode()
    tree["/boot.json"] = b'{"active":"a","try":null,"left":0,"floor":1,"bad":[],"keys":0}'
    update = {"version": 2, "begin": begin_command(new.manifest_text), "files": new.files}
    print(f"{len(new.files)} files, {new.size / 1024:.0f} kB; one in {step} operations is cut, clean and half done")
    for name, procedure in (
        ("update, trial, confirmation", "update_and_confirm(flash, new)"),
        ("update, failed trial, back", "update_and_fail(flash, new)"),
        ("naive, in place", "naive_in_place(new)"),
        ("naive, switched before it is written", "flip_before_writing(new)"),
    ):
        with Rig(interpreter(), heap_kb=64_000) as rig:
            rig.make_flash(tree, BLOCKS)
            rig.define("new", update)
            rig.run(CHECK)
            if "flip" in procedure:
                rig.run("update_and_confirm(flash, new)")
            figures = rig.sweep(procedure, "check_whole((1, 2))", step, quiet=True)
        print(f"{name}: {describe(figures)}, {figures['broken'] / figures['states']:.0%} broken", flush=True)


def interpreter() -> str:
    """The program itself, not the one through which virtual boards are interrupted."""
    command = find_micropython()
    return command[0] if len(command) == 1 else str(Path(sys.executable).with_name("micropython"))


if __name__ == "__main__":
    main()
