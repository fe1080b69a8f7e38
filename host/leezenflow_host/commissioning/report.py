# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commissioning report: one json file for machines, one page for the folder in the cabinet."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leezenflow_host.atomic_file import open_atomic
from leezenflow_host.commissioning.page import render_page
from leezenflow_host.commissioning.words import Language
from leezenflow_host.errors import InputError

REPORT_FORMAT = 1
_FIELDS = (
    *("unit", "board", "port", "chip", "chip_id", "when", "operator", "tool_version", "firmware_version"),
    *("micropython", "interpreter", "site", "setup_label", "self_test", "warnings", "files"),
)
# Nothing that is called like this gets into a report, wherever it comes from.
_SECRET = re.compile(r"password|passphrase|psk|secret|token|private|credential|(^|_)key(s)?($|_)", re.I)
# Of a short secret even a hash tells too much.
_SECRET_FILES = re.compile(r"secret|/certs/", re.I)
_USER = re.compile(r"(?<=://)[^/@\s]*@")


def write_report(record: Mapping[str, Any], folder: Path, language: Language = "en") -> tuple[Path, Path]:
    """Write `commissioning-<unit>.json` and `.html` into `folder` and return both paths.

    `record` is described in docs/reference/commissioning-report.md; what is missing is null, other keys are dropped,
    and so is everything that is called like a secret. Earlier reports of the same unit are replaced.
    """
    report = complete_record(record)
    folder.mkdir(parents=True, exist_ok=True)
    name = report_name(report)
    data, page = folder / f"{name}.json", folder / f"{name}.html"
    with open_atomic(data) as file:
        file.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    with open_atomic(page) as file:
        file.write(render_page(report, language))
    return data, page


def require_folder(folder: Path) -> None:
    """Make sure, before a board is touched, that its report can be written; InputError names what is in the way."""
    place = folder
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise InputError(f"{place} is a file; name a folder for the reports with --out.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise InputError(
            f"Nothing can be written to {place.resolve()}; name another folder for the reports with --out."
        )


def complete_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole report that a record makes: every field, the verdict, no secret."""
    report: dict[str, Any] = {"leezenflow_commissioning": REPORT_FORMAT}
    report.update({field: _without_secrets(record.get(field)) for field in _FIELDS if field != "files"})
    # Called like a secret, but none: it follows from the chip's number, and opens only to a finger on the button.
    setup = record.get("setup_label")
    report["setup_label"] = {key: str(setup[key]) for key in ("network", "password")} if setup else None
    files = record.get("files") or {}
    report["files"] = {path: str(files[path]) for path in sorted(files) if not _SECRET_FILES.search(path)}
    report["warnings"] = [str(warning) for warning in report["warnings"] or []]
    report["files_sha256"] = digest_of_files(report["files"])
    self_test = report["self_test"]
    report["passed"] = None if not self_test else bool(self_test.get("ok"))
    return report


def digest_of_files(files: Mapping[str, str]) -> str:
    r"""Return one SHA-256 over all files: of the lines `<sha256>  <path>\n` in the order of the paths, as sha256sum."""
    lines = "".join(f"{files[path]}  {path}\n" for path in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def report_name(report: Mapping[str, Any]) -> str:
    """Return the reports' file name without its ending: by the unit's name, else by the chip's number."""
    for name in (report.get("unit"), report.get("chip_id"), report.get("board")):
        safe = re.sub(r"[^\w.-]+", "_", str(name or "")).strip("._")
        if safe:
            return f"commissioning-{safe}"
    return "commissioning-unit"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_secrets(inner) for key, inner in value.items() if not _SECRET.search(str(key))}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(inner) for inner in value]
    if isinstance(value, bytes):
        return value.hex()
    return _USER.sub("", value) if isinstance(value, str) else value
