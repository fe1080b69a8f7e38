# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report says what the results say, in both languages, needs nothing from outside, and believes no text."""

import math
import re
import string
from html.parser import HTMLParser

import pytest
from report_results import empty_results, full_results

from leezenflow_host.errors import InputError
from leezenflow_host.reporting import render_report, write_report
from leezenflow_host.reporting.charts import Series, draw_lines, nice_steps
from leezenflow_host.reporting.words import LANGUAGES, WORDS, Words

VOID = {"meta", "link", "img", "br", "line", "rect", "circle", "path"}


class Outline(HTMLParser):
    """Checks that elements close in order, and notes what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.loaded += [values[name] or "" for name in ("src", "href") if name in values]
        if "id" in values:
            self.ids.append(values["id"] or "")
        assert tag not in ("script", "iframe", "object")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("results", [[full_results()], [full_results(), empty_results()]], ids=["one", "two"])
def test_a_page_is_whole_and_needs_nothing_from_outside(results, language):
    page = render_report(results, language)
    outline = Outline()
    outline.feed(page)
    assert not outline.open
    assert all(address.startswith(("data:", "#")) for address in outline.loaded)
    assert {"url(", "@import", "http:", "https:"}.isdisjoint(re.findall(r"url\(|@import|https?:", page))
    assert len(outline.ids) == len(set(outline.ids))
    assert {address[1:] for address in outline.loaded if address.startswith("#")} <= set(outline.ids)


def test_the_figures_stand_in_the_page_as_each_language_writes_them():
    pages = [render_report([full_results()], language).replace("\N{NO-BREAK SPACE}", " ") for language in LANGUAGES]
    english, german = pages
    for text in ("0.61 %", "0.47 %", "84.4 %", "1.23 s", "1.19", "95 % interval 0.49 % to 0.79 %", "960"):
        assert f">{text}<" in english, text
    for text in ("0,61 %", "84,4 %", "1,23 s", "95-%-Intervall 0,49 % bis 0,79 %"):
        assert f">{text}<" in german, text
    assert "right in 83.8, wrong in 0.6" in english and "says honestly in 15.6" in english
    assert "2023-11-14 22:13:20" in english and "Intersection 49:1090, signal group 12" in english


def test_what_is_unknown_is_a_dash_and_never_a_nought():
    page = render_report([empty_results()])
    assert page.count('<dd class="value">–</dd>') == 5
    assert "Nothing was wrong with the data." in page
    assert page.count("<svg") == 1


def test_german_says_everything_in_german():
    result = full_results(
        setting="110 m at 18.5 km/h, sprint 21 km/h, at most 2.5 % wrong",
        reason_shares={"uncertain: doubtful": 0.1, "dark: stale": 0.02},
        problems=[{"kind": "clock_jump", "count": 3, "text": "t.jsonl: the recorder's clock went back by 5 s"}],
    )
    result["comparison"]["against"] = "plain arithmetic"
    pages = [render_report([result], language).replace("\N{NO-BREAK SPACE}", " ") for language in LANGUAGES]
    told = (
        (
            "110 m at 18.5 km/h, sprint 21 km/h, at most 2.5 % wrong",
            "110 m bei 18,5 km/h, Sprint 21 km/h, höchstens 2,5 % falsch",
        ),
        ("Compared with plain arithmetic", "Verglichen mit einfacher Rechnung"),
        ("uncertain: the chance of being wrong is too high", "unsicher: zu wahrscheinlich falsch"),
        ("dark: the last message is too old", "dunkel: die letzte Nachricht ist zu alt"),
        ("clock jump", "Uhr gesprungen"),
        ("The first of them", "Das erste davon"),
    )
    for english, german in told:
        assert english in pages[0] and german in pages[1] and english not in pages[1], english
    assert Words("de").setting("schlossplatz at 5 m") == "schlossplatz at 5 m"


def test_a_feed_without_forecast_says_so_instead_of_noughts():
    result = full_results(forecast_by_horizon=[], confidence=[])
    result["forecast"] |= {"usable_share": 0.0, "jumps": 0, "jumps_per_cycle": None, "jump_max_ms": None}
    page = render_report([result])
    assert "none: this feed gives no forecast" in page and "largest jump" not in page


def test_the_overview_names_the_setting_only_where_it_differs():
    alike = [full_results(), full_results(signal_group=13)]
    differ = [full_results(), full_results(setting="schlossplatz")]
    for results, name in ((alike, "49:1090 · 12<"), (differ, "49:1090 · 12 · 110 m at 18 km/h<")):
        assert f'<th scope="row">{name}' in render_report(results)


def test_what_few_messages_say_is_left_out_of_the_picture():
    rows = [
        {"confidence": code, "coded_share": share, "messages": count, "right_share": share}
        for code, share, count in ((3, 0.51, 500), (9, 0.9, 29), (15, 1.0, 30))
    ]
    page = render_report([full_results(confidence=rows)])
    picture = page[page.index("What the messages say") :]
    assert picture[: picture.index("</svg>")].count("<circle") == 3  # two points, and the legend's
    assert "90.0" in picture[: picture.index("</table>")]


def test_texts_from_data_are_only_text():
    page = render_report([full_results(setting="<script>alert(1)</script>", intersection='"><b>')])
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "traces/&lt;monday&gt;.jsonl.gz, line 7: cut &amp; damaged" in page


def test_results_of_another_form_are_refused(tmp_path):
    with pytest.raises(InputError, match="leezenflow_results is 2, not 1"):
        write_report([full_results(leezenflow_results=2)], tmp_path / "report.html")
    with pytest.raises(InputError, match="no results"):
        write_report([], tmp_path / "report.html")
    with pytest.raises(InputError, match="--lang fr: there are en and de"):
        write_report([full_results()], tmp_path / "report.html", "fr")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_everything_with_the_same_values(key):
    fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in WORDS[key]]
    assert len(WORDS[key]) == len(LANGUAGES) and all(WORDS[key])
    assert fields[0] == fields[1]


def test_numbers_are_written_for_people():
    english, german = Words("en"), Words("de")
    numbers = [english.percent(0.5), english.percent(0.0123), german.percent(0.0123), german.seconds(1500)]
    assert [number.replace("\N{NO-BREAK SPACE}", " ") for number in numbers] == ["50.0 %", "1.23 %", "1,23 %", "1,50 s"]
    assert (english.points(-0.0061), german.points(0.0061), english.points(0.0)) == ("−0.61", "+0,61", "±0.00")
    assert english.seconds(None) == english.percent(None) == english.number(None) == "–"
    assert english("no_such_reason") == "no such reason"


@pytest.mark.parametrize("highest", [0.003, 0.7, 1, 9.9, 1234, 5e7])
def test_steps_of_an_axis_are_round_and_reach_the_highest_value(highest):
    steps = nice_steps(highest)
    assert steps[0] == 0 and highest <= steps[-1] <= 2 * highest + 1e-9 and 2 <= len(steps) <= 5
    leading = {f"{step:e}".split("e")[0].rstrip("0").rstrip(".") for step in steps[1:2]}
    assert leading <= {"1", "2", "2.5", "5"}
    assert nice_steps(0) == nice_steps(math.nan) == [0.0, 1.0]


def test_a_gap_in_a_line_stays_a_gap():
    picture = draw_lines("gap", [Series("one", [(0, 1), (1, None), (2, 3), (3, 4)])], list("abcd"), str)
    path = re.search(r'class="line0" d="([^"]+)"', picture)
    assert path and path[1].count("M") == 2 and path[1].count("L") == 1
