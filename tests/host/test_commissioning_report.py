# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report that stays when the technician has left: whole, on one page, in two languages, without secrets."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leezenflow.canvas import Canvas
from leezenflow.renderings import test_pattern as pattern
from leezenflow_host.commissioning import write_report
from leezenflow_host.commissioning.page import pattern_png
from leezenflow_host.commissioning.report import digest_of_files
from leezenflow_host.commissioning.words import _LABELS, check_words
from leezenflow_host.preview import draw_image
from leezenflow_host.site_config import example_site

CHECKS: dict[str, dict[str, Any]] = {
    "panel": {"ok": True, "width": 32, "height": 96, "show_us": 9_100},
    "memory": {"ok": True, "free": 45_000, "least": 12_000},
    "decoder": {"ok": True, "adapter": "spatem_xml", "bytes": 3211, "took_us": 8_120},
    "light": {"ok": None, "fault": "none configured"},
    "sensors": {"ok": True, "found": ["sht3x", "ads1115"], "fault": ""},
    "frames": {"ok": True, "middle_us": 9_800, "worst_us": 11_000, "allowed_us": 40_000},
    "files": {"ok": True, "slot": "/a", "count": 63, "bad": []},
}


def record(**changes: Any) -> dict[str, Any]:
    """What an installation of the example hands over, with some fields changed."""
    return {
        "unit": "north-1",
        "board": "virtual",
        "port": "virtual",
        "chip": "virtual",
        "chip_id": "0011223344556677",
        "when": "2026-11-22T00:10:00Z",
        "tool_version": "0.1.0",
        "firmware_version": "0.1.0",
        "micropython": "micropython 1.28.0",
        "interpreter": {"file": "RPI_PICO2_W.uf2", "sha256": "ab" * 32, "method": "uf2"},
        "files": {"/main.py": "cd" * 32, "/a/leezenflow/engine.mpy": "ef" * 32},
        "site": example_site().values,
        "setup_label": {"network": "leezenflow-abcd", "password": "efghjkmnpqrs"},
        "self_test": {"ok": True, "how": "running", "checks": CHECKS, "problems": []},
        "warnings": [],
        "operator": None,
        **changes,
    }


def write(folder: Path, language: Any = "en", **changes: Any) -> tuple[dict[str, Any], str]:
    data, page = write_report(record(**changes), folder, language)
    return json.loads(data.read_text()), page.read_text()


