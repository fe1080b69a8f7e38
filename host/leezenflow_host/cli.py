# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `leezenflow` command: finds the commands, and turns every error into one clean message on stderr.

Exit codes: 0 done, 1 did not work, 2 wrong usage or input, 130 stopped with Ctrl-C, 143 asked to end (SIGTERM).
`LEEZENFLOW_DEBUG=1` shows the traceback as well. `NO_COLOR` is honoured, and output to a file or pipe is plain.
"""

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

import leezenflow
from leezenflow.errors import LeezenflowError, SignalError
from leezenflow_host.commands._lazy_group import LazyGroup
from leezenflow_host.errors import InputError
from leezenflow_host.file_trouble import describe_os_error

DONE, FAILED, WRONG_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class CommandFolder(LazyGroup):
    """The group of all commands: the modules of `leezenflow_host.commands` that do not begin with `_`."""

    @property
    def prefix(self) -> str:
        """Nothing."""
        return ""


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(leezenflow.__version__, prog_name="leezenflow", message="%(prog)s %(version)s")
def root() -> None:
    """Show cyclists whether they will reach green: configure, flash, replay and measure a Leezenflow unit."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line (`arguments`, or those of the process) and exit with the code documented above."""
    _mend_streams()
    if threading.current_thread() is threading.main_thread():
        # SIGTERM as an exception, so that boards, brokers and terminals are tidied up on the way out.
        signal.signal(signal.SIGTERM, _exit_on_signal)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; prints the error message, if any, on stderr."""
    try:
        result = root.main(args=arguments, prog_name="leezenflow", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else DONE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "leezenflow"
        return _report(error, f"{_sentence(error.format_message())}\nSee: {where} --help", WRONG_INPUT)
    except click.ClickException as error:
        return _report(error, error.format_message(), error.exit_code)
    except InputError as error:
        return _report(error, str(error), WRONG_INPUT)
    except (LeezenflowError, SignalError) as error:
        return _report(error, str(error), FAILED)
    except (KeyboardInterrupt, click.Abort):
        _console().print("Stopped.", highlight=False)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone. What is still buffered must not raise again while Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _report(error, describe_os_error(error), FAILED)
    except Exception as error:
        text = (
            f"internal error: {type(error).__name__}: {error}\n"
            "This is a fault in Leezenflow. Run the same command with LEEZENFLOW_DEBUG=1 and report what it prints."
        )
        return _report(error, text, FAILED)


def _mend_streams() -> None:
    """Give a standard stream that was closed a place, and the output no reason to fail over a letter.

    A service may start us without streams, and a terminal or file may be set to an alphabet without umlauts: what it
    lacks becomes a question mark.
    """
    # In this order, because each takes the lowest number that is free: its own.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def _report(error: BaseException, text: str, code: int) -> int:
    if os.environ.get("LEEZENFLOW_DEBUG", "0") not in ("", "0"):
        traceback.print_exception(error)
    console = _console()
    console.print(Text.assemble(("Error: ", "bold red"), text), soft_wrap=True)
    return code


def _console() -> Console:
    return Console(stderr=True, highlight=False)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", ")")) else text + "."


def _exit_on_signal(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
