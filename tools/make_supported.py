# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes SUPPORTED.md from what is here: recordings, samples, board files, drivers and their tests, looks.

    python tools/make_supported.py [--check]

With --check nothing is written: exit code 1, with the next step, when SUPPORTED.md is not what would be written.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_host.board_config import BoardConfig, board_folder, read_board_file
from leezenflow_host.decoding.detect import PayloadDecoder, decoder_names
from leezenflow_host.decoding.payloads import read_file
from leezenflow_host.drivers import adapter_runtimes, driver_file, driver_names, driver_options
from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "SUPPORTED.md"

COLOURS = {
    0: "unavailable",
    1: "dark",
    2: "flashing red",
    3: "red",
    4: "red-amber",
    5: "green",
    6: "green",
    7: "amber",
    8: "amber",
    9: "flashing amber",
}
TIMES = {"likely": "likely end", "min_end": "earliest end", "max_end": "latest end"}
UNKNOWN_TIMES = (None, 36_000, 36_001, 36_111)

# What a test says of itself in its first line, and what kind of proof that is; the strongest first.
PROOFS = (
    (re.compile(r"emulated RP2040"), "emulated RP2040, when `LEEZENFLOW_UF2` names a MicroPython image"),
    (re.compile(r"emulated state machine"), "emulated PIO"),
    (re.compile(r"\bfakes?\b"), "fake of the library"),
    (re.compile(r"MicroPython|virtual board", re.IGNORECASE), "unix MicroPython"),
    (re.compile(r"against a strand that records"), "fake of the peripheral"),
)

HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 Leezenflow contributors
SPDX-License-Identifier: CC-BY-4.0

Written by tools/make_supported.py from recordings, board files and tests. Do not edit; run it again.
-->

# What is supported, and how we know

**{hardware}**

Emulators, a real MicroPython on a computer, fakes of peripherals and published messages stand behind this page; each
line says which. If you run something of this on a real pole, tell us: set `verified` in the board file, add a recording
to `tests/traces`, and this page changes by itself.
"""


def build() -> str:
    """The whole page."""
    boards = [read_board_file(file) for file in sorted(board_folder().glob("*.toml"))]
    tried = [board.name for board in boards if board.verified == "hardware"]
    hardware = (
        f"Tried on hardware: {', '.join(tried)}. Everything else was not."
        if tried
        else "Nothing on this page was verified by us on hardware or at a live intersection."
    )
    parts = [HEAD.format(hardware=hardware), _adapters(), _samples(), _boards(boards), _displays(boards), _looks()]
    return "\n".join(parts)


def _table(*columns: str) -> list[str]:
    return [_row(*columns), _row(*("---" for _ in columns))]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _first_line(file: Path) -> str:
    """What a module says of itself in its first sentence or line."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").rstrip(".")


def _adapters() -> str:
    lines = [
        "## Signal feeds",
        "",
        "An adapter reads one kind of feed. Each has a recording in `tests/traces`, which the tests run through the",
        "firmware's core and hold against what the recorded signal did; they also cut, bend and replace its bytes. A",
        "*generated* recording proves that the adapter follows the published format, not that a real controller does.",
        "",
        *_table("adapter", "reads", "runs on", "recording", "in it"),
    ]
    for name in driver_names("adapter"):
        page = f"docs/adapters/{name}.md"
        shown = f"[{name}]({page})" if (ROOT / page).is_file() else name
        runtimes = ", ".join({"device": "board", "host": "computer"}[runtime] for runtime in adapter_runtimes(name))
        lines.append(_row(shown, _first_line(driver_file("adapter", name)), runtimes, *_recording(name)))
    return "\n".join([*lines, ""])


