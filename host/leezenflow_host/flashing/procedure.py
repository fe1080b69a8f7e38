# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One board from whatever it is now to a running unit that was asked who it is, tested and reported."""

import datetime
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import leezenflow
from leezenflow_host.boards.identity import BoardIdentity, check_identity
from leezenflow_host.boards.ports import plugged_in
from leezenflow_host.boards.serial_board import SerialBoard
from leezenflow_host.commissioning import run_self_test, write_report
from leezenflow_host.errors import BoardError, InputError, LeezenflowError
from leezenflow_host.file_trouble import describe_os_error
from leezenflow_host.flashing.detect import BUSY, ESP_ROM, NO_PERMISSION, UNKNOWN, FoundBoard, is_virtual
from leezenflow_host.flashing.installation import NO_SITE, check_start, has_other_program, site_on_board
from leezenflow_host.flashing.interpreter import install_interpreter, needs_interpreter
from leezenflow_host.flashing.job import Job
from leezenflow_host.flashing.read_back import read_back
from leezenflow_host.flashing.registry import Registry
from leezenflow_host.flashing.steps import Notify, Step
from leezenflow_host.image import SLOT, Image
from leezenflow_host.setup_label import setup_of
from leezenflow_host.site_config import SiteConfig

# A board that cannot start its program says so at once; one that can is asked then.
_START_S = 1.0


@dataclass
class Outcome:
    """How it went with one board: `message` is empty when all is well, else says what is wrong and the next step.

    `error` is what the message came from (None: a fault of ours), `report` the page that was written, `written` the
    number of files, `setup_label` what the label inside the housing says (None: no first-time setup).
    """

    port: str
    unit: str = ""
    chip_id: str | None = None
    ok: bool = False
    message: str = ""
    error: LeezenflowError | None = None
    report: Path | None = None
    written: int = 0
    setup_label: dict[str, str] | None = None
    warnings: list[str] = field(default_factory=list)


def flash_board(
    job: Job, found: FoundBoard, notify: Notify, *, one_of_many: bool = False, outcome: Outcome | None = None
) -> Outcome:
    """Bring the board `found` to `job`; returns when the unit runs, has said who it is, and was tested.

    LeezenflowError with the next physical step; what was done until then need not be done again. `one_of_many`: the
    site's unit name stands for all of them, and each gets its own. `outcome`, if given, is filled as the work goes on.
    """
    if outcome is None:
        outcome = Outcome(found.port, chip_id=found.unique_id)

    notify(Step("detect", 0, 0, found.detail))
    _check_found(found, job)
    if is_virtual(found.port):
        with plugged_in(found.port, job.board) as path:
            _work(job, found, path, None, outcome, notify, one_of_many)
        return outcome
    interpreter: dict[str, Any] | None = None
    path = found.port
    if needs_interpreter(found, job.board):
        image = job.interpreter_image()
        if not image.pinned:
            outcome.warnings.append(f"{image.path.name} was installed although nobody pinned its hash.")
        installed = install_interpreter(found, job.board, image, notify)
        path = installed.port
        interpreter = {"file": image.path.name, "sha256": image.sha256, "method": installed.method}
    _work(job, found, path, interpreter, outcome, notify, one_of_many)
    return outcome


def _check_found(found: FoundBoard, job: Job) -> None:
    board = job.board
    if found.kind in (BUSY, NO_PERMISSION):
        raise BoardError(found.detail)
    empty_esp = found.kind == ESP_ROM and found.chip is None and not board.chip.startswith("ESP")
    if empty_esp or found.chip not in (None, board.chip):
        chip = found.chip or "an ESP32"
        raise BoardError(
            f"The board at {found.port} has another chip ({chip}) than {board.name} ({board.chip}): nothing was "
            "written. Name the right board with --board, or plug in the other one."
        )
    if found.kind == UNKNOWN and not needs_interpreter(found, board):
        step = "Unplug the board and plug it in again with a cable that carries data"
        if "://" in found.port:
            step = "Check the address, and that the board behind it has power"
        elif board.interpreter is not None:
            step += "; a new board is plugged in with its button BOOTSEL (or BOOT) held"
        raise BoardError(f"There is no board to work with at {found.port}: {found.detail}. {step}.")


