# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds in the files under version control what must not be published: machine paths, keys, unresolved merges.

    python tools/check_tree.py [FOLDER]

Prints one line a finding, `file:line: what`; exit code 1 when there are any. Other folders than this checkout are
searched whole.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The licence texts are verbatim.
SKIPPED_FOLDERS = {"LICENSES"}
MAX_BYTES = 1_000_000

# Written with a character class each, so that this file does not find itself.
RULES = (
    ("a path of somebody's machine", re.compile(r"(?<![\w.~-])/(?:[h]ome|[t]mp|[w]ork|[r]oot|[U]sers)/\w")),
    ("a private key", re.compile(r"-----[B]EGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")),
    ("an unresolved merge", re.compile(r"^(?:[<]{7} |[>]{7} |[=]{7}$)")),
)


def list_files(folder: Path) -> list[Path]:
    """Files under version control (and new ones that are not ignored); outside a checkout every file."""
    command = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        result = subprocess.run(command, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return sorted(path for path in folder.rglob("*") if path.is_file())
    names = sorted(set(result.stdout.split("\0")) - {""})
    return [path for path in map(folder.joinpath, names) if path.is_file()]


def find_faults(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, what is wrong) for each rule that a line breaks."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in RULES:
            if pattern.search(line):
                yield number, what


def check_folder(folder: Path) -> list[str]:
    """All findings of a folder, as lines to print."""
    findings = []
    for path in list_files(folder):
        name = path.relative_to(folder)
        if name.parts[0] in SKIPPED_FOLDERS:
            continue
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            findings.append(f"{name}: {len(content)} bytes; nothing above {MAX_BYTES} belongs into the repository")
        if b"\0" in content:
            continue
        text = content.decode("utf-8", errors="replace")
        findings.extend(f"{name}:{number}: {what}" for number, what in find_faults(text))
    return findings


def main() -> int:
    """Print the findings; returns the exit code."""
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    findings = check_folder(folder)
    print("\n".join(findings) or "check_tree: nothing found that must not be published")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
