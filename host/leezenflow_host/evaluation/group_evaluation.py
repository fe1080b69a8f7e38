# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One signal group, one setting: the pure function that every way to run an evaluation calls.

It reads files and returns figures; no state is kept, no clock is read, and all randomness is seeded by the name of the
group. So a process pool and a cluster give the same bytes.
"""

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leezenflow.board import Site
from leezenflow_host.dataset.reading import GroupPart, GroupSource
from leezenflow_host.dataset.runs import STRETCH_GAP_MS
from leezenflow_host.dataset.sources import damage_kind
from leezenflow_host.errors import InputError
from leezenflow_host.evaluation.advice_logs import read_advice
from leezenflow_host.evaluation.bootstrap import compare, intervals
from leezenflow_host.evaluation.counting import share
from leezenflow_host.evaluation.cycles import COUNTS, GREEN_TRUTH, RED_TRUTH, CycleTable
from leezenflow_host.evaluation.display import DisplayEvaluation, Life
from leezenflow_host.evaluation.forecast_metrics import ForecastMetrics
from leezenflow_host.evaluation.forecast_tables import LocalHours
from leezenflow_host.evaluation.frame_scoring import FrameScorer
from leezenflow_host.evaluation.oddities import find_oddities
from leezenflow_host.evaluation.plain import PlainDisplay
from leezenflow_host.evaluation.stored_messages import KeepingDecoder
from leezenflow_host.evaluation.truth import Truth
from leezenflow_host.replay import build_decoder, is_break
from leezenflow_host.trace import TraceReader

Ints = NDArray[np.int64]

RESULTS_VERSION = 1
PLAIN, SITE, ADVICE = "plain", "site", "advice"
_SILENCE_MS = 6_000
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Against:
    """What to compare with: PLAIN, another SITE (`site`), or the ADVICE log at `path`."""

    kind: str
    name: str
    site: Site | None = None
    path: str = ""


@dataclass(frozen=True)
class GroupJob:
    """Everything one evaluation needs; it can travel to another process. `source` is a recording or stored files."""

    source: GroupSource | Path
    intersection: str
    signal_group: int
    setting: str
    site: Site
    against: Against | None = None
    truth: Truth | None = None
    memory: bytes | None = None
    timezone: str = "UTC"
    fps: int = 10
    display: bool = True
    """Whether to run the core, too; without it only the controller's forecast is judged, a hundred times as fast."""
    problems: tuple[dict[str, Any], ...] = field(default=())


