# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One page about one unit, for the screen and for a sheet of A4: complete in itself, nothing is loaded."""

import base64
import html
import io
from collections.abc import Mapping
from typing import Any

from leezenflow.canvas import Canvas
from leezenflow.renderings import test_pattern
from leezenflow_host.board_config import read_board
from leezenflow_host.commissioning.words import CHECKS, Language, check_title, check_words, label, outcome
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.preview import draw_image

_SCALE = 4
# More would need a second sheet; the json has all of them.
_MOST_REMARKS = 5
_MOST_LETTERS = 160
_FACTS = ("board", "chip", "chip_id", "port", "when", "operator", "tool_version", "firmware_version", "micropython")

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #bbb; --good: #0a6b2b; --bad: #b00020 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eee; --paper: #161616; --line: #555; --good: #7ddb95; --bad: #ff8a95 }
}
@page { size: A4; margin: 12mm }
@media print { :root { --ink: #000; --paper: #fff; --line: #999; --good: #0a6b2b; --bad: #b00020 } }
* { box-sizing: border-box }
body { font: 10.5pt/1.35 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 182mm;
  margin: 0 auto; padding: 6mm }
header { display: flex; justify-content: space-between; align-items: baseline; border-bottom: 2px solid var(--ink) }
h1 { font-size: 18pt; margin: 0; overflow-wrap: anywhere } h2 { font-size: 12pt; margin: 4mm 0 1mm }
p { margin: 1mm 0 } .verdict { font-size: 14pt; font-weight: 700; white-space: nowrap }
.good { color: var(--good) } .bad { color: var(--bad) }
main, .pair { display: flex; gap: 6mm } section, .left { flex: 1; min-width: 0 }
figure { margin: 4mm 0 0; width: 32mm; flex: none; text-align: center; font-size: 8.5pt }
img { width: 28mm; image-rendering: pixelated; border: 1px solid var(--line) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .6mm 2mm .6mm 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere }
th { font-weight: 600; width: 30mm } td.word { font-weight: 600; width: 30mm }
ul { margin: 1mm 0; padding-left: 5mm }
.sign { display: flex; gap: 8mm; margin-top: 12mm } .sign p { flex: 1; border-top: 1px solid var(--ink) }
footer { margin-top: 4mm; font-size: 8.5pt }
@media print {
  body { padding: 0; font-size: 8.5pt; line-height: 1.25 } h2 { margin: 2.5mm 0 .5mm } .sign { margin-top: 9mm }
}
"""


def render_page(report: Mapping[str, Any], language: Language = "en") -> str:
    """Return the page for a complete report (`report.complete_record`)."""
    unit = report["unit"] or report["chip_id"] or report["board"]
    passed = report["passed"]
    verdict = label("untested" if passed is None else "passed" if passed else "failed", language)
    colour = "" if passed is None else " good" if passed else " bad"
    title = label("title", language)
    body = [
        f'<header><h1>{_text(unit)}</h1><p class="verdict{colour}">{_text(verdict)}</p></header>',
        f"<main><div class=left><div class=pair><section><h2>{_text(title)}</h2>",
        _table([(label(key, language), report[key]) for key in _FACTS if report[key] not in (None, "")]),
        f"</section><section><h2>{_text(label('site', language))}</h2>",
        _table(_site_rows(report["site"], language)),
        f"</section></div><h2>{_text(label('files', language))}</h2>",
        _table(_file_rows(report, language)),
        _setup_label(report["setup_label"], language),
        "</div>",
        _figure(report, language),
        "</main>",
        _self_test(report["self_test"] or {}, language),
        _remarks(report, language),
        '<div class="sign">',
        *(f"<p>{_text(label(key, language))}</p>" for key in ("seen", "handed_over", "taken_over")),
        f"</div><footer>Leezenflow. {_text(label('advice', language))}</footer>",
    ]
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}: {_text(unit)}</title>\n<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</html>\n"
    )


def _text(value: Any) -> str:
    return html.escape(str(value))


def _table(rows: list[tuple[str, Any]]) -> str:
    lines = (f"<tr><th scope=row>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _site_rows(site: Mapping[str, Any] | None, language: Language) -> list[tuple[str, Any]]:
    """The site as compiled for a board (/site.json)."""
    if not site:
        return [(label("site", language), label("no_site", language))]
    signal, rider, look = (site.get(table) or {} for table in ("signal", "rider", "look"))
    region, number = signal.get("region"), signal.get("intersection")
    rows = [
        (label("intersection", language), number if region is None else f"{region}:{number}"),
        (label("signal_group", language), signal.get("signal_group")),
        (label("adapter", language), signal.get("adapter")),
        (label("source", language), signal.get("source")),
    ]
    cruise, sprint = rider.get("cruise_ms"), rider.get("sprint_ms")
    if cruise:
        words = f"{cruise / 1000:.1f} s"
        if sprint:
            template = label("travel_sprint", language)
            words = template.format(cruise=f"{cruise / 1000:.1f}", sprint=f"{sprint / 1000:.1f}")
        rows.append((label("travel", language), words))
    rows.append((label("look", language), look.get("name")))
    return [row for row in rows if row[1] not in (None, "")]


def _file_rows(report: Mapping[str, Any], language: Language) -> list[tuple[str, Any]]:
    words = label("files_count", language).format(count=len(report["files"]), digest=report["files_sha256"])
    rows = [(label("files", language), words)]
    interpreter = report["interpreter"]
    if interpreter:
        words = ", ".join(str(interpreter[key]) for key in ("file", "method", "sha256") if interpreter.get(key))
        rows.append((label("interpreter", language), words))
    return rows


def _figure(report: Mapping[str, Any], language: Language) -> str:
    picture = base64.b64encode(pattern_png(report["board"])).decode()
    words, hint = label("pattern", language), label("pattern_arrow", language)
    return (
        f'<figure><img alt="{_text(words)}" src="data:image/png;base64,{picture}">'
        f"<figcaption>{_text(words)}. {_text(hint)}.</figcaption></figure>"
    )


def pattern_png(board_name: str | None) -> bytes:
    """Return the expected test pattern as PNG, in the size of the board's panel (32 x 96 where nobody knows)."""
    width, height = 32, 96
    try:
        display = read_board(str(board_name)).values["display"]
        width, height = display["width"], display["height"]
    except LeezenflowError:
        pass
    canvas = Canvas(width, height)
    test_pattern.Look(canvas).draw(None, canvas, 0)
    content = io.BytesIO()
    draw_image(canvas, "pixels", _SCALE).save(content, format="PNG", optimize=True)
    return content.getvalue()


def _self_test(self_test: Mapping[str, Any], language: Language) -> str:
    checks = self_test.get("checks") or {}
    known = [name for name in CHECKS if name in checks]
    rows = []
    for name in [*known, *(name for name in checks if name not in known)]:
        check = checks[name] if isinstance(checks[name], Mapping) else {"ok": None}
        ok = check.get("ok")
        colour = "" if ok is None else " good" if ok else " bad"
        rows.append(
            f"<tr><th scope=row>{_text(check_title(name, language))}</th>"
            f'<td class="word{colour}">{_text(outcome(ok, language))}</td>'
            f"<td>{_text(_shorten(check_words(name, dict(check), language)))}</td></tr>"
        )
    heading = label("self_test", language)
    if self_test.get("how") == "prompt":
        heading += f" ({label('at_prompt', language)})"
    if not rows:
        return f"<h2>{_text(heading)}</h2><p>{_text(label('none', language))}</p>"
    return f"<h2>{_text(heading)}</h2><table>{''.join(rows)}</table>"


def _setup_label(setup: Mapping[str, str] | None, language: Language) -> str:
    if not setup:
        return ""
    words = label("setup_words", language).format(**setup)
    return f"<h2>{_text(label('setup_label', language))}</h2><p>{_text(words)}</p>"


def _remarks(report: Mapping[str, Any], language: Language) -> str:
    remarks = [*((report["self_test"] or {}).get("problems") or []), *report["warnings"]]
    if not remarks:
        return ""
    hidden = len(remarks) - _MOST_REMARKS
    shown = [_shorten(remark) for remark in remarks[:_MOST_REMARKS]]
    if hidden > 0:
        shown.append(label("more", language).format(count=hidden))
    items = "".join(f"<li>{_text(remark)}</li>" for remark in shown)
    return f"<h2>{_text(label('warnings', language))}</h2><ul>{items}</ul>"


def _shorten(words: Any) -> str:
    text = str(words)
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"