def words_of(page: str) -> str:
    """What a reader of the page sees."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.partition("</style>")[2]))


def test_both_files_hold_the_record_and_its_verdict(tmp_path: Path):
    data, page = write_report(record(), tmp_path / "new" / "folder")
    assert (data.name, page.name) == ("commissioning-north-1.json", "commissioning-north-1.html")
    report = json.loads(data.read_text())
    assert report["leezenflow_commissioning"] == 1
    assert {key: report[key] for key in record()} == record()
    assert report["passed"] is True
    words = words_of(page.read_text())
    for part in ("north-1", "Passed", "49:1090", "spatem_xml", "22.0 s", "0011223344556677", "RPI_PICO2_W.uf2"):
        assert part in words
    assert "9.8 ms a frame, 40 ms allowed" in words and "read 3211 bytes in 8.1 ms" in words


def test_one_digest_stands_for_all_files(tmp_path: Path):
    report, page = write(tmp_path)
    lines = f"{'ef' * 32}  /a/leezenflow/engine.mpy\n{'cd' * 32}  /main.py\n"
    assert report["files_sha256"] == hashlib.sha256(lines.encode()).hexdigest() == digest_of_files(report["files"])
    assert f"2 files, SHA-256 of all: {report['files_sha256']}" in words_of(page)


def test_the_schema_that_is_documented_is_the_one_that_is_written(tmp_path: Path, project_root: Path):
    text = (project_root / "docs/reference/commissioning-report.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", text.partition("## `self_test`")[0], re.M)
    assert documented == list(write(tmp_path)[0])
    for check in CHECKS.values():
        assert all(f"`{key}`" in text for key in check)


@pytest.mark.parametrize(
    ("language", "passed", "verdict"),
    [
        ("en", True, "Passed"),
        ("en", False, "Not passed"),
        ("de", True, "Bestanden"),
        ("de", False, "Nicht bestanden"),
    ],
)
def test_the_verdict_is_in_words(tmp_path: Path, language: str, passed: bool, verdict: str):
    checks = {**CHECKS, "files": {"ok": passed, "slot": "/a", "count": 63, "bad": [] if passed else ["x.mpy"]}}
    report, page = write(tmp_path, language, self_test={"ok": passed, "how": "running", "checks": checks})
    assert report["passed"] is passed
    assert f">{verdict}<" in page and f'lang="{language}"' in page
    wrong = {"en": "NOT ok", "de": "NICHT in Ordnung"}[language]
    assert (wrong in page) is not passed
    assert ("x.mpy" in page) is not passed


def test_without_a_self_test_the_verdict_is_open(tmp_path: Path):
    report, page = write(tmp_path, self_test=None)
    assert report["passed"] is None
    assert ">Not tested<" in page and ">Passed<" not in page


def test_a_test_from_the_prompt_says_so(tmp_path: Path):
    _, page = write(tmp_path, self_test={"ok": False, "how": "prompt", "checks": CHECKS, "problems": ["It is silent."]})
    assert "the program did not run" in page and "It is silent." in page


def test_a_unit_without_a_site_or_a_name_goes_by_its_chip(tmp_path: Path):
    data, page = write_report(record(unit="", site=None), tmp_path)
    assert data.name == "commissioning-0011223344556677.json"
    assert "none: the panel stays dark" in page.read_text()


@pytest.mark.parametrize(
    ("unit", "name"),
    [("Ä 1/../x", "Ä_1_.._x"), ("../../etc", "etc"), ("...", "0011223344556677")],
)
def test_names_of_units_never_leave_the_folder(tmp_path: Path, unit: str, name: str):
    data, _ = write_report(record(unit=unit), tmp_path)
    assert data == tmp_path / f"commissioning-{name}.json"


def test_values_are_text_and_never_markup(tmp_path: Path):
    evil = '<script>alert("1")</script>'
    _, page = write(tmp_path, unit=evil, operator=evil, warnings=[evil], port=evil)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;") == 5


def test_the_page_loads_nothing(tmp_path: Path):
    _, page = write(tmp_path)
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []
    assert "default-src 'none'" in page and "url(" not in page


def test_secrets_stay_out_wherever_they_come_from(tmp_path: Path):
    site = example_site().values
    site["signal"]["source"] = "mqtt://someone@broker.example:1883/spat"
    site["wifi"] = {"ssid": "net", "password": "hunter2"}
    site["command_key"] = "hunter2"
    data, page = write_report(
        record(
            site=site,
            secrets={"password": "hunter2"},
            files={"/secrets.json": "f00d" * 16, "/certs/ca.der": "f00d" * 16, "/main.py": "cd" * 32},
            self_test={"ok": True, "checks": CHECKS, "identity": {"unit": "x", "token": "hunter2"}},
        ),
        tmp_path,
    )
    for file in (data, page):
        text = file.read_text()
        assert "hunter2" not in text and "someone" not in text and "f00d" not in text
        assert "mqtt://broker.example:1883/spat" in text
    assert list(json.loads(data.read_text())["files"]) == ["/main.py"]


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "For the label inside the housing"), ("de", "Für das Etikett innen im Gehäuse")],
)
def test_the_label_of_the_first_time_setup_is_on_the_page(tmp_path: Path, language: str, title: str):
    report, page = write(tmp_path, language)
    assert report["setup_label"] == {"network": "leezenflow-abcd", "password": "efghjkmnpqrs"}
    words = words_of(page)
    assert title in words and "leezenflow-abcd" in words and "efghjkmnpqrs" in words
    report, page = write(tmp_path, language, setup_label=None)
    assert report["setup_label"] is None
    assert title not in words_of(page)


def test_nothing_else_gets_in_with_the_label(tmp_path: Path):
    setup = {"network": "leezenflow-abcd", "password": "efghjkmnpqrs", "psk": "hunter2"}
    report, page = write(tmp_path, setup_label=setup)
    assert report["setup_label"] == {"network": "leezenflow-abcd", "password": "efghjkmnpqrs"}
    assert "hunter2" not in page


def test_the_picture_is_what_preview_draws(tmp_path: Path):
    _, page = write(tmp_path)
    found = re.search(r"data:image/png;base64,([\w+/=]+)", page)
    assert found is not None
    canvas = Canvas(32, 96)
    pattern.Look(canvas).draw(None, canvas, 0)
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
        assert picture.convert("RGB").tobytes() == draw_image(canvas, "pixels", 4).tobytes()
    assert pattern_png("no such board") == pattern_png("virtual")


def test_every_label_has_both_languages():
    assert all(len(pair) == 2 and all(pair) for pair in _LABELS.values())
    for english, german in _LABELS.values():
        assert re.findall(r"\{(\w+)\}", english) == re.findall(r"\{(\w+)\}", german)


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("light", {"ok": True, "lux": 120, "fault": ""}, "120 lx"),
        ("light", {"ok": True, "lux": None, "fault": ""}, "answers, no value yet"),
        ("light", {"ok": False, "lux": None, "fault": "the sensor is gone"}, "the sensor is gone"),
        ("decoder", {**CHECKS["decoder"], "ok": False}, "spatem_xml read something else than it says"),
        ("files", {"ok": False, "slot": "/b", "count": 9, "bad": ["x.py", "y.py"]}, "in /b differ: x.py, y.py"),
        ("files", {"ok": False, "slot": "/b", "count": 0, "bad": []}, "/b has no list of files"),
        ("memory", {"ok": False, "free": 2048, "least": 12288}, "2 kB free, 12 kB needed"),
        ("sensors", CHECKS["sensors"], "sht3x, ads1115 answer"),
        ("sensors", {"ok": False, "found": [], "fault": "sht3x does not answer"}, "sht3x does not answer"),
        ("panel", CHECKS["panel"], "test pattern of 32 x 96 shown in 9.1 ms"),
        ("unheard_of", {"ok": True, "value": 7}, "value: 7"),
        ("memory", {"ok": True, "unheard": 7}, "unheard: 7"),
    ],
)
def test_every_finding_has_words(name: str, check: dict[str, Any], words: str):
    assert check_words(name, check, "en") == words


def test_what_was_not_tested_is_said_in_german_too():
    assert check_words("light", CHECKS["light"], "de") == "keiner vorgesehen"
    assert check_words("light", {"ok": False, "fault": "OSError: 5"}, "de") == "OSError: 5"


def test_many_remarks_are_cut_and_counted(tmp_path: Path):
    report, page = write(tmp_path, warnings=[f"remark {number} " + "x" * 400 for number in range(9)])
    assert len(report["warnings"]) == 9
    assert "remark 4" in page and "remark 5" not in page and "4 more: see the .json file" in page


def test_it_is_one_sheet_of_paper_even_when_much_went_wrong(tmp_path: Path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium here: that the report fits on one sheet is not covered")
    checks = {name: {"ok": False, "fault": "a long fault " * 12} for name in CHECKS}
    _, page = write_report(
        record(self_test={"ok": False, "checks": checks}, warnings=["a remark " * 25] * 12), tmp_path, "de"
    )
    target = tmp_path / "sheet.pdf"
    subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--no-pdf-header-footer", f"--print-to-pdf={target}", page.as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", target.read_bytes())) == 1
