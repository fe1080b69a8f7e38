# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the `test_*` functions of one file of tests/core without pytest, on a real MicroPython.

    micropython -X heapsize=256k tests/core_runner.py tests/core/test_clock.py [test_name ...]

Prints one line a test ("ok NAME" or "FAILED NAME" after the traceback), then "ran N, failed M"; exit code 1 when any
failed, none was found, or the file could not be imported.
"""

import gc
import sys

SOURCE_ROOTS = ("firmware", "signal_adapters")


def put_on_path(runner, test_file):
    """Put the source roots beside the runner's folder, and the test's own folder, on `sys.path`; returns the module."""
    tests, _, _ = runner.rpartition("/")
    root = (tests or ".") + "/.."
    folder, _, name = test_file.rpartition("/")
    for source_root in SOURCE_ROOTS:
        sys.path.insert(0, root + "/" + source_root)
    sys.path.insert(0, folder or ".")
    return name[:-3] if name.endswith(".py") else name


def run_tests(module, only):
    """Run the module's tests in the order of their names (`only` those named, if any); returns (run, failed)."""
    names = sorted(name for name in dir(module) if name.startswith("test_") and (not only or name in only))
    failed = 0
    for name in names:
        gc.collect()
        try:
            getattr(module, name)()
        except Exception as error:
            show(error)
            print("FAILED", name)
            failed += 1
        else:
            print("ok", name)
    return len(names), failed


def show(error):
    """Print the traceback on stdout."""
    print_exception = getattr(sys, "print_exception", None)
    if print_exception is None:
        sys.excepthook(type(error), error, error.__traceback__)
    else:
        print_exception(error, sys.stdout)


def main(arguments):
    """Run one file; returns the exit code."""
    if len(arguments) < 2:
        print("usage: core_runner.py FILE [test_name ...]")
        return 2
    name = put_on_path(arguments[0], arguments[1])
    try:
        module = __import__(name)
    except Exception as error:
        show(error)
        print("FAILED to import", name)
        return 1
    run, failed = run_tests(module, arguments[2:])
    print(f"ran {run}, failed {failed}")
    return 1 if failed or not run else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
