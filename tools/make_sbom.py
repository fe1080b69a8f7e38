# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the bill of materials (CycloneDX 1.6, JSON): the firmware's files, the interpreters, the host's packages.

    python tools/make_sbom.py [FILE]            (default: build/leezenflow.cdx.json)

Packages are those of this environment, with the versions that are installed. The same tree and environment give the
same bytes: there is no time of day in it.
"""

# The library's decorators hide the signatures of its classes.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false

import hashlib
import importlib.metadata
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

import leezenflow
from leezenflow_host.board_config import board_names, read_board
from leezenflow_host.drivers import package_folder

ROOT = Path(__file__).resolve().parents[1]
OURS = "GPL-3.0-or-later"
# What goes onto a board, as source or compiled from it.
FIRMWARE = ("leezenflow", "leezenflow_device", "leezenflow_adapters")


def main() -> None:
    """Write the bill."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/leezenflow.cdx.json"
    text = write_bill()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"Wrote {target}.")


def write_bill() -> str:
    """Return the bill as JSON."""
    bill = Bom()
    licences = LicenseFactory()
    whole = Component(
        name="leezenflow",
        version=leezenflow.__version__,
        type=ComponentType.APPLICATION,
        bom_ref="leezenflow",
        licenses=[licences.make_from_string(OURS)],
        purl=PackageURL("pypi", name="leezenflow", version=leezenflow.__version__),
    )
    bill.metadata.component = whole
    firmware = Component(
        name="leezenflow-firmware",
        version=leezenflow.__version__,
        type=ComponentType.FIRMWARE,
        bom_ref="firmware",
        licenses=[licences.make_from_string(OURS)],
        components=list(_firmware_files()),
    )
    packages = {_normal(item.metadata["Name"]): item for item in importlib.metadata.distributions()}
    wanted = _closure(packages)
    components = {name: _package(packages[name], licences) for name in wanted}
    interpreters = list(_interpreters(licences))
    for component in (firmware, *interpreters, *components.values()):
        bill.components.add(component)
    direct = [components[name] for name in _required(packages["leezenflow"]) if name in components]
    bill.dependencies.add(Dependency(whole.bom_ref, [Dependency(item.bom_ref) for item in (firmware, *direct)]))
    bill.dependencies.add(Dependency(firmware.bom_ref, [Dependency(item.bom_ref) for item in interpreters]))
    for name, component in components.items():
        inner = [components[needed] for needed in _required(packages[name]) if needed in components]
        bill.dependencies.add(Dependency(component.bom_ref, [Dependency(item.bom_ref) for item in inner]))
    # Named by its content: nothing in it may depend on when it was made.
    bill.metadata.timestamp = None
    bill.serial_number = uuid.UUID(int=0)
    digest = hashlib.sha256(JsonV1Dot6(bill).output_as_string().encode()).digest()
    bill.serial_number = uuid.UUID(bytes=digest[:16], version=4)
    return JsonV1Dot6(bill).output_as_string(indent=1) + "\n"


def _firmware_files() -> Iterator[Component]:
    for package in FIRMWARE:
        folder = package_folder(package)
        for file in sorted(folder.rglob("*.py")):
            path = file.relative_to(folder.parent).as_posix()
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            yield Component(
                name=path,
                type=ComponentType.FILE,
                bom_ref=path,
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            )


def _interpreters(licences: LicenseFactory) -> Iterator[Component]:
    """MicroPython, as each board's file names it; the images themselves are not ours to hand out."""
    for name in board_names():
        board = read_board(name)
        pinned = board.interpreter
        if pinned is None:
            continue
        yield Component(
            name="micropython",
            version=" ".join(pinned.versions) or None,
            type=ComponentType.FIRMWARE,
            bom_ref=f"micropython for {name}",
            licenses=[licences.make_from_string("MIT")],
            purl=PackageURL("github", "micropython", "micropython"),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pinned.sha256],
            properties=[
                Property(name="leezenflow:board", value=name),
                Property(name="leezenflow:file", value=pinned.file),
            ],
        )


def _package(item: importlib.metadata.Distribution, licences: LicenseFactory) -> Component:
    name, said = item.metadata["Name"], item.metadata
    licence = said.get("License-Expression") or said.get("License") or ""
    return Component(
        name=name,
        version=item.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"pypi:{_normal(name)}",
        # Some packages put the whole text of their licence there.
        licenses=[licences.make_from_string(licence)] if licence and len(licence) < 100 else [],
        purl=PackageURL("pypi", name=_normal(name), version=item.version),
        description=said.get("Summary") or name,
    )


def _closure(packages: dict[str, importlib.metadata.Distribution]) -> list[str]:
    """The packages that an installation of Leezenflow without extras brings, as far as they are installed."""
    found: set[str] = set()
    waiting = list(_required(packages["leezenflow"]))
    while waiting:
        name = waiting.pop()
        if name not in found and name in packages:
            found.add(name)
            waiting.extend(_required(packages[name]))
    return sorted(found)


def _required(item: importlib.metadata.Distribution) -> list[str]:
    requirements = map(Requirement, item.requires or [])
    return sorted(
        {_normal(one.name) for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})}
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
