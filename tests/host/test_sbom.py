# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials names every file of the firmware and every package, and is the same each time."""

import hashlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leezenflow_host.board_config import board_names, read_board

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `make sbom` writes, made twice."""
    texts = []
    for number in (1, 2):
        target = tmp_path_factory.mktemp("sbom") / f"{number}.json"
        subprocess.run([sys.executable, str(ROOT / "tools/make_sbom.py"), str(target)], check=True, capture_output=True)
        texts.append(target.read_text())
    assert texts[0] == texts[1]
    return json.loads(texts[0])


def find(bill: dict[str, Any], ref: str) -> dict[str, Any]:
    """The component with this reference."""
    return next(component for component in bill["components"] if component["bom-ref"] == ref)


def test_it_is_cyclonedx_about_us(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "leezenflow"


def test_every_file_of_the_firmware_is_there_with_its_hash(bill: dict[str, Any]) -> None:
    listed = {part["name"]: part["hashes"][0]["content"] for part in find(bill, "firmware")["components"]}
    on_disk = {}
    for source_root in ("firmware", "signal_adapters"):
        for file in (ROOT / source_root).rglob("*.py"):
            on_disk[file.relative_to(ROOT / source_root).as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    assert listed == on_disk


def test_every_package_we_ask_for_is_there_as_installed(bill: dict[str, Any]) -> None:
    versions = {part["name"]: part["version"] for part in bill["components"] if part["bom-ref"].startswith("pypi:")}
    for name in ("cryptography", "esptool", "paho-mqtt", "pydantic", "rich"):
        assert versions[name] == importlib.metadata.version(name)
    # What those ask for in turn.
    assert "pydantic_core" in versions or "pydantic-core" in versions
    # And not what only tests and extras need.
    assert "pytest" not in versions


def test_every_board_names_its_interpreter(bill: dict[str, Any]) -> None:
    wanted = {f"micropython for {name}" for name in board_names() if read_board(name).interpreter is not None}
    assert {part["bom-ref"] for part in bill["components"] if part["name"] == "micropython"} == wanted


def test_what_depends_on_what_is_known(bill: dict[str, Any]) -> None:
    refs = {part["bom-ref"] for part in bill["components"]} | {"leezenflow"}
    graph = {node["ref"]: set(node.get("dependsOn", ())) for node in bill["dependencies"]}
    assert {"firmware", "pypi:esptool"} <= graph["leezenflow"]
    assert set().union(*graph.values()) <= refs
