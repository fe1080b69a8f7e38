# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a real browser: on a telephone, on a desk, in the dark, on paper, by keyboard."""

import itertools
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from report_results import empty_results, full_results

from leezenflow_host.reporting import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: how the report looks in a browser is not covered"
)

CONTRAST = """() => {
  const style = getComputedStyle(document.documentElement);
  const probe = document.body.appendChild(document.createElement('i'));
  const luminance = name => {
    probe.style.color = style.getPropertyValue(name);
    const channels = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(value => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2];
  };
  return [['--ink', '--paper'], ['--soft', '--paper'], ['--soft', '--panel'], ['--ink', '--panel'],
          ['--link', '--paper'], ['--one', '--paper'], ['--two', '--paper']].map(pair => {
    const [low, high] = pair.map(luminance).sort((a, b) => a - b);
    return [pair.join(' on '), (high + 0.05) / (low + 0.05)];
  });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with sync_playwright() as driver:
        # Shared memory is small in containers, and their root user cannot have the sandbox.
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["en", "de"])
def address(request, tmp_path_factory) -> str:
    """A report about two signals, as a file's address."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    write_report([full_results(), empty_results()], file, request.param)
    return file.as_uri()


def visit(browser: Browser, address: str, **options) -> Page:
    """Open the report; whatever the console says, and whatever is asked of the network, is a fault."""
    page = browser.new_page(**options)
    page.on("console", lambda message: pytest.fail(f"console: {message.text}"))
    page.on("pageerror", lambda error: pytest.fail(f"error: {error}"))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else pytest.fail(request.url))
    page.goto(address)
    return page


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen_and_every_figure_can_be_read(browser, address, width):
    page = visit(browser, address, viewport={"width": width, "height": 800})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    figures = page.locator("svg")
    assert figures.count() == 10
    for index in range(figures.count()):
        box = figures.nth(index).bounding_box()
        assert box and box["width"] >= 200 and box["height"] >= 20 and box["x"] + box["width"] <= width
    letters = page.evaluate(
        "[...document.querySelectorAll('svg text')].map(text => text.getBoundingClientRect().height)"
    )
    assert letters and min(letters) >= 10
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth === 64)")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_in_light_and_dark(browser, address, scheme):
    page = visit(browser, address, color_scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
    for pair, contrast in page.evaluate(CONTRAST):
        assert contrast >= 4.5, f"{pair}: {contrast:.1f}"
    page.close()


def test_a_keyboard_reaches_and_opens_the_tables(browser, address):
    page = visit(browser, address, viewport={"width": 1000, "height": 800})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.close()


def test_a_screen_reader_finds_names_for_everything(browser, address):
    page = visit(browser, address)
    for name in page.evaluate("[...document.querySelectorAll('svg')].map(svg => svg.getAttribute('aria-label'))"):
        assert len(name) > 5
    assert page.evaluate("[...document.images].every(image => image.alt)")
    assert page.evaluate("[...document.querySelectorAll('table')].every(table => table.caption.textContent.trim())")
    assert page.evaluate("[...document.querySelectorAll('th')].every(cell => cell.scope)")
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(heading => +heading.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate("document.documentElement.lang") in ("en", "de")
    page.close()


def test_it_prints_on_a4_with_all_tables_open(browser, address):
    page = visit(browser, address)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    table = page.locator("details table").first
    box = table.bounding_box()
    assert box and box["height"] > 20
    paper = page.pdf(prefer_css_page_size=True)
    assert re.search(rb"/MediaBox \[0 0 59[45](\.\d+)? 84[12](\.\d+)?\]", paper)
    assert 2 <= len(re.findall(rb"/Type /Page\b(?!s)", paper)) <= 12
    page.close()