def _work(
    job: Job,
    found: FoundBoard,
    path: str,
    interpreter: dict[str, Any] | None,
    outcome: Outcome,
    notify: Notify,
    one_of_many: bool,
) -> None:
    notify(Step("firmware", 0, 0, "what is there"))
    with SerialBoard(path, name=f"The board at {found.port}") as connection:
        identity = connection.identify()
        check_identity(identity, job.board)
        outcome.chip_id = identity.unique_id.hex()
        if not job.replace and has_other_program(connection):
            raise InputError(f"The board at {found.port} has another program (/main.py). Give --yes to replace it.")
        on_board = _site_if_readable(connection) if job.site is not None else site_on_board(connection)
        outcome.unit = _name_unit(job, on_board, identity, one_of_many)
        site = job.named(job.site or on_board, outcome.unit)
        notify(Step("firmware", 0, 0, "packing"))
        image = job.image(site, outcome.unit, identity)
        done = connection.deploy(image, lambda count, total, at: notify(Step("firmware", count, total, at)))
        outcome.written = len(done.written)
        notify(Step("restart"))
        connection.reset()
        if site is None:
            outcome.warnings.append(NO_SITE)
            connection.watch_start(_START_S)
        else:
            check_start(connection, _START_S)
        said = read_back(connection, job.board, image, outcome.unit, identity)
        notify(Step("self-test"))
        self_test = run_self_test(connection, job.board, site) if site is not None else None
        if site is None:
            connection.reset()
    notify(Step("report"))
    _warn_of_another_name(outcome, job)
    outcome.setup_label = setup_of(job.board.values, identity.unique_id)
    record = {
        "unit": outcome.unit,
        "board": job.board.name,
        "port": found.port,
        "chip": identity.chip,
        "chip_id": outcome.chip_id,
        "when": _now(),
        "tool_version": leezenflow.__version__,
        "firmware_version": said["version"],
        "micropython": identity.release,
        "interpreter": interpreter,
        "files": _hashes(image, said.get("slot")),
        "site": None if site is None else site.values,
        "setup_label": outcome.setup_label,
        "self_test": self_test,
        "warnings": outcome.warnings,
        "operator": job.operator,
    }
    try:
        _, outcome.report = write_report(record, job.out, job.language)
    except OSError as error:
        raise LeezenflowError(
            f"{outcome.unit or 'The board'} runs, but its report cannot be written: {describe_os_error(error)} "
            "Then repeat the command."
        ) from error
    if self_test is not None and not self_test["ok"]:
        raise BoardError(
            f"The unit runs, but it does not pass its self-test: {_explain(self_test)} See {outcome.report}, put right "
            "what it names, and repeat the command."
        )
    if outcome.chip_id and site is not None:
        try:
            Registry().remember(outcome.chip_id, outcome.unit, job.board.name, record["when"])
        except OSError as error:
            outcome.warnings.append(f"This computer will not know the board again: {describe_os_error(error)}")
    outcome.ok = True


def _hashes(image: Image, slot: str | None) -> dict[str, str]:
    """Return what lies on the board, under the names that it has there."""
    where = f"/{slot}/" if slot else f"{SLOT}/"
    return {
        name.replace(f"{SLOT}/", where, 1) if name.startswith(f"{SLOT}/") else name: hashlib.sha256(content).hexdigest()
        for name, content in image.files.items()
    }


def _site_if_readable(connection: SerialBoard) -> SiteConfig | None:
    """The site on a board that gets another one: of interest for the unit's name only."""
    try:
        return site_on_board(connection)
    except InputError:
        return None


def _name_unit(job: Job, on_board: SiteConfig | None, identity: BoardIdentity, one_of_many: bool) -> str:
    """Return the unit's name: the one that was asked for, else the site's, one for each where there are many."""
    number = identity.unique_id.hex()
    if job.unit is not None:
        return job.unit
    present = "" if on_board is None else on_board.values["unit"]["name"]
    wanted = present if job.site is None else job.site.values["unit"]["name"]
    own = f"{wanted or job.board.name}-{number[-6:]}"
    if not one_of_many:
        return wanted or own
    # A unit that was named by hand keeps its name among many; one that bore the name of all does not.
    common = "" if job.site is None else wanted
    old = [name for name in (Registry().unit_of(number), present) if name and name != common]
    return next((name for name in (*old, own) if job.claim(name, number)), own)


def _warn_of_another_name(outcome: Outcome, job: Job) -> None:
    known = Registry().unit_of(outcome.chip_id)
    if known is not None and known != outcome.unit:
        outcome.warnings.append(f"This board was the unit {known} before.")


def _explain(self_test: dict[str, Any]) -> str:
    failed = [
        f"{name} ({check.get('fault') or 'no reason given'})"
        for name, check in self_test["checks"].items()
        if check.get("ok") is False
    ]
    words = [f"failed: {', '.join(failed)}."] if failed else []
    return " ".join(words + list(self_test["problems"])) or "it gave no result."


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