def _recording(adapter: str) -> tuple[str, str]:
    """Where the recording of an adapter comes from, and what is in it."""
    files = sorted((ROOT / "tests/traces").glob(f"{adapter}.jsonl*"))
    files = [file for file in files if not file.name.endswith(".license")]
    if not files:
        return "none", "nothing is proven"
    with TraceReader(files[0], strict=True) as reader:
        messages = list(reader)
        source = f"{reader.header.source}: {reader.header.note}".strip(": ")
    seconds = (messages[-1].at_ms - messages[0].at_ms) / 1000
    if adapter not in decoder_names():
        return source, f"{len(messages)} messages in {seconds:.0f} s"
    decoder = PayloadDecoder(adapter)
    states: Counter[str] = Counter()
    times: Counter[str] = Counter()
    failed = 0
    for message in messages:
        for result in decoder.decode(message.payload):
            if isinstance(result, SignalError):
                failed += 1
                continue
            for event in _events(result):
                states[COLOURS[event["state"]]] += 1
                times.update(key for key in TIMES if event[key] not in UNKNOWN_TIMES)
    what = f"{len(messages)} messages in {seconds:.0f} s" + (f", {failed} unreadable" if failed else "")
    what += "; " + ", ".join(name for name in dict.fromkeys(COLOURS.values()) if states[name])
    what += "; " + (", ".join(name for key, name in TIMES.items() if times[key]) or "no forecast, state only")
    return source, what


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every event in a message in the normalised form."""
    for intersection in message["intersections"]:
        for movement in intersection["movements"]:
            yield from movement["events"]


def _samples() -> str:
    lines = [
        "## Messages of others",
        "",
        "Published messages in `tests/samples`, which the full decoders (`leezenflow decode`) must read as expected.",
        "",
        *_table("file", "read", "where it comes from"),
    ]
    for file in sorted((ROOT / "tests/samples").rglob("*")):
        if not file.is_file() or file.suffix == ".license":
            continue
        decoder = PayloadDecoder()
        read = unread = 0
        for payload in read_file(file):
            results = [payload.error] if payload.error else list(decoder.decode(payload.data))
            unread += sum(1 for result in results if isinstance(result, SignalError | str))
            read += sum(1 for result in results if not isinstance(result, SignalError | str))
        licence = file.with_name(file.name + ".license")
        origin = licence.read_text(encoding="utf-8").partition("\n\n")[2].strip() if licence.is_file() else ""
        name = str(file.relative_to(ROOT / "tests/samples"))
        lines.append(_row(f"`{name}`", f"{read} of {read + unread}", origin.rstrip(".") or "not told"))
    return "\n".join([*lines, ""])


def _boards(boards: list[BoardConfig]) -> str:
    lines = [
        "## Boards",
        "",
        "One file each in `board_configs`; `leezenflow boards show NAME` gives pins, memory and refresh rate.",
        "",
        *_table("board", "what it is", "chip", "display", "tried on"),
    ]
    tried = {"none": "nothing", "emulation": "this computer", "hardware": "**hardware**"}
    for board in boards:
        display = board.values["display"]
        shown = f"{board.driver}, {display['width']} × {display['height']}"
        lines.append(_row(board.name, board.title, board.chip, shown, tried[board.verified]))
    lines += ["", "Where their numbers come from, in the words of the board files:", ""]
    for board in boards:
        lines.append(f"- **{board.name}**")
        lines += [f"  - {key}: {text}" for key, text in board.source.items()]
    return "\n".join([*lines, ""])


def _displays(boards: list[BoardConfig]) -> str:
    lines = ["## Display drivers", "", *_table("driver", "what it drives", "boards", "how it was verified", "hardware")]
    files = [driver_file(kind, name) for kind in ("display", "host_display") for name in driver_names(kind)]
    for file in files:
        name = file.stem
        users = [board for board in boards if board.driver == name]
        proofs = [
            f"{proof} ([{test.stem.removeprefix('test_')}]({test.relative_to(ROOT)}))"
            for proof, test in _proofs_of(name, file, users)
        ]
        hardware = ", ".join(board.name for board in users if board.verified == "hardware")
        if all(board.chip == "virtual" for board in users) and users:
            hardware = "has none"
        lines.append(
            _row(
                name,
                _first_line(file),
                ", ".join(board.name for board in users) or "none yet",
                "; ".join(proofs) or "not at all",
                hardware or "never",
            )
        )
    return "\n".join([*lines, ""])


def _proofs_of(driver: str, source: Path, users: list[BoardConfig]) -> list[tuple[str, Path]]:
    """Tests that name the driver, or a board that has it, with the kind of proof their first line speaks of."""
    words = [rf"displays[. ](?:import )?.*\b{driver}\b", rf"test_{driver}\.py"]
    words += [rf"load_driver\([^)]*\b{driver}\b", rf"\b_?{driver}\b.*Display\b"]
    # The loops in machine code lie in modules of their own.
    text = source.read_text(encoding="utf-8")
    words += [rf"\b{module}\b" for module in sorted(set(re.findall(r"\b_\w+_(?:viper|thumb)\b", text)))]
    words += [rf'--board", "{board.name}"|board="{board.name}"' for board in users if board.chip != "virtual"]
    pattern = re.compile("|".join(words))
    found = []
    for folder in ("tests/device", "tests/host"):
        for file in sorted((ROOT / folder).glob("test_*.py")):
            proof = next((name for words, name in PROOFS if words.search(_first_line(file))), None)
            if proof and (pattern.search(file.name) or pattern.search(file.read_text(encoding="utf-8"))):
                found.append((proof, file))
    order = [name for _, name in PROOFS]
    return sorted(found, key=lambda one: (order.index(one[0]), one[1]))


def _looks() -> str:
    lines = [
        "## Looks",
        "",
        "What riders see ([docs/looks.md](docs/looks.md)). Each is drawn on CPython and on MicroPython, equal to the",
        "byte (`tests/golden`); no look was yet judged on a panel in the sun.",
        "",
        *_table("look", "what it shows", "palettes", "golden frames"),
    ]
    for name in driver_names("look"):
        palettes = driver_options("look", name).get("palette", {}).get("choices", ())
        picture = f"tests/golden/{name}.png"
        golden = f"[{name}.png]({picture})" if (ROOT / picture).is_file() else "none"
        lines.append(_row(name, _first_line(driver_file("look", name)), ", ".join(palettes) or "its own", golden))
    return "\n".join([*lines, ""])


def main() -> int:
    """Write the page, or check it; returns the exit code."""
    text = build()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        print(TARGET)
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print("SUPPORTED.md is not what it should be. Run: python tools/make_supported.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
