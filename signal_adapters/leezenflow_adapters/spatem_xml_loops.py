# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two loops in which a SPATEM in XML is read: over what does not matter, and over an event of our group.

`_spatem_xml_viper` has the same in machine code for boards: same names, same arguments, same results.
"""

# A comment in a gap is no longer than this.
MAX_COMMENT = 512


def find_end(buffer, at, limit, mark, size):
    """Find the end tag of an element: `mark` is its beginning such as "</MovementState", `size` the length of that.

    Comments are passed. Returns the tag's place if all of `mark` is before `limit`; -1 if it is not there, and the
    search can go on `size` before `limit`; -2 if something is in the way in which the mark could stand: CDATA, an
    instruction, or a comment that does not end that long before `limit`.
    """
    while True:
        place = buffer.find(mark, at, limit)
        stop = limit if place < 0 else place
        # Single characters are sought first, because CPython does that thirty times as fast.
        if buffer.find(b"?", at, stop) >= 0 and buffer.find(b"<?", at, stop) >= 0:
            return -2
        if buffer.find(b"!", at, stop) < 0:
            return place
        comment = buffer.find(b"<!", at, stop)
        if comment < 0:
            return place
        at = buffer.find(b"-->", comment + 4, limit) + 3
        if at < 3 or at > limit - size or not buffer.startswith(b"<!--", comment):
            return -2


def join_gaps(gaps):
    """The four gaps of an event as `read_event` wants them."""
    return tuple(gaps)


def read_event(buffer, at, limit, gaps, numbers):
    """Read an event's state (one digit) and four numbers between which the four `gaps` stand.

    A gap may have comments before its tags. The numbers, 0..65535 in at most five digits, go into `numbers`. Returns
    the place behind the last one, or -1 where anything else comes. Nothing behind `limit` is looked at, as long as what
    stands there is no digit.
    """
    value = buffer[at] - 48
    if not 0 <= value <= 9:
        return -1
    numbers[0] = value
    at += 1
    field = 1
    for gap in gaps:
        if buffer.startswith(gap, at):
            at += len(gap)
        else:
            at = _pass_gap(buffer, at, limit, gap)
            if at < 0:
                return -1
        value = buffer[at] - 48
        if not 0 <= value <= 9:
            return -1
        at += 1
        digit = buffer[at] - 48
        while 0 <= digit <= 9:
            value = value * 10 + digit
            if value > 65535:
                return -1
            at += 1
            digit = buffer[at] - 48
        numbers[field] = value
        field += 1
    return at


def _pass_gap(buffer, at, limit, gap):
    """Behind a gap that has comments in it, or -1."""
    while True:
        comment = buffer.find(b"<!--", at, at + MAX_COMMENT)
        size = comment - at
        if comment < 0 or gap[size : size + 1] != b"<" or not buffer.startswith(gap[:size], at):
            return -1
        at = buffer.find(b"-->", comment + 4, comment + 4 + MAX_COMMENT) + 3
        if at < 3:
            return -1
        while at < limit and buffer[at] in b" \t\r\n":
            at += 1
        gap = gap[size:]
        if buffer.startswith(gap, at):
            return at + len(gap)
