# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a unit proves about itself, on the real MicroPython, as installed; and that each fault is found."""

import json
from pathlib import Path
from typing import Any

import pytest
from unix_device import run_script

from leezenflow_host.board_config import read_board
from leezenflow_host.drivers import adapter_runtimes, driver_names
from leezenflow_host.image import Image, build_image, installed_names
from leezenflow_host.self_test_message import stored_message
from leezenflow_host.short_names import replace_names
from leezenflow_host.site_config import example_site

# From the prompt of a unit whose app does not run.
ALONE = """
import json, sys, vfs
root = sys.argv[1]
vfs.umount("/")
vfs.mount(vfs.VfsPosix(root), "/")
sys.path[:] = ["/a", ".frozen"]
from leezenflow_device.self_test import run_alone
result = run_alone()
result["left"] = [name for name in sys.modules if name.endswith(("self_test", "test_pattern"))]
print("answer", json.dumps(result))
"""

# Beside a running engine: a look, a display that keeps what was shown, a light that has a sensor.
BESIDE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from leezenflow.advice import Advice
from leezenflow.canvas import Canvas
from leezenflow_device import app, self_test, ticks
self_test.read_json = lambda path, default=None: {"light": {"sensor": "x"}, "sensors": {"sht3x": {}, "ads1115": {}}}
class Sensing:
    faults = {"sht3x": "sht3x does not answer"} if sys.argv[2] == "dead" else {}
class Display:
    shown = []
    def show(self, canvas):
        self.shown.append(canvas.checksum())
class Light:
    faults = 0
    fault = ""
    lux = 120
    def step(self):
        if sys.argv[2] == "dead":
            self.faults += 1
            self.fault = "the light sensor does not answer"
class Feed:
    listening = False
canvas = Canvas(32, 96)
advice = Advice()
advice.claim("green", 9000, 20000, 90)
class Look:
    def draw(self, advice, canvas, now_ms):
        canvas.fb.fill(7)
