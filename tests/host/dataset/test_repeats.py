# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message that only repeats the one before is recognised, and one that does not is not."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from dataset_recordings import write_scenario
from recordings import ORIGIN_MOY, ORIGIN_MS, message

from leezenflow_host.dataset import sources
from leezenflow_host.dataset.repeats import XmlRepeats
from leezenflow_host.dataset.sources import Source, SourceOptions
from leezenflow_host.trace import TraceMessage
from signals import Program


def test_repeats_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = [write_scenario(tmp_path / f"{name}.jsonl", name, 60) for name in ("lossy", "fixed_time_10hz")]

    class Never(XmlRepeats):
        def find(self, message: Any) -> None:
            return None

    for path in paths:
        quick = [dataclasses.asdict(found) for found in Source(path, SourceOptions())]
        with monkeypatch.context() as patch:
            patch.setattr(sources, "XmlRepeats", Never)
            assert quick == [dataclasses.asdict(found) for found in Source(path, SourceOptions())]


def test_only_the_time_may_differ():
    (tmp, other), repeats = (_told(0), _told(1)), XmlRepeats()
    assert repeats.find(tmp) is None
    repeats.keep([_decoded(tmp)])
    found = repeats.find(other)
    assert found is not None and found.message_at_ms == ORIGIN_MS + 1_000 and found.at_ms == other.at_ms
    for changed in (
        other.payload.replace(b"<eventState>6", b"<eventState>5", 1),
        other.payload.replace(b"<moy>", b"<moy>x", 1),
        other.payload.replace(b"</IntersectionState>", b"<moy>1</moy></IntersectionState>"),
        other.payload[:-3],
    ):
        assert repeats.find(dataclasses.replace(other, payload=changed)) is None
    assert repeats.find(dataclasses.replace(other, topic="another")) is None
    # What is not kept is not known.
    repeats.keep([])
    assert repeats.find(dataclasses.replace(other, topic="another")) is None


def test_a_time_that_was_read_otherwise_is_not_kept():
    repeats = XmlRepeats()
    told = _told(0)
    assert repeats.find(told) is None
    repeats.keep([dataclasses.replace(_decoded(told), message_at_ms=ORIGIN_MS + 60_000)])
    assert repeats.find(_told(1)) is None


def _told(second: int) -> TraceMessage:
    at_ms = ORIGIN_MS + second * 1_000
    return TraceMessage(at_ms + 100, "/spat/1090", message(Program(0), at_ms))


def _decoded(told: TraceMessage) -> Any:
    assert str(ORIGIN_MOY).encode() in told.payload
    from leezenflow_host.dataset.observations import observations_of
    from leezenflow_host.decoding import spatem_xml

    (found,) = observations_of(spatem_xml.decode(told.payload), told.at_ms, None)
    return found
