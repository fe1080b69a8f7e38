# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One intersection from the wire to the lit pixel: broker, board, recording and panel, all on this computer.

The parts are those of the field: MQTT, mpremote, MicroPython, the firmware. Only the signal is made up (the recording
says so) and the panel is a socket instead of LEDs.
"""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

from leezenflow.advice import Advice
from leezenflow.clock import ticks_diff
from leezenflow_host.board_config import read_board
from leezenflow_host.boards.frames import Frame, FrameReceiver, Message, MessageDone
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.boards.virtual import VirtualBoard
from leezenflow_host.broker import EmbeddedBroker
from leezenflow_host.errors import LeezenflowError
from leezenflow_host.evaluation.scoring import Score, Scorer
from leezenflow_host.evaluation.truth import Truth, load_truth
from leezenflow_host.feeding import open_feed, pace
from leezenflow_host.image import build_image
from leezenflow_host.preview import Snapshot
from leezenflow_host.site_config import read_site
from leezenflow_host.trace import TraceMessage, TraceReader

# The minute of the recording in which most happens.
BEGIN_S = 60.0
LENGTH_S = 60.0
# The board needs two messages before it may say anything (rule F9); nothing is judged before.
SETTLE_MS = 3_000
# A GIF shows no more than this many pictures a second.
GIF_FPS = 10
_START_TIMEOUT_S = 20.0
# The last message is on its way and decoded within this.
_LAST_MESSAGE_MS = 1_000


def data_file(name: str) -> Path:
    """A file of the package's own data."""
    return Path(str(files("leezenflow_host") / "data" / name))


@dataclass
class Shown:
    """What the panel showed at one moment of the recording (`at_ms`, Unix ms)."""

    at_ms: int
    frame: Frame

    @property
    def advice(self) -> Advice:
        """The frame's advice as the core's own object."""
        advice = Advice()
        advice.kind = self.frame.kind
        advice.remaining_ms = self.frame.remaining_ms
        advice.span_ms = self.frame.span_ms
        advice.certainty = self.frame.certainty
        advice.reason = self.frame.reason
        return advice


@dataclass
class Summary:
    """What happened: messages sent and decoded, frames, how long they took to draw, and how right they were."""

    messages_sent: int = 0
    messages_decoded: int = 0
    frames: int = 0
    draw_us: list[int] = field(default_factory=list)
    longest_wrong_ms: int = 0
    score: Score = field(default_factory=Score)


