# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the core over a recording under a virtual clock: what riders saw, or would have seen, frame by frame."""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from leezenflow.advice import Advice
from leezenflow.board import Site
from leezenflow.engine import Engine
from leezenflow.timemark import HOUR_MS
from leezenflow_host.errors import InputError
from leezenflow_host.trace import TraceMessage, TraceReader

TICKS_MASK = (1 << 30) - 1
"""Boards count milliseconds in 30 bits; a replay counts as they do, wrap included."""

_BACK_MS = 60_000
_AHEAD_MS = 86_400_000


def is_break(before_ms: int, at_ms: int) -> bool:
    """Whether between two arrivals (Unix ms) the recorder's clock was set, or nobody listened for over a day.

    That is more than a minute back, or more than a day ahead: no display has lived through it.
    """
    return not before_ms - _BACK_MS <= at_ms <= before_ms + _AHEAD_MS


def build_decoder(site: Site) -> Any:
    """Return the decoder of a site's adapter for its signal group; `InputError` when the site names no adapter."""
    if site.adapter is None:
        raise InputError("Nothing says which adapter reads these messages; name it with --adapter.")
    module = importlib.import_module(f"leezenflow_adapters.{site.adapter}")
    return module.Decoder(site.region, site.intersection_id, site.signal_group, site.adapter_options)


def replay_frames(messages: Iterable[TraceMessage], engine: Engine, fps: int = 10) -> Iterator[tuple[int, Advice]]:
    """Drive `engine` with a recording and yield (Unix ms, advice) for every frame, silences included.

    Frames start with the first message and go on to the last, `fps` a second. A message that arrived at the instant
    of a frame counts for that frame; its arrival tells the minute where the sender leaves it out. After a break
    (`is_break`) frames begin anew, as after a lost connection. The advice is the engine's own object: copy what must
    outlive the next frame.
    """
    first_ms: int | None = None
    last_ms = frame = frame_ms = 0
    for message in messages:
        if first_ms is not None and is_break(last_ms, message.at_ms):
            yield frame_ms, engine.frame(frame_ms & TICKS_MASK)
            engine.reconnected()
            first_ms, frame = None, 0
        if first_ms is None:
            first_ms = frame_ms = message.at_ms
        last_ms = message.at_ms
        while frame_ms < message.at_ms:
            yield frame_ms, engine.frame(frame_ms & TICKS_MASK)
            frame += 1
            frame_ms = first_ms + frame * 1000 // fps
        engine.set_utc(message.at_ms & TICKS_MASK, message.at_ms % HOUR_MS)
        engine.message(message.payload, 0, len(message.payload), message.at_ms & TICKS_MASK)
    if first_ms is not None:
        yield frame_ms, engine.frame(frame_ms & TICKS_MASK)


def recording_header(path: Path) -> dict[str, Any]:
    """Return what a recording's header says, for `site_from_options`."""
    with TraceReader(path) as reader:
        return {"adapter": reader.header.adapter, "note": reader.header.note, **reader.header.extra}


def advice_record(at_ms: int, advice: Advice) -> dict[str, Any]:
    """Return one line of an advice log (see docs/reference/advice-log.md) as a dict."""
    return {
        "at_ms": at_ms,
        "kind": advice.kind,
        "remaining_ms": advice.remaining_ms,
        "span_ms": advice.span_ms,
        "certainty": advice.certainty,
        "reason": advice.reason,
    }
