# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each adapter against its recording: the same invented signal in every wire format, and its truth."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leezenflow.engine import Engine
from leezenflow_host.trace import TraceMessage, TraceReader
from signals import Site

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "tests/traces"
TICKS = 1 << 30

# Signal group as the adapter numbers it, and the group of the recording it stands for.
GROUPS = {
    "spatem_uper": (12, 12),
    "spatem_xml": (14, 14),
    "udap": (14, 14),
    "its_json": (12, 12),
    "tscbm": (4, 14),
    "rsmp": (14, 14),
    "sensorthings": (1, 12),
    "fixed_time": (1, 12),
    "lamp_sense": (1, 12),
}
STATE_ONLY = {"sensorthings", "lamp_sense"}
WITH_FORECAST = sorted(set(GROUPS) - STATE_ONLY)


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_adapter_recordings", ROOT / "tools/make_adapter_recordings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def decoder_of(adapter: str, maker: ModuleType) -> Any:
    module = importlib.import_module(f"leezenflow_adapters.{adapter}")
    return module.Decoder(None, 1090, GROUPS[adapter][0], maker.SITE_OPTIONS.get(adapter))


def messages_of(adapter: str) -> list[TraceMessage]:
    with TraceReader(TRACES / f"{adapter}.jsonl.gz", strict=True) as trace:
        assert trace.header.adapter == adapter
        return list(trace)


@pytest.mark.parametrize("adapter", sorted(GROUPS))
def test_the_recording_is_what_its_maker_writes(adapter: str, maker: ModuleType):
    made = [
        (maker.START_MS + round(second * 1000) + maker.DELAY_MS, topic, payload)
        for second, topic, payload in maker.MAKERS[adapter]()
    ]
    assert [(message.at_ms, message.topic, message.payload) for message in messages_of(adapter)] == made


@pytest.mark.parametrize("adapter", sorted(set(GROUPS) - {"lamp_sense"}))
def test_every_message_tells_the_true_state_and_end(adapter: str, maker: ModuleType):
    decoder = decoder_of(adapter, maker)
    found = 0
    for message in messages_of(adapter):
        if not decoder.decode(message.payload, 0, len(message.payload)):
            continue
        found += 1
        state = decoder.state
        # By the time the message itself gives: in a stream, a piece may end with an older message.
        told_ms = state.moy % 60 * 60_000 + state.time_stamp
        second = (told_ms - maker.START_MS) % 3_600_000 // 100 / 10
        if adapter == "sensorthings":
            second //= 1
        true_state, end = maker.signal_state(GROUPS[adapter][1], second)
        event = state.movement.events[0]
        if adapter == "tscbm":
            # An American controller knows no red-amber, and names green and amber by the phase.
            end += 1 if true_state == 3 else 0
            true_state = {3: 3, 4: 3, 5: 6, 7: 8}[true_state]
        if adapter == "fixed_time":
            true_state = {3: 3, 4: 4, 5: 6, 7: 8}[true_state]
        assert event.event_state == true_state
        if adapter == "sensorthings":
            assert event.min_end_time is None
            assert event.start_time == maker.mark(second)
        elif adapter == "rsmp":
            # It tells when green and red begin: of amber it does not say when it ends, of red when red-amber does.
            if true_state == 5:
                assert event.likely_time == maker.mark(end)
            if true_state == 3:
                assert event.likely_time == maker.mark(end + 1)
        else:
            assert event.min_end_time == maker.mark(end)
    # Hamburg's form tells changes only; of two frames that end in one piece of a stream the newer counts.
    assert found >= {"sensorthings": 12, "udap": 150}.get(adapter, 180)


def test_lamps_tell_the_true_state_a_moment_later(maker: ModuleType):
    """They know no time of the day, so it is their arrival that counts; a colour has to stand before it is believed."""
    decoder = decoder_of("lamp_sense", maker)
    for message in messages_of("lamp_sense")[2:]:
        assert decoder.decode(message.payload, 0, len(message.payload))
        second = (message.at_ms - maker.DELAY_MS - maker.START_MS) / 1000
        states = {3: 3, 4: 4, 5: 6, 7: 8}
        true_states = {states[maker.signal_state(12, second - lag)[0]] for lag in (0, 0.1, 0.2, 0.3)}
        assert decoder.state.movement.events[0].event_state in true_states


def frames_of(adapter: str, maker: ModuleType) -> list[tuple[float, str, int | None]]:
    """(second, kind, remaining) of a frame each 100 ms, for a rider standing at the stop line."""
    engine = Engine(Site(cruise_ms=0), decoder_of(adapter, maker))
    messages = messages_of(adapter)
    frames = []
    start_ms = messages[0].at_ms
    position = 0
    for now_ms in range(start_ms, messages[-1].at_ms, 100):
        while position < len(messages) and messages[position].at_ms <= now_ms:
            payload = messages[position].payload
            engine.message(payload, 0, len(payload), messages[position].at_ms % TICKS)
            position += 1
        advice = engine.frame(now_ms % TICKS)
        frames.append(((now_ms - start_ms) / 1000, advice.kind, advice.remaining_ms))
    return frames


@pytest.mark.parametrize("adapter", WITH_FORECAST)
def test_riders_are_told_the_true_colour(adapter: str, maker: ModuleType):
    frames = [frame for frame in frames_of(adapter, maker) if frame[0] >= 5]
    told = 0
    for second, kind, _ in frames:
        colours = {maker.signal_state(GROUPS[adapter][1], second + shift)[0] for shift in (-0.3, 0, 0.3)}
        if kind == "green":
            assert 5 in colours
        elif kind == "red":
            assert colours & {3, 4, 7}
        told += kind in ("green", "red")
    assert told > 0.85 * len(frames)


@pytest.mark.parametrize("adapter", sorted(STATE_ONLY))
def test_a_feed_without_forecast_promises_nothing_before_it_has_learned(adapter: str, maker: ModuleType):
    assert {kind for _, kind, _ in frames_of(adapter, maker)} <= {"dark", "uncertain"}
