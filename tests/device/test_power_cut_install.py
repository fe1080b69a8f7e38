# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cut at every program and every erase of an installation over USB: release and configuration change as one.

The deployment is the host's own; the rig stands in for the board at the port.
"""

from collections.abc import Iterator

import pytest
from cut_power import Rig, RigLink, configuration, describe, manifest, release_files, unit_files

from leezenflow_host.boards.deployment import deploy_image
from leezenflow_host.drivers import package_folder
from leezenflow_host.image import Image

LOADER = (package_folder("leezenflow_device") / "loader.py").read_bytes()


def image(version: int, place: int) -> Image:
    """What `install` would bring: a release, the loader, and the configuration of a place."""
    files = {f"/a/{path}": content for path, content in release_files(version).items()}
    text = manifest(version, release_files(version)).encode()
    return Image({"/main.py": LOADER + b"#%d\n" % version, **files, "/a/manifest.json": text, **configuration(place)})


@pytest.fixture
def rig(micropython: str) -> Iterator[Rig]:
    """A rig whose board has no files yet."""
    with Rig(micropython) as rig:
        yield rig


def sweep(rig: Rig, wanted: Image, allowed: str):
    """Deploy, and look at the unit after every cut: the figures."""
    rig.run("before = bytes(flash.data)\nflash.journal = []")
    deploy_image(RigLink(rig), wanted)
    rig.run("journal, flash.journal = flash.journal, None")
    figures = rig.evaluate(f"sweep(before, journal, lambda: check_unit({allowed}))")
    print(describe(figures))
    return figures


CHECK = """
def check_unit(allowed):
    unit = start_unit()
    if unit[2] not in allowed or unit[1]:
        raise ValueError("runs %s" % (unit,))
    # What the loader settled stays so.
    if start_unit() != unit:
        raise ValueError("another unit after the next start")
    return "%s, place %s" % unit[2]
"""


@pytest.mark.parametrize(
    ("boot", "what"),
    [(None, "as installed"), (b"{}", "with an empty boot.json"), (b'{"active":"a","try":"b","left":2}', "in a trial")],
)
def test_power_cut_in_an_installation_of_release_and_place(rig: Rig, boot: bytes | None, what: str) -> None:
    files = unit_files(1)
    if boot is not None:
        files["/boot.json"] = boot
    if what == "in a trial":
        files = {**{path: content for path, content in unit_files(3, slot="b").items() if path[:3] == "/b/"}, **files}
    rig.make_flash(files)
    rig.run(CHECK)
    # A unit in a trial starts that, until the installation takes it out of service.
    allowed = "((1, 1), (2, 2), (3, 1))" if what == "in a trial" else "((1, 1), (2, 2))"
    if what == "in a trial":
        rig.run(CHECK.replace("or unit[1]", "").replace("start_unit() != unit", "False"))
    figures = sweep(rig, image(2, 2), allowed)
    assert figures["broken"] == 0, figures["faults"]
    assert {"1, place 1", "2, place 2"} <= set(figures["seen"])
    assert rig.evaluate("(mount(flash), start_unit())[1]") == ("b", False, (2, 2))


def test_power_cut_in_a_change_of_configuration_alone(rig: Rig) -> None:
    rig.make_flash({**unit_files(1), "/main.py": LOADER + b"#1\n"})
    rig.run(CHECK)
    figures = sweep(rig, image(1, 2), "((1, 1), (1, 2))")
    assert figures["broken"] == 0, figures["faults"]
    assert set(figures["seen"]) == {"1, place 1", "1, place 2"}


def test_certificates_are_configuration_in_a_folder(rig: Rig) -> None:
    rig.make_flash(unit_files(1))
    wanted = image(2, 2)
    wanted.files["/certs/ca.der"] = b"0" * 700
    done = deploy_image(RigLink(rig), wanted)
    assert "/certs/ca.der" in done.written
    assert rig.evaluate("(read('/certs/ca.der') == b'0' * 700, os.listdir('/certs'))") == (True, ["ca.der"])
    assert deploy_image(RigLink(rig), wanted).written == []
    # What an installation had staged before it was cut is not left.
    rig.run("write_plain('/certs/ca.der.next', b'old')\nwrite_plain('/site.json.next', b'old')")
    assert set(deploy_image(RigLink(rig), wanted).removed) == {"/certs/ca.der.next", "/site.json.next"}


def test_power_cut_in_an_installation_that_goes_on_after_a_cut(rig: Rig) -> None:
    rig.make_flash(unit_files(1))
    rig.run("before = bytes(flash.data)\nflash.journal = []")
    deploy_image(RigLink(rig), image(2, 2))
    rig.run("journal, flash.journal = flash.journal, None")
    operations = rig.evaluate("len(journal)")
    for cut in range(0, operations, 7):
        rig.run(
            f"rolling = bytearray(before)\nfor entry in journal[:{cut}]: apply(rolling, *entry)\n"
            "flash = Flash(rolling)\nmount(flash)"
        )
        deploy_image(RigLink(rig), image(2, 2))
        assert rig.evaluate("(mount(flash), start_unit())[1]") == ("b", False, (2, 2)), f"after a cut at {cut}"
        assert rig.evaluate("[name for name in os.listdir('/') if name[-4:] in ('.new', 'next')]") == []


def test_power_cut_breaks_an_installation_over_the_release_that_runs(rig: Rig) -> None:
    rig.make_flash(unit_files(1))
    rig.run(CHECK)
    rig.define("wanted", image(2, 2).files)
    rig.run("before, journal = note(flash, lambda: [write_plain(path, wanted[path]) for path in wanted])")
    figures = rig.evaluate("sweep(before, journal, lambda: check_unit(((1, 1), (2, 2))))")
    print("in place:", describe(figures))
    assert figures["broken"] > figures["states"] // 2, "the suite does not bite"