class Demo:
    """Runs the demo as a context: `frames` yields what the panel shows, live, until the recording has been played.

    `speed` is the pace of time for recording and board alike. LeezenflowError, with the next step, for what fails.
    """

    def __init__(self, speed: int = 1, begin_s: float = BEGIN_S, length_s: float = LENGTH_S) -> None:
        self.speed = speed
        self.site = read_site(data_file("example_site.toml"))
        self.summary = Summary()
        self.pictures: list[tuple[int, Snapshot]] = []
        self.truth: Truth = load_truth(data_file("demo.truth.json"), self.site.values["signal"]["signal_group"])
        with TraceReader(data_file("demo.jsonl.gz"), strict=True) as reader:
            self.note = reader.header.note
            self._messages = _slice(reader, begin_s, length_s)
        self.truth.from_ms = self._messages[0].at_ms
        self.truth.to_ms = min(self.truth.to_ms, self._messages[-1].at_ms)
        rider = self.site.values["rider"]
        self.cruise_ms: int = rider["cruise_ms"]
        self.sprint_ms: int = rider["sprint_ms"] or self.cruise_ms
        self._scorer = Scorer(self.truth, self.cruise_ms, self.sprint_ms, SETTLE_MS)
        self._parts = contextlib.ExitStack()
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def start_broker(self) -> str:
        """Start the broker; returns its address."""
        self._broker = self._parts.enter_context(EmbeddedBroker())
        return f"127.0.0.1:{self._broker.port}"

    def start_board(self) -> str:
        """Plug the virtual board in; returns its serial port."""
        self._receiver = self._parts.enter_context(FrameReceiver("tcp", record=True))
        config = read_board("virtual")
        config.values["device"]["ticks_speed"] = self.speed
        self._config = config
        environment = {"LEEZENFLOW_FRAMES": self._receiver.url}
        self._board = self._parts.enter_context(VirtualBoard(environment=environment))
        return self._board.port

    def install(self) -> int:
        """Install firmware and site on the board with mpremote, and start it; returns the number of files."""
        topic = self._messages[0].topic
        self.site.values["signal"]["source"] = f"mqtt://127.0.0.1:{self._broker.port}/{topic}"
        image = build_image(self._config, self.site)
        with SerialBoard(self._board.port) as board:
            board.deploy(image)
            board.reset()
        self._receiver.wait_for(lambda frame: frame.listening, _START_TIMEOUT_S)
        return len(image.files)

    def frames(self) -> Iterator[Shown]:
        """Play the recording and yield every frame of the board, placed in the time of the recording."""
        feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)
        feeder.start()
        sent = {message.payload: message.at_ms for message in self._messages}
        finished = False
        zero: tuple[int, int] | None = None
        wrong_since: int | None = None
        for record in self._receiver.records(timeout_s=5.0):
            if self._fault is not None:
                raise self._fault
            if isinstance(record, Message):
                # A message ties the board's clock to the recording's; the first one that was sent does it for all.
                if zero is None and record.payload in sent:
                    zero = (record.ticks, sent[record.payload])
            elif isinstance(record, MessageDone):
                self.summary.messages_decoded += 1
            elif isinstance(record, Frame) and zero is not None:
                shown = Shown(zero[1] + ticks_diff(record.ticks, zero[0]), record)
                if shown.at_ms > self._messages[-1].at_ms + _LAST_MESSAGE_MS:
                    finished = True
                    break
                wrong_since = self._judge(shown, wrong_since)
                yield shown
        feeder.join(_START_TIMEOUT_S)
        if self._fault is not None:
            raise self._fault
        if not finished:
            raise LeezenflowError(f"the board stopped showing frames; it printed:\n{self._board.log[-2000:]}")
        self.summary.score = self._scorer.finish()

    def _judge(self, shown: Shown, wrong_since: int | None) -> int | None:
        summary = self.summary
        summary.frames += 1
        summary.draw_us.append(shown.frame.draw_us)
        advice = shown.advice
        self._scorer.judge(shown.at_ms, advice)
        frame = shown.frame
        if not self.pictures or shown.at_ms - self.pictures[-1][0] >= 1000 * self.speed // GIF_FPS:
            self.pictures.append((shown.at_ms, Snapshot(frame.width, frame.height, frame.pixels, frame.palette)))
        truth = self.truth.colour_at(shown.at_ms + self.cruise_ms)
        if advice.kind not in ("green", "red") or truth not in ("green", "red") or advice.kind == truth:
            return None
        wrong_since = shown.at_ms if wrong_since is None else wrong_since
        summary.longest_wrong_ms = max(summary.longest_wrong_ms, shown.at_ms - wrong_since)
        return wrong_since

    def _feed(self) -> None:
        try:
            with open_feed(f"mqtt://127.0.0.1:{self._broker.port}") as feed:
                for message in pace(self._messages, self.speed):
                    feed.send(message.payload, message.topic)
                    self.summary.messages_sent += 1
        except BaseException as error:
            self._fault = error


def _slice(messages: TraceReader, begin_s: float, length_s: float) -> list[TraceMessage]:
    """The messages from `begin_s` to `begin_s + length_s` of a recording."""
    iterator = iter(messages)
    first = next(iterator)
    begin_ms = first.at_ms + round(begin_s * 1000)
    kept = itertools.takewhile(
        lambda message: message.at_ms <= begin_ms + round(length_s * 1000), itertools.chain([first], iterator)
    )
    return [message for message in kept if message.at_ms >= begin_ms]
