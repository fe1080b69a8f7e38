# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two loops of the XML decoder: what they find, and that machine code (on MicroPython) finds the same."""

import sys
from array import array

from leezenflow_adapters import _spatem_xml_viper as fast
from leezenflow_adapters import spatem_xml_loops as plain

MARK = b"</MovementState"
GAPS = (b"</e>\n <t>\n<a>", b"</a>\n<b>", b"</b> <c>", b"</c><d>")
EVENT = b"3</e>\n <t>\n<a>33450</a>\n<b>0</b> <c>007</c><d>15</d>"
PIECES = (
    b"<!-- x -->",
    b"<!---->\n",
    b"<!--",
    b"-->",
    b"<!-- </a> -->",
    b"<!- -->",
    b"<",
    b"7",
    b"99999",
    b" ",
    b"</a>",
)


def test_machine_code_is_used_where_there_is_some():
    assert (fast.find_end is plain.find_end) == (sys.implementation.name != "micropython")


def find_end(text, at=0, limit=None):
    """What both find, which must be the same."""
    limit = len(text) if limit is None else limit
    # Room behind the end, as in the buffer of a transport.
    buffer = bytearray(text + b"--></MovementState")
    found = plain.find_end(buffer, at, limit, MARK, len(MARK))
    assert fast.find_end(buffer, at, limit, MARK, len(MARK)) == found, (text, at, limit)
    return found


def read_event(text):
    """The place and the numbers that both read, which must be the same."""
    buffer = bytearray(text + b"</x>--></x>-->")
    results = []
    for loops in (plain, fast):
        numbers = array("H", bytes(10))
        place = loops.read_event(buffer, 0, len(text), loops.join_gaps(GAPS), numbers)
        results.append((place, list(numbers) if place >= 0 else None))
    assert results[0] == results[1], (text, results)
    return results[0]


def test_the_end_of_a_group():
    assert find_end(b"<a>1</a></MovementState>") == 8
    assert find_end(b"</MovementState>", 1) == -1
    assert find_end(b"<a></MovementStat") == -1
    assert find_end(b"<a></MovementEvent></MovementState>") == 19
    assert find_end(b"") == -1


def test_comments_are_passed_and_what_else_could_hide_the_end_is_reported():
    assert find_end(b"<!-- </MovementState> --> </MovementState>") == 26
    assert find_end(b"<!----><!-- - -- ></MovementState> --></MovementState>") == 38
    assert find_end(b"<a>!</a>?</MovementState>") == 9
    assert find_end(b"<![CDATA[</MovementState>]]></MovementState>") == -2
    assert find_end(b"<?a </MovementState>?></MovementState>") == -2
    assert find_end(b"<!-- </MovementState>") == -2
    assert find_end(b"<!- --></MovementState>") == -2
    assert find_end(b"</MovementState><!-- ") == 0


def test_the_end_in_any_window():
    text = b"<a/> <!-- </MovementState> --> <b/> </MovementState> <c/>"
    place = 36
    for at in range(6):
        for limit in range(at, len(text) + 1):
            found = find_end(text, at, limit)
            if limit >= place + len(MARK):
                assert found == place
            elif found == -1:
                # The search goes on where it cannot begin inside the comment.
                assert limit - len(MARK) <= 5 or limit - len(MARK) >= 30


def test_an_event():
    assert read_event(EVENT) == (len(EVENT) - 4, [3, 33450, 0, 7, 15])
    assert read_event(EVENT.replace(b"33450", b"65535"))[1] == [3, 65535, 0, 7, 15]
    for old, new in (
        (b"33450", b"65536"),
        (b"33450", b"334500"),
        (b"33450", b""),
        (b"33450", b"-1"),
        (b"33450", b" 1"),
        (b"3</e>", b"12</e>"),
        (b"3</e>", b"</e>"),
        (b"<b>", b"<c>"),
        (b"<b>", b"<b> "),
        (b"15", b"x"),
    ):
        assert read_event(EVENT.replace(old, new)) == (-1, None), (old, new)


def test_comments_in_an_event():
    for old, new in (
        (b"\n <t>", b"\n <!-- Rot -->\n   <t>"),
        (b" <c>", b" <!----><!-- 44.57 Sekunden - -- - ->--> <c>"),
        (b"</b>", b"<!-- between the number and the tag --></b>"),
    ):
        assert read_event(EVENT.replace(old, new))[1] == [3, 33450, 0, 7, 15], (old, new)
    for old, new in (
        (b"<t>", b"<!-- without an end <t>"),
        (b"<t>", b"<![CDATA[]]><t>"),
        (b"<t>", b"<!-- text behind --> x <t>"),
        (b"33450", b"33<!-- in the number -->450"),
        (b"<c>", b"<!-- " + b"x" * 600 + b"--><c>"),
    ):
        assert read_event(EVENT.replace(old, new)) == (-1, None), (old, new)


def test_both_agree_on_anything():
    # A generator of our own: the same numbers on both interpreters.
    seed = 1
    read = 0
    for _ in range(1500):
        text = EVENT
        for _ in range(2):
            seed = (seed * 20077 + 12345) % 65536
            at = seed % (len(text) + 1)
            seed = (seed * 20077 + 12345) % 65536
            text = text[:at] + PIECES[seed % len(PIECES)] + text[at + seed // 7 % 2 :]
        read += read_event(text)[0] >= 0
        read_event(text[: len(text) - seed % 40])
        find_end(text.replace(b"</a>", MARK), 0, len(text) - seed % 20)
    assert 50 < read < 1000