canvas.palette[21:24] = b"abc"
engine = app.StillPicture(advice, canvas, Look())
unit = app.App(ticks.make_clock({"ticks_start": 0, "ticks_speed": 1}), engine, canvas, Display(), Feed())
unit.light = Light()
unit.reporters = [object(), Sensing()]
unit.render(0)
before = canvas.checksum()
result = self_test.run(unit)
pattern = Display.shown[-1]
print("answer", json.dumps({"result": result, "before": before, "pattern": pattern, "after": canvas.checksum()}))
"""


def answer(said: str) -> dict[str, Any]:
    """The last line that a script printed."""
    assert "answer " in said, said
    return json.loads(said.rpartition("answer ")[2])


@pytest.fixture(scope="module")
def image() -> Image:
    """What is installed, compiled."""
    return build_image(read_board("virtual"), example_site())


@pytest.fixture
def tree(tmp_path: Path, image: Image) -> Path:
    """A device tree as it is installed."""
    image.write_to(tmp_path / "tree")
    return tmp_path / "tree"


def installed(script: str) -> str:
    """A script in the words of what is installed."""
    return replace_names(script, installed_names(read_board("virtual"), example_site()))


def run_alone(micropython: str, tree: Path) -> dict[str, Any]:
    return answer(run_script(micropython, ALONE, str(tree)))


def test_a_sound_unit_passes_and_keeps_nothing_of_the_test_in_memory(micropython: str, tree: Path):
    result = run_alone(micropython, tree)
    assert result["ok"], result
    checks = result["checks"]
    assert {name: check["ok"] for name, check in checks.items()} == {
        "memory": True,
        "decoder": True,
        "light": None,
        "sensors": None,
        "frames": True,
        "files": True,
        "panel": True,
    }
    manifest = json.loads((tree / "a/manifest.json").read_text())
    assert checks["files"] == {"ok": True, "slot": "/a", "count": len(manifest["files"]), "bad": []}
    assert checks["decoder"]["adapter"] == "spatem_xml"
    assert (checks["panel"]["width"], checks["panel"]["height"]) == (32, 96)
    assert checks["memory"]["free"] > checks["memory"]["least"]
    assert result["left"] == []


def test_a_file_that_changed_is_named(micropython: str, tree: Path):
    spoilt = tree / "a/leezenflow/palettes.mpy"
    content = bytearray(spoilt.read_bytes())
    content[-1] ^= 1
    spoilt.write_bytes(content)
    (tree / "a/leezenflow/renderings/dark.mpy").unlink()
    result = run_alone(micropython, tree)
    assert not result["ok"]
    assert result["checks"]["files"]["bad"] == ["leezenflow/palettes.mpy", "leezenflow/renderings/dark.mpy"]
    assert result["checks"]["panel"]["ok"]


def test_a_release_without_a_manifest_does_not_pass(micropython: str, tree: Path):
    (tree / "a/manifest.json").write_text("{}")
    assert run_alone(micropython, tree)["checks"]["files"] == {"ok": False, "slot": "/a", "count": 0, "bad": []}
    (tree / "a/manifest.json").unlink()
    result = run_alone(micropython, tree)
    assert not result["ok"]
    assert "OSError" in result["checks"]["files"]["fault"]


def test_a_decoder_that_reads_something_else_does_not_pass(micropython: str, tree: Path):
    file = tree / "a/self_test.bin"
    file.write_bytes(file.read_bytes().replace(b"<minEndTime>35250<", b"<minEndTime>35251<"))
    check = run_alone(micropython, tree)["checks"]["decoder"]
    assert (check["ok"], check["adapter"]) == (False, "spatem_xml")
    file.write_bytes(file.read_bytes()[:-400])
    assert "SignalError" in run_alone(micropython, tree)["checks"]["decoder"]["fault"]


def test_a_site_without_a_stored_message_says_that_nothing_was_tested(micropython: str, tree: Path):
    (tree / "a/self_test.bin").unlink()
    assert run_alone(micropython, tree)["checks"]["decoder"] == {"ok": None, "fault": "no stored message"}


DECODER = """
sys.path.insert(0, sys.argv[1])
import json
from leezenflow_device import self_test
print("answer", json.dumps(self_test.prove(None)))
"""


@pytest.mark.parametrize("adapter", [name for name in driver_names("adapter") if "device" in adapter_runtimes(name)])
def test_every_adapter_of_boards_has_a_message_that_it_reads(micropython: str, tmp_path: Path, adapter: str):
    message = stored_message(adapter)
    assert message is not None and len(message) < 4096
    (tmp_path / "self_test.bin").write_bytes(message)
    check = answer(run_script(micropython, DECODER, str(tmp_path), heap_kb=1024))["checks"]["decoder"]
    assert check == {**check, "ok": True, "adapter": adapter, "bytes": len(message) - message.index(b"\n") - 1}


def test_the_message_of_the_site_s_adapter_is_installed(image: Image):
    assert image.files["/a/self_test.bin"] == stored_message("spatem_xml")
    assert stored_message("rsmp") is None and stored_message(None) is None


def test_the_stored_messages_are_those_of_the_recordings(project_root: Path, monkeypatch: pytest.MonkeyPatch):
    import runpy

    monkeypatch.syspath_prepend(str(project_root / "tools"))
    maker = runpy.run_path(str(project_root / "tools/make_self_test_messages.py"))
    for adapter in maker["GROUPS"]:
        assert maker["make_message"](adapter) == stored_message(adapter)
    assert sorted(maker["GROUPS"]) == [name for name in driver_names("adapter") if "device" in adapter_runtimes(name)]


def test_the_picture_comes_back_and_the_pattern_was_another(micropython: str, tree: Path):
    told = answer(run_script(micropython, installed(BESIDE), str(tree / "a"), "alive"))
    assert told["after"] == told["before"] != told["pattern"]
    assert told["result"]["checks"]["light"] == {"ok": True, "lux": 120, "fault": ""}
    assert told["result"]["checks"]["sensors"] == {"ok": True, "found": ["ads1115", "sht3x"], "fault": ""}


def test_a_release_on_trial_is_judged_by_itself_alone(micropython: str, tree: Path):
    script = installed(BESIDE.replace("self_test.run(unit)", "self_test.prove(unit)"))
    told = answer(run_script(micropython, script, str(tree / "a"), "dead"))
    assert told["result"]["ok"] and sorted(told["result"]["checks"]) == ["decoder", "memory"]
    assert told["pattern"] == told["before"]  # nothing else was shown


def test_sensors_that_are_configured_and_absent_are_found(micropython: str, tree: Path):
    told = answer(run_script(micropython, installed(BESIDE), str(tree / "a"), "dead"))
    light = told["result"]["checks"]["light"]
    assert (light["ok"], light["fault"]) == (False, "the light sensor does not answer")
    sensors = told["result"]["checks"]["sensors"]
    assert sensors == {"ok": False, "found": ["ads1115"], "fault": "sht3x does not answer"}
    assert not told["result"]["ok"]


def test_a_board_with_a_sensor_and_no_site_says_that_nothing_was_tested(micropython: str, tree: Path):
    values = json.loads((tree / "board.json").read_text())
    values["light"] = {"sensor": "bh1750"}
    values["sensors"] = {"sht3x": {}}
    (tree / "board.json").write_text(json.dumps(values))
    (tree / "site.json").unlink()
    checks = run_alone(micropython, tree)["checks"]
    assert checks["light"] == {"ok": None, "fault": "needs a site"}
    assert checks["sensors"] == {"ok": None, "fault": "needs the running unit"}


def test_too_little_memory_is_told(micropython: str, tree: Path):
    script = "import leezenflow_device.self_test as t\nt.LEAST_FREE_BYTES = 1 << 29\n"
    script = ALONE.replace("result = run_alone()", script + "result = run_alone()")
    sources = tree.parent / "sources"
    build_image(read_board("virtual"), example_site(), compiler=None).write_to(sources)
    check = answer(run_script(micropython, script, str(sources), heap_kb=600))["checks"]["memory"]
    assert (check["ok"], check["least"]) == (False, 1 << 29)
