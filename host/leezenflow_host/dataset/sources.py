# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that can be ingested: recordings of every adapter, and histories of signal heads as PrioBike published them."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_adapters import rsmp
from leezenflow_host.dataset import histories
from leezenflow_host.dataset.observations import (
    Observation,
    Problem,
    observation_of_state,
    observations_of,
)
from leezenflow_host.dataset.repeats import XmlRepeats
from leezenflow_host.decoding.detect import PayloadDecoder, decoder_names, detect
from leezenflow_host.decoding.rsmp import recognises as is_rsmp
from leezenflow_host.decoding.rsmp import split_stream
from leezenflow_host.drivers import driver_names
from leezenflow_host.errors import InputError
from leezenflow_host.problems import did_you_mean
from leezenflow_host.trace import TraceMessage, TraceProblem, TraceReader

# Formats whose messages speak of one signal head only and do not say of which.
_SINGLE = ("sensorthings", "lamp_sense", "fixed_time")


def damage_kind(text: str) -> str:
    """The kind of problem that a `TraceProblem` of this text is."""
    return "cut_off" if "cut off" in text else "damaged_line"


@dataclass(frozen=True)
class SourceOptions:
    """What a person said about the sources, for feeds that do not say it: None where nothing was said."""

    adapter: str | None = None
    intersection: str | None = None
    signal_group: int | None = None
    adapter_options: dict[str, Any] = field(default_factory=dict)


class Source:
    """One file; iterate it for its observations. Problems are handed to `problems`, a list that the reader empties.

    `adapter` is known at once, or from the first message on. `InputError` when it is no file that can be read.
    """

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.message_count = 0
        self.unreadable_count = 0
        self._options = options
        self._history = histories.is_history(path)
        self._reader: TraceReader | None = None
        self.adapter: str | None = "sensorthings"
        self._intersection: str | None = options.intersection
        self._signal_group: int | None = options.signal_group
        if not self._history:
            self._reader = TraceReader(path, on_problem=self._note_damage)
            header = self._reader.header
            self.adapter = options.adapter or header.adapter
            if self.adapter is not None and self.adapter not in driver_names("adapter"):
                self._reader.close()
                raise InputError(
                    f"{path}: there is no adapter {self.adapter}{did_you_mean(self.adapter, driver_names('adapter'))}"
                )
            named = header.extra.get("intersection")
            self._intersection = options.intersection or (str(named) if named is not None else None)
            group = header.extra.get("signal_group")
            if self._signal_group is None and isinstance(group, int):
                self._signal_group = group

    def __iter__(self) -> Iterator[Observation]:
        if self._reader is None:
            for observation in histories.read_history(self.path):
                self.message_count += 1
                yield observation
            return
        with self._reader as reader:
            messages = iter(reader)
            first = next(messages, None)
            if first is None:
                return
            if self.adapter is None:
                self.adapter = self._detect(first)
            if self.adapter in _SINGLE:
                read = self._read_single(self.adapter)
            elif self.adapter == "rsmp":
                read = self._read_rsmp()
            else:
                read = self._read_spat()
            next(read)
            message: TraceMessage | None = first
            while message is not None:
                self.message_count += 1
                yield from read.send(message)
                message = next(messages, None)

    def _detect(self, message: TraceMessage) -> str | None:
        _, decoder = detect(message.payload)
        return None if decoder is None else decoder.__name__.rpartition(".")[2]

    def _note_damage(self, problem: TraceProblem) -> None:
        self.problems.append(Problem(damage_kind(problem.text), problem.text, problem.line))

    def _note_unreadable(self, message: TraceMessage, error: object) -> None:
        self.unreadable_count += 1
        text = str(error)
        self.problems.append(
            Problem("unreadable_message", text, message.line, from_ms=message.at_ms, to_ms=message.at_ms)
        )

    def _read_spat(self) -> Any:
        """Every group of every intersection, through the full decoders."""
        decoder = PayloadDecoder(self.adapter if self.adapter in decoder_names() else None)
        fallback = self._intersection
        repeats = XmlRepeats()
        found: list[Observation] = []
        while True:
            message: TraceMessage = yield found
            repeated = repeats.find(message)
            if repeated is not None:
                found = [repeated]
                continue
            found = []
            for result in decoder.decode(message.payload):
                if isinstance(result, SignalError):
                    self._note_unreadable(message, result)
                    continue
                if "intersections" not in result or not result["intersections"]:
                    continue  # a MAPEM
                if "movements" not in result["intersections"][0]:
                    continue
                try:
                    found.extend(observations_of(result, message.at_ms, fallback))
                except ValueError as error:
                    raise InputError(f"{self.path}, line {message.line}: {error}") from error
            repeats.keep(found)

    def _place(self) -> tuple[str, int]:
        if self._intersection is None or self._signal_group is None:
            raise InputError(
                f"{self.path}: messages of {self.adapter} do not say which signal they are about; give --intersection "
                "and --signal-group, or --site FILE.toml that holds both."
            )
        return self._intersection, self._signal_group

    def _read_single(self, adapter: str) -> Any:
        """One signal head, through the adapter that a unit would use, for it keeps what it was told before."""
        intersection, group = self._place()
        module = importlib.import_module(f"leezenflow_adapters.{adapter}")
        decoder = module.Decoder(None, 0, group, self._options.adapter_options)
        found: list[Observation] = []
        while True:
            message: TraceMessage = yield found
            found = []
            try:
                if not decoder.decode(message.payload, 0, len(message.payload)):
                    continue
            except SignalError as error:
                self._note_unreadable(message, error)
                continue
            observation = observation_of_state(decoder.state, message.at_ms, intersection)
            observation.movements = [(group, events) for _, events in observation.movements]
            found.append(observation)

    def _read_rsmp(self) -> Any:
        """Every group that RSMP names; its decoders put together what different messages say of one group."""
        if self._intersection is None:
            raise InputError(f"{self.path}: RSMP names no intersection; give it with --intersection.")
        decoders: dict[int, Any] = {}
        found: list[Observation] = []
        while True:
            message: TraceMessage = yield found
            found = []
            for group in _rsmp_groups(message.payload):
                if group not in decoders:
                    decoders[group] = rsmp.Decoder(None, 0, group, self._options.adapter_options)
            told: dict[tuple[int | None, int], Observation] = {}
            for group, decoder in sorted(decoders.items()):
                try:
                    if not decoder.decode(message.payload, 0, len(message.payload)):
                        continue
                except SignalError as error:
                    self._note_unreadable(message, error)
                    break
                observation = observation_of_state(decoder.state, message.at_ms, self._intersection)
                same = told.setdefault((observation.message_at_ms, observation.clock), observation)
                events = observation.movements[0][1]
                if same is observation:
                    observation.movements.clear()
                same.movements.append((group, events))
            found = list(told.values())


def _rsmp_groups(payload: bytes) -> set[int]:
    """Numbers of the groups that a piece of the stream speaks of."""
    groups: set[int] = set()
    if b"signalgroupstatus" not in payload or not is_rsmp(payload):
        return groups
    for text in split_stream(payload)[0]:
        try:
            statuses = json.loads(text).get("sS", [])
        except (ValueError, AttributeError):
            continue
        for status in statuses if isinstance(statuses, list) else ():
            if isinstance(status, dict) and status.get("n") == "signalgroupstatus":
                characters = str(status.get("s"))[:255]
                groups.update(number for number, character in enumerate(characters, 1) if character != "-")
    return groups
