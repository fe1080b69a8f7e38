# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/how-to/flash.md names every option, and no other; what it calls a message is one."""

import re
from pathlib import Path

from leezenflow_host.commands.flash import command

# Where the messages are made.
SOURCES = ("flashing", "boards", "commissioning")


def page(root: Path) -> str:
    return (root / "docs/how-to/flash.md").read_text(encoding="utf-8")


def test_every_option_is_described(project_root):
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    table = page(project_root).partition("## All options")[2].partition("Exit codes")[0]
    named = set(re.findall(r"--[a-z][a-z-]+", table))
    assert named == options


def test_what_the_page_calls_a_message_is_one(project_root):
    sources = "".join(
        file.read_text(encoding="utf-8")
        for folder in SOURCES
        for file in sorted((project_root / "host/leezenflow_host" / folder).rglob("*.py"))
    )
    # Texts that go over several lines of source, and what is put in at run time.
    sources = re.sub(r'"\s*\n\s*f?"', "", sources)
    rows = re.findall(r"^\| (.+?) \| .+\|$", page(project_root).partition("## What each message")[2], re.MULTILINE)
    for row in rows:
        if row in ("message", "---"):
            continue
        for part in re.split(r"…|'| / |:|\(", row):
            words = part.strip(" ,);?")
            if len(words) > 3:
                assert words in sources, f"{row!r}: nothing says {words!r}"
    assert len(rows) > 40
