# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many boards at the same time: one thread each, the journal beside them; one that fails stops none of the others."""

import datetime
import threading
import traceback
from collections.abc import Callable, Sequence

from leezenflow_host.errors import LeezenflowError
from leezenflow_host.file_trouble import describe_os_error
from leezenflow_host.flashing.detect import LEEZENFLOW, FoundBoard
from leezenflow_host.flashing.job import Job
from leezenflow_host.flashing.journal import COMPLETE, DONE, FAILED, STARTED, Entry, Journal
from leezenflow_host.flashing.procedure import Outcome, flash_board
from leezenflow_host.flashing.selection import key_of
from leezenflow_host.flashing.steps import Step

# USB hubs and a laptop's own ports carry so many at full speed.
MOST_AT_ONCE = 8

Tell = Callable[[FoundBoard, Step], None]
Ended = Callable[[Outcome], None]


def split_done(boards: Sequence[FoundBoard], job: Job, journal: Journal) -> tuple[list[FoundBoard], list[FoundBoard]]:
    """Return the boards still to do, and those that an interrupted batch of the same job has done already.

    What counts is the journal and the board itself: one that was emptied meanwhile is done again.
    """
    done = journal.done_in_open_batch(job.digest())
    ready = [one for one in boards if one.kind == LEEZENFLOW and key_of(one) in done]
    return [one for one in boards if one not in ready], ready


def flash_boards(
    job: Job, boards: Sequence[FoundBoard], journal: Journal, tell: Tell, ended: Ended, *, one_of_many: bool
) -> list[Outcome]:
    """Work on all boards at the same time; return how it went, in the order of `boards`.

    `tell(board, step)` and `ended(outcome)` are called from the boards' threads. The batch is complete in the journal
    when no board failed. KeyboardInterrupt: boards that were not begun are left alone, the others are abandoned where
    they are, which harms none of them.
    """
    stop = threading.Event()
    batch = job.digest()

    def work(found: FoundBoard) -> Outcome:
        journal.add(Entry(_now(), batch, STARTED, key_of(found), found.port))
        outcome = _flash_one(job, found, tell, one_of_many)
        state = DONE if outcome.ok else FAILED
        journal.add(
            Entry(_now(), batch, state, outcome.chip_id or key_of(found), found.port, outcome.unit, outcome.message)
        )
        if outcome.ok and outcome.chip_id not in (None, key_of(found)):
            # Begun under its port, because a chip in its loader did not tell its number.
            journal.add(Entry(_now(), batch, state, key_of(found), found.port, outcome.unit))
        ended(outcome)
        return outcome

    outcomes: dict[str, Outcome] = {}
    waiting = list(reversed(boards))

    def take_turns() -> None:
        while not stop.is_set():
            with turns:
                if not waiting:
                    return
                found = waiting.pop()
            outcomes[found.port] = work(found)

    turns = threading.Lock()
    # Whoever presses Ctrl-C does not want to wait for a copy to end: these threads keep no program alive.
    threads = [threading.Thread(target=take_turns, daemon=True) for _ in boards[:MOST_AT_ONCE]]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
    finally:
        stop.set()
    if outcomes and all(outcome.ok for outcome in outcomes.values()):
        journal.add(Entry(_now(), batch, COMPLETE))
    return [outcomes[found.port] for found in boards]


def _flash_one(job: Job, found: FoundBoard, tell: Tell, one_of_many: bool) -> Outcome:
    outcome = Outcome(found.port, chip_id=found.unique_id)
    try:
        return flash_board(job, found, lambda step: tell(found, step), one_of_many=one_of_many, outcome=outcome)
    except LeezenflowError as error:
        outcome.message, outcome.error = str(error), error
    except OSError as error:
        outcome.message = f"{describe_os_error(error).rstrip('.')}. Put that right, then repeat the command."
        outcome.error = LeezenflowError(outcome.message)
    except Exception as error:
        # A fault of ours with one board must not take the others' results away.
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome.message = (
            f"internal error: {type(error).__name__}: {error} ({where.name}). This is a fault in Leezenflow; "
            "report it. The board can be flashed again."
        )
    return outcome


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
