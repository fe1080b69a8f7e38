# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual board is a board: to the real mpremote, to the programs on it, and to who pulls its plug."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from leezenflow_host.boards import virtual_console
from leezenflow_host.boards.board_link import BoardLink
from leezenflow_host.boards.virtual import VirtualBoard, state_file
from leezenflow_host.errors import BoardError

COUNTER = "import time\nprint('main begins')\nn = 0\nwhile True:\n    n += 1\n    time.sleep_ms(5)\n"


@pytest.fixture
def board(micropython) -> Iterator[VirtualBoard]:
    """A new board with nothing on it."""
    with VirtualBoard() as board:
        yield board


def mpremote(board: VirtualBoard, *arguments: str) -> str:
    """Run the real mpremote on the board's port and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", board.port, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(board: VirtualBoard, expression: str) -> str:
    """Interrupt the board and return what an expression gives there; mpremote's transport without its command line."""
    link = BoardLink(board.port, "the board", 20)
    try:
        return link.execute(f"print({expression})").strip()
    finally:
        link.close()


def start(board: VirtualBoard, **files: str) -> int:
    """Put `name="text"` into /name.py and press reset; returns where the log of the new start begins."""
    link = BoardLink(board.port, "the board", 20)
    for name, text in files.items():
        link.write_file(f"/{name}.py", text.encode(), lambda count: None)
    link.close()
    # What the interpreter says when it leaves the raw REPL may come late; it is not of the new start.
    wait_until(lambda: board.log.endswith(">>> "), "the prompt of the old life")
    since = len(board.log)
    board.hard_reset()
    return since


def test_mpremote_finds_a_file_system(board, tmp_path):
    data = tmp_path / "data.txt"
    data.write_text("one\ntwo\n" * 500)
    mpremote(board, "mkdir", ":folder")
    mpremote(board, "cp", str(data), ":folder/data.txt")
    assert mpremote(board, "cat", ":folder/data.txt") == data.read_text()
    assert "data.txt" in mpremote(board, "ls", ":folder")
    assert "868352" in mpremote(board, "df")
    mpremote(board, "rm", "-r", ":folder")
    assert "folder" not in mpremote(board, "ls")


def test_mpremote_mounts_a_folder_of_the_host(board, tmp_path):
    (tmp_path / "answer.py").write_text("answer = 6 * 7\n")
    assert mpremote(board, "mount", str(tmp_path), "exec", "import answer; print(answer.answer)").endswith("42\n")


def test_boot_comes_before_main_and_both_share_their_names_with_the_prompt(board):
    since = start(board, boot="print('boot')\nhour = 7\n", main="print('main', hour)\n")
    wait_until(lambda: board.log.endswith(">>> ") and "main" in board.log[since:], "the prompt")
    assert board.log[since:].startswith("boot\nmain 7\n")
    assert ask(board, "hour") == "7"


def test_a_failing_boot_keeps_main_from_running(board):
    since = start(board, boot="1/0\n", main="print('main begins')\n")
    wait_until(lambda: board.log[since:].endswith(">>> "), "the prompt")
    assert "ZeroDivisionError" in board.log[since:]
    assert "main begins" not in board.log


ASYNCIO = """
import asyncio
n = 0
async def count():
    global n
    while True:
        n += 1
        await asyncio.sleep_ms(1)
asyncio.run(count())
"""
CATCHING = """
n = 0
while True:
    try:
        n += 1
        [1][n]
    except Exception:
        pass
"""


BUSY = "n = 0\nwhile True:\n    n += 1\n"


@pytest.mark.parametrize("main", [COUNTER, BUSY, ASYNCIO, CATCHING], ids=["sleeping", "busy", "asyncio", "catching"])
def test_a_running_main_is_interrupted_and_its_state_kept(board, main):
    start(board, main=main)
    for _ in range(10):
        assert int(ask(board, "globals().get('n', 0)")) >= 0
        board.hard_reset()
    wait_until(lambda: int(ask(board, "globals().get('n', 0)")) > 0 or board.hard_reset(), "a main that got somewhere")