class _Data:
    """How complete the messages are."""

    def __init__(self) -> None:
        self.messages = 0
        self.from_ms: int | None = None
        self.to_ms = 0
        self.silences = self.silent_ms = self.longest_ms = self.listened_ms = 0
        self.days: set[int] = set()
        self.programs: list[tuple[Ints, Ints]] = []

    def add(self, part: GroupPart, goes_on_from: int | None) -> None:
        """Take a part; `goes_on_from` is the last arrival before it, where it goes on."""
        at_ms = part.at_ms[(part.run >= 0) | part.heartbeat]
        if not len(at_ms):
            return
        self.messages += len(at_ms)
        self.from_ms = int(at_ms[0]) if self.from_ms is None else min(self.from_ms, int(at_ms[0]))
        self.to_ms = max(self.to_ms, int(at_ms.max()))
        self.days.update(np.unique(at_ms // _DAY_MS).tolist())
        gaps = np.diff(at_ms if goes_on_from is None else np.r_[goes_on_from, at_ms])
        gaps = gaps[gaps > 0]
        silent = gaps[gaps > _SILENCE_MS]
        self.listened_ms += int(gaps.sum())
        self.silences += len(silent)
        self.silent_ms += int(silent.sum())
        self.longest_ms = max(self.longest_ms, int(gaps.max(initial=0)))
        changes = np.flatnonzero(np.r_[True, part.program[1:] != part.program[:-1]])
        if (part.program >= 0).any():
            self.programs.append((part.at_ms[changes], part.program[changes]))

    def program_at(self, at_ms: Ints) -> Ints | None:
        """The signal program at each instant; None where the feed never tells."""
        if not self.programs:
            return None
        since = np.concatenate([at for at, _ in self.programs])
        number = np.concatenate([number for _, number in self.programs])
        order = np.argsort(since, kind="stable")
        return np.r_[-1, number[order]][np.searchsorted(since[order], at_ms, side="right")]

    def as_dict(self, cycles: int) -> dict[str, Any]:
        """The figures."""
        seconds = self.listened_ms / 1000
        return {
            "messages": self.messages,
            "days": len(self.days),
            "cycles": cycles,
            "message_rate_hz": round(self.messages / seconds, 3) if seconds else None,
            "silences": self.silences,
            "longest_silence_ms": self.longest_ms,
            "silent_share": share(self.silent_ms, self.listened_ms),
        }


def evaluate_group(job: GroupJob) -> dict[str, Any]:
    """Return the result of one job (docs/reference/evaluation.md); "memory" holds what was learned (bytes).

    `InputError` where the source holds nothing usable about the signal.
    """
    hours = LocalHours(job.timezone)
    forecasts, data = ForecastMetrics(hours), _Data()
    against_site = job.against.site if job.against else None
    shift_ms = max(against_site.cruise_ms, against_site.sprint_ms or 0) if against_site else 0
    display = DisplayEvaluation(job.site, job.memory, job.truth, shift_ms, job.fps)
    problems = list(job.problems)
    kept: list[GroupPart] | None = None
    if isinstance(job.source, Path):
        kept = _run_recording(job, job.source, display, problems)
        problems.extend(find_oddities(job.source, job.intersection, job.signal_group, kept, display.counters))
    for part, goes_on_from in _with_seams(job, kept):
        if kept is None and job.display:
            display.add(part)
        if goes_on_from is None:
            forecasts.begin_life()
        forecasts.add(part)
        data.add(part, goes_on_from)
    display.end_life()
    seen = any(len(life.truth.starts) for life in display.lives) if job.display else forecasts.has_colour
    if not seen:
        words = ", ".join(f"{count} × {word}" for word, count in sorted(display.counters.items())) or "no messages"
        raise InputError(
            f"{job.source if isinstance(job.source, Path) else job.source.dataset}: holds nothing usable about signal "
            f"group {job.signal_group} of intersection {job.intersection} ({words}). See what it holds with "
            "`leezenflow decode`."
        )
    seed = zlib.crc32(f"{job.intersection} {job.signal_group}".encode())
    comparison = None
    if job.against is not None:
        other = _other_cycles(job, job.against, display.lives, kept)
        comparison = {"against": job.against.name, "rows": compare(display.scorer.cycles, other, seed)}
    figures = display.figures()
    messages = figures.pop("messages")
    return {
        "leezenflow_results": RESULTS_VERSION,
        "intersection": job.intersection,
        "signal_group": job.signal_group,
        "setting": job.setting,
        "trace": str(job.source) if isinstance(job.source, Path) else job.source.dataset,
        "site": {
            name: getattr(job.site, name) for name in ("cruise_ms", "sprint_ms", "clearance", "max_wrong_permille")
        },
        "timezone": job.timezone,
        "from_ms": data.from_ms,
        "to_ms": data.to_ms,
        "messages": messages if job.display else data.messages,
        "data": data.as_dict(forecasts.cycle_count),
        **figures,
        "intervals": intervals(display.scorer.cycles, seed),
        "display_by": _display_by(display.scorer.cycles, hours, data),
        **forecasts.figures(),
        "comparison": comparison,
        "problems": problems,
        "memory": display.memory,
    }


def _with_seams(job: GroupJob, kept: list[GroupPart] | None) -> Iterator[tuple[GroupPart, int | None]]:
    """Every part, and the last arrival before it where it goes on without a break."""
    if kept is not None:
        yield from ((part, None) for part in kept)
        return
    assert isinstance(job.source, GroupSource)
    last_ms: int | None = None
    adapter = None
    for part in itertools.chain.from_iterable(map(_unbroken, job.source.read())):
        if not len(part.at_ms):
            continue
        first_ms = int(part.at_ms[0])
        goes_on = last_ms is not None and last_ms <= first_ms <= last_ms + STRETCH_GAP_MS and part.adapter == adapter
        yield part, last_ms if goes_on else None
        last_ms, adapter = int(part.at_ms[-1]), part.adapter


def _unbroken(part: GroupPart) -> Iterator[GroupPart]:
    """A part, in pieces where the recorder's clock was set back within it."""
    at_ms = part.at_ms.tolist()
    seams = [row for row in range(1, len(at_ms)) if is_break(at_ms[row - 1], at_ms[row])]
    for begin, end in itertools.pairwise([0, *seams, len(at_ms)]):
        yield part.cut(begin, end) if seams else part


def _run_recording(
    job: GroupJob, path: Path, display: DisplayEvaluation, problems: list[dict[str, Any]]
) -> list[GroupPart]:
    """Replay a recording through the adapter itself; what it said of the signal group, stretch by stretch."""
    decoder = KeepingDecoder(build_decoder(job.site), job.site.adapter)
    with TraceReader(path) as reader:
        display.begin_life(decoder)
        last_ms: int | None = None
        for message in reader:
            if last_ms is not None and is_break(last_ms, message.at_ms):
                if job.truth is not None:
                    jump_s = (message.at_ms - last_ms) / 1000
                    raise InputError(
                        f"{path}, line {message.line}: the recorder's clock jumps by {jump_s:+g} s; no truth file can "
                        "belong to all of it. Leave --truth out, or cut the recording there."
                    )
                display.end_life()
                decoder.begin_stretch()
                display.begin_life(decoder)
            last_ms = decoder.at_ms = message.at_ms
            display.feed(message.at_ms, message.payload, 0, len(message.payload))
        if not reader.message_count:
            raise InputError(f"{path}: holds no message that could be read")
        for problem in reader.problems:
            text = f"{path}, line {problem.line}: {problem.text}"
            problems.append({"kind": damage_kind(problem.text), "count": 1, "text": text})
        more = reader.problem_count - len(reader.problems)
        if more:
            problems.append({"kind": "damaged_line", "count": more, "text": f"{path}: {more} further lines"})
    display.end_life()
    return decoder.parts()


def _other_cycles(job: GroupJob, against: Against, lives: list[Life], kept: list[GroupPart] | None) -> CycleTable:
    """The counts, by cycle, of what the display is compared with."""
    if against.kind == SITE:
        assert against.site is not None
        shift_ms = max(job.site.cruise_ms, job.site.sprint_ms or 0)
        other = DisplayEvaluation(against.site, job.memory, job.truth, shift_ms, job.fps)
        for part, _ in _with_seams(job, kept):
            other.add(part)
        other.end_life()
        return other.scorer.cycles
    scorer = FrameScorer(job.site.cruise_ms, job.site.sprint_ms)
    if against.kind == ADVICE:
        for frames in read_advice(Path(against.path)):
            for life in lives:
                scorer.judge(frames, life.truth, life.from_ms, life.to_ms)
        if not scorer.cycles.sums()["frames"]:
            raise InputError(
                f"{against.path}: has no frame at the time of the recording. Name the log of the same data."
            )
        return scorer.cycles
    number = -1
    plain = PlainDisplay(job.site.cruise_ms, job.fps)
    for part, goes_on_from in _with_seams(job, kept):
        if goes_on_from is None:
            number += 1
            plain = PlainDisplay(job.site.cruise_ms, job.fps)
        life = lives[number]
        scorer.judge(plain.show(part), life.truth, life.from_ms, life.to_ms)
    return scorer.cycles


def _display_by(table: CycleTable, hours: LocalHours, data: _Data) -> list[dict[str, Any]]:
    cycles, wants, counts = table.rows()
    hour = hours.hour_of_week(cycles)
    program = data.program_at(cycles)
    # Who arrives in green sees red next.
    following = np.where(wants == GREEN_TRUTH, "red", np.where(wants == RED_TRUTH, "green", ""))
    dimensions: list[tuple[str, NDArray[Any]]] = [("hour", hour % 24), ("weekday", hour // 24)]
    if program is not None:
        dimensions.append(("program", program))
    dimensions.append(("switch", following))
    rows = []
    for by, values in dimensions:
        for value in np.unique(values).tolist():
            if value in ("", -1):
                continue
            sums = dict(zip(COUNTS, counts[values == value].sum(axis=0).tolist(), strict=True))
            judged = sums["judged_frames"]
            rows.append(
                {
                    "by": by,
                    "value": str(value),
                    "frames": sums["frames"],
                    "judged_frames": judged,
                    "wrong_colour_share": share(sums["wrong"], judged),
                    "wrong_green_share": share(sums["wrong_green"], sums["frames"]),
                    "answered_share": share(sums["answered"], judged),
                    "uncertain_share": share(sums["uncertain"], judged),
                    "dark_share": share(sums["dark"], judged),
                    "remaining_mae_ms": round(sums["error_ms"] / sums["timed"]) if sums["timed"] else None,
                }
            )
    return rows
