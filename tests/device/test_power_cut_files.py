# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cut at every program and every erase while a unit keeps something: the file is the old one or the new one.

After each cut the loader must find the release with its configuration as well.
"""

from collections.abc import Iterator

import pytest
from cut_power import Rig, unit_files

# What each writes, and what may be read afterwards, as expressions in the rig.
WRITERS = {
    "the calibration": (
        "write_memory()",
        "/state/memory.bin",
        "class Keeper(memory.Memory):\n"
        " def __init__(self): pass\n"
        "keeper = Keeper()\n"
        "keeper._head, keeper.fault, keeper.saves = b'1:2:3\\n', '', 0\n"
        "learned = [bytes(3700)]\n"
        "class Learner:\n"
        " def memory(self): return learned[0]\n"
        "keeper._engine = Learner()\n"
        "def write_memory():\n"
        " learned[0] = bytes([learned[0][0] + 1]) * 3700\n"
        " if not keeper._save(): raise OSError(28)\n",
    ),
    "the crash ring": (
        "loader.note_crash(ValueError('x' * 600), 1000)",
        "/state/crash.txt",
        "",
    ),
    "the counter of commands": (
        "flash_file.replace_json('/state/commands.json', {'n': len(read('/state/commands.json') or '')})",
        "/state/commands.json",
        "",
    ),
    "the place, over the air or by a set-up page": (
        "flash_file.replace_file('/site.json', b'{\"place\":1,\"more\":\"' + b'x' * len(read('/site.json')) + b'\"}')",
        "/site.json",
        "",
    ),
    "the passwords": (
        "flash_file.replace_json('/secrets.json', {'wifi': 'x' * 700, 'was': len(read('/secrets.json') or '')})",
        "/secrets.json",
        "",
    ),
    "why the unit restarts": ("loader._replace_file('/state/restart', 'failure 7')", "/state/restart", ""),
    "which slot runs": ("boot_state.confirm('a')", "/boot.json", ""),
}

CHECK = """
def check_file(path, contents):
    if start_unit() != ("a", False, (1, 1)):
        raise ValueError("another unit")
    content = read(path)
    if content not in contents:
        raise ValueError("%s holds %s" % (path, content and content[:40]))
    return contents.index(content)
"""


@pytest.fixture
def rig(micropython: str) -> Iterator[Rig]:
    """A unit that runs release 1, with nothing in /state yet."""
    with Rig(micropython) as rig:
        rig.make_flash(unit_files(1))
        rig.run(CHECK)
        yield rig


@pytest.mark.parametrize("what", WRITERS)
def test_power_cut_while_a_file_is_kept(rig: Rig, what: str) -> None:
    procedure, path, preparation = WRITERS[what]
    rig.run(preparation)
    # The first time the folder is made as well, the second time something is replaced.
    for _ in range(2):
        rig.run(
            f"mount(flash)\ncontents = [read({path!r})]\nbefore, journal = note(flash, lambda: {procedure})\n"
            f"contents.append(read({path!r}))"
        )
        figures = rig.evaluate(f"sweep(before, journal, lambda: check_file({path!r}, contents))")
        print(f"{what}: {figures['cut_points']} cut points, {figures['broken']} broken {figures['seen']}")
        assert figures["broken"] == 0, figures["faults"]
        assert figures["cut_points"] >= 2
        assert "0" in figures["seen"]
        assert rig.evaluate("contents[0] == contents[1]") or "1" in figures["seen"]


def test_power_cut_breaks_a_file_that_is_written_over(rig: Rig) -> None:
    rig.run("flash_file.replace_file('/state/x', b'1' * 3000)")
    rig.run("contents = [b'1' * 3000, b'2' * 3000]")
    # LittleFS itself keeps the old content until a file is closed; whoever opens it for both, and closes in between,
    # has it half done.
    rig.run(
        "def naive():\n"
        " for piece in range(3):\n"
        "  with open('/state/x', 'r+b') as file:\n"
        "   file.seek(piece * 1000)\n"
        "   file.write(b'2' * 1000)\n"
    )
    figures = rig.sweep("naive()", "check_file('/state/x', contents)")
    assert figures["broken"] > 0, "the suite does not bite"