def test_a_soft_reset_from_the_raw_repl_does_not_run_main(board):
    since = start(board, boot="print('boot runs')\n", main=COUNTER)
    wait_until(lambda: "main begins" in board.log[since:], "main")
    since = len(board.log)
    mpremote(board, "soft-reset", "exec", "print('n' in globals())")
    said = board.log[since:]
    assert "MPY: soft reboot" in said and "boot runs" in said
    assert "main begins" not in said and "False" in said


def test_a_reset_by_the_program_runs_main_again(board):
    since = start(board, main=COUNTER)
    for count in (2, 3):
        wait_until(lambda count=count: board.log[since:].count("main begins") == count - 1, "main")
        mpremote(board, "reset")
    wait_until(lambda: board.log[since:].count("main begins") == 3, "main again")


def test_nothing_in_a_program_survives_machine_reset(board):
    main = """
import machine, os
if 'once' not in os.listdir():
    open('once', 'w').close()
    try:
        machine.reset()
    except BaseException:
        pass
    print('survived')
print('second')
"""
    start(board, main=main)
    wait_until(lambda: "second" in board.log, "the second start")
    assert "survived" not in board.log


def test_system_exit_is_a_soft_reset(board):
    main = """
import os
if 'once' in os.listdir():
    print('second')
else:
    open('once', 'w').close()
    raise SystemExit
"""
    start(board, main=main)
    wait_until(lambda: "second" in board.log, "the second start")
    assert "MPY: soft reboot\r\nsecond" in board.log


def test_memory_is_as_small_as_a_boards(micropython):
    code = "try:\n bytearray(100_000)\n print('room')\nexcept MemoryError:\n print('none')"
    with VirtualBoard(heap_kb=96) as small:
        assert mpremote(small, "exec", code) == "none\n"
    with VirtualBoard(heap_kb=256) as large:
        assert mpremote(large, "exec", code) == "room\n"


def test_the_machine_has_what_boards_have(board):
    code = (
        "import machine, sys\nprint(len(machine.unique_id()), machine.reset_cause() == machine.PWRON_RESET,"
        " len(machine.RTC().datetime()), machine.freq(), sys.path, sys.argv)"
    )
    assert mpremote(board, "exec", code) == "8 True 8 125000000 ['', '.frozen', '/lib'] []\n"
    first = ask(board, "__import__('machine').unique_id()")
    board.hard_reset()
    assert ask(board, "__import__('machine').unique_id()") == first


def test_the_watchdog_bites_who_does_not_feed_it_even_after_a_soft_reset(board):
    start(board, main="import machine\nprint('cause', machine.reset_cause())\n")
    mpremote(board, "exec", "import machine\nw = machine.WDT(timeout=5000)\nw.feed()", "soft-reset")
    wait_until(lambda: "cause 3" in board.log, "the watchdog's reset")


def test_a_fed_watchdog_does_not_bite(board):
    main = """
import machine, time
w = machine.WDT(timeout=3000)
for _ in range(110):
    w.feed()
    time.sleep_ms(30)
print('cause', machine.reset_cause())
while True:
    w.feed()
"""
    start(board, main=main)
    wait_until(lambda: "cause" in board.log, "more than three seconds of feeding")
    assert "cause 1" in board.log


def test_the_environment_reaches_the_program(micropython):
    with VirtualBoard(environment={"LEEZENFLOW_FRAMES": "udp://127.0.0.1:9"}) as board:
        assert mpremote(board, "exec", "import os; print(os.getenv('LEEZENFLOW_FRAMES'))") == "udp://127.0.0.1:9\n"


def test_long_output_arrives_whole(board, monkeypatch):
    # On a busy computer mpremote may not have its turn for longer than a USB device waits for its host.
    monkeypatch.setattr(virtual_console, "_HOST_PATIENCE_S", 60.0)
    out = mpremote(board, "exec", "for i in range(4000):\n print('line', i)")
    assert out == "".join(f"line {i}\n" for i in range(4000))


def test_nobody_needs_to_read_what_a_program_prints(board):
    start(board, main="for i in range(20000):\n    print('line', i)\nopen('done', 'w').close()\n" + COUNTER)
    wait_until(lambda: "main begins" in board.log, "the end of the talk")
    assert ask(board, "'done' in __import__('os').listdir()") == "True"


