# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the boards that are plugged in are worked on: the named ones, or all that fit; never just the first."""

from collections.abc import Iterable, Sequence
from typing import Literal

from leezenflow_host.board_config import BoardConfig, board_names, read_board
from leezenflow_host.errors import BoardError, InputError
from leezenflow_host.flashing.detect import ESP_ROM, LEEZENFLOW, READY, FoundBoard
from leezenflow_host.flashing.journal import DONE, FAILED, STARTED, Journal

Only = Literal["failed", "outdated"]


def fits(found: FoundBoard, board: BoardConfig) -> bool:
    """Whether a board that nobody named may be worked on: ready, with this chip, and no unit of another build."""
    if found.kind not in READY:
        return False
    if found.chip is None:
        # A unit with a board file of its own, or an empty chip that only says of which family it is.
        return found.board == board.name or (found.kind == ESP_ROM and board.chip.startswith("ESP"))
    # Behind the same chip may be another panel on other pins.
    return found.chip == board.chip and found.board in (None, board.name)


def choose_boards(found: Sequence[FoundBoard], board: BoardConfig, *, all_that_fit: bool) -> list[FoundBoard]:
    """Return the boards to work on out of everything that is plugged in.

    InputError that lists the candidates when several fit and not all are meant; BoardError when none fits.
    """
    candidates = [one for one in found if fits(one, board)]
    if not found and board.virtual is not None:
        raise BoardError(f"{board.name} is no hardware: --port virtual plugs one in.")
    if not candidates:
        raise BoardError(f"No board for {board.name} ({board.chip}) is plugged in. {_others(found)}")
    if len(candidates) > 1 and not all_that_fit:
        lines = "\n".join(f"  {one.words}" for one in candidates)
        raise InputError(
            f"{len(candidates)} boards fit {board.name}; nothing was done. Name one with --port, or give --all:\n"
            f"{lines}"
        )
    return candidates


def guess_board(found: Iterable[FoundBoard]) -> BoardConfig:
    """Return the board file of units that know theirs; InputError with the files that fit the chip."""
    boards = list(found)
    names = {one.board for one in boards if one.kind == LEEZENFLOW}
    if len(names) == 1 and all(one.kind == LEEZENFLOW for one in boards):
        name = names.pop()
        if name in board_names():
            return read_board(str(name))
    chips = {one.chip for one in boards if one.chip}
    fitting = [name for name in board_names() if not chips or read_board(name).chip in chips]
    raise InputError(f"Which board is it? Give --board, one of: {', '.join(fitting)}.")


def key_of(found: FoundBoard) -> str:
    """Return what the journal calls a board: its chip's number, or its port as long as that is not known."""
    return found.unique_id or found.port


def keep_only(found: Sequence[FoundBoard], only: Only, journal: Journal, batch: str, version: str) -> list[FoundBoard]:
    """Return the boards that failed last time, or that do not have what this batch installs."""
    last = journal.last_of_each()
    kept: list[FoundBoard] = []
    for one in found:
        entry = last.get(key_of(one)) or last.get(one.port)
        if only == "failed":
            if entry is not None and entry.state in (FAILED, STARTED):
                kept.append(one)
        elif (
            one.kind != LEEZENFLOW
            or one.version != version
            or entry is None
            or (entry.batch, entry.state) != (batch, DONE)
        ):
            kept.append(one)
    return kept


def _others(found: Sequence[FoundBoard]) -> str:
    if not found:
        return (
            "There is no serial port with a device, and no UF2 volume. Plug it in with a cable that carries data; "
            "a new RP2040 or RP2350 with its button BOOTSEL held."
        )
    lines = "\n".join(f"  {one.words}" for one in found)
    return f"Name the board with --port if it is one of these:\n{lines}"