def test_the_flash_keeps_its_files_and_belongs_to_one(micropython, tmp_path):
    flash = tmp_path / "deep" / "unit.flash"
    with VirtualBoard(flash) as board:
        start(board, main=COUNTER)
        with pytest.raises(BoardError, match="in use by another process"):
            VirtualBoard(flash)
    with VirtualBoard(flash) as board:
        wait_until(lambda: "main begins" in board.log, "main from the flash")


def test_a_spoilt_file_system_is_made_new_as_on_rp2(micropython, tmp_path):
    flash = tmp_path / "unit.flash"
    flash.write_bytes(bytes(64 * 4096))
    with VirtualBoard(flash) as board:
        assert mpremote(board, "exec", "import os; print(os.listdir())") == "[]\n"


def test_a_file_that_is_no_flash_is_refused(micropython, tmp_path):
    flash = tmp_path / "letter.txt"
    flash.write_text("dear")
    with pytest.raises(BoardError, match="is not the flash of a virtual board"):
        VirtualBoard(flash)
    assert flash.read_text() == "dear"


def test_power_off_takes_the_port_away_and_power_on_brings_the_files_back(board):
    start(board, main=COUNTER)
    port = board.port
    board.power_off()
    assert not os.path.exists(port)
    board.power_on()
    wait_until(lambda: "main begins" in board.log, "main")
    board.power_on()
    assert "main.py" in mpremote(board, "ls")


def test_a_power_cut_in_a_write_leaves_a_file_system(micropython, tmp_path):
    flash = tmp_path / "unit.flash"
    with VirtualBoard(flash) as board:
        start(board, main="print('main begins')\n")
    with VirtualBoard(flash, cut_power_after=5) as board:
        with pytest.raises(BoardError, match="vanished"):
            ask(board, "[open('main.py', 'w').write('#' * 5000) for _ in range(100)]")
        assert board.power_was_cut
    with VirtualBoard(flash) as board:
        assert "main.py" in ask(board, "__import__('os').listdir()")


def _processes_of(board: VirtualBoard) -> list[str]:
    """Command lines of all processes that have the board's flash in their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "virtual_rom" in words and str(board._flash) in words:
            found.append(words)
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
def test_nothing_is_left_of_a_closed_board(micropython):
    board = VirtualBoard()
    folder = board._flash.parent
    with pytest.raises(RuntimeError), board:
        assert len(_processes_of(board)) == 1
        assert folder.is_dir()
        raise RuntimeError
    assert _processes_of(board) == []
    assert not folder.exists()
    board.close()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_board_ends_with_its_process_however_that_ends(micropython, tmp_path, number):
    flash = tmp_path / "unit.flash"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-m", "leezenflow_host.boards.virtual", str(flash)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    assert os.path.exists(port)
    process.send_signal(number)
    process.wait()
    wait_until(lambda: not _has_open(flash), "the interpreter's end")
    assert number == signal.SIGKILL or process.returncode == 0


def _has_open(file: Path) -> bool:
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.path.samestat(descriptor.stat(), file.stat()):
                return True
        except OSError:
            continue
    return False


def test_where_there_is_no_micropython_one_sentence_says_so(monkeypatch):
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    with pytest.raises(BoardError, match="MICROPYTHON is '/nowhere/micropython', which is not a program"):
        VirtualBoard()
    monkeypatch.delenv("MICROPYTHON")
    monkeypatch.setattr("leezenflow_host.boards.interpreter.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("leezenflow_host.boards.interpreter.shutil.which", lambda name: None)
    with pytest.raises(BoardError, match="Virtual boards need MicroPython for this computer"):
        VirtualBoard()


def test_what_is_not_micropython_is_said_to_be_so(monkeypatch):
    monkeypatch.setenv("MICROPYTHON", "/bin/echo")
    with pytest.raises(BoardError, match=r"MicroPython ended before the virtual board was up\. It said: -X heapsize"):
        VirtualBoard()


def test_any_unix_micropython_will_do(micropython, monkeypatch):
    monkeypatch.setenv("MICROPYTHON", micropython)
    with VirtualBoard() as board:
        start(board, main=COUNTER)
        wait_until(lambda: "main begins" in board.log, "main")
        assert int(ask(board, "n")) >= 0


def test_state_lives_where_the_system_keeps_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_file() == tmp_path / "leezenflow" / "virtual.flash"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_file("north").parts[-4:] == (".local", "state", "leezenflow", "north.flash")
