# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loops of `spatem_xml_loops` in machine code: same names, same arguments, same results, on boards.

Elsewhere these are those. Viper checks no bounds. Both loops stay below `limit`, which is within the buffer, but for
the few characters that they compare at a time, and what is behind a message's last tag cannot match. The tests run both
side by side.
"""

# ptr8 and the like are words of the viper compiler.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportIndexIssue=false, reportOperatorIssue=false, reportCallIssue=false
# pyright: reportMissingImports=false, reportAssignmentType=false

import sys

if sys.implementation.name == "micropython":
    import micropython

    def join_gaps(gaps):
        """The gaps one behind the other, each ended by a zero."""
        return b"\0".join(gaps) + b"\0"

    @micropython.viper
    def find_end(buffer: ptr8, at: int, limit: int, mark: ptr8, size: int) -> int:
        """Find the end tag of an element, see spatem_xml_loops.find_end."""
        last = limit - size
        while at <= last:
            if int(buffer[at]) == 60:
                kind = int(buffer[at + 1])
                if kind == 47:
                    place = 2
                    while place < size and int(buffer[at + place]) == int(mark[place]):
                        place += 1
                    if place == size:
                        return at
                elif kind == 33:
                    if int(buffer[at + 2]) != 45 or int(buffer[at + 3]) != 45:
                        return -2
                    at += 4
                    while int(buffer[at]) != 45 or int(buffer[at + 1]) != 45 or int(buffer[at + 2]) != 62:
                        at += 1
                        if at >= last:
                            return -2
                    if at + 3 > last:
                        return -2
                    at += 2
                elif kind == 63:
                    return -2
            at += 1
        # Something may begin in the last few characters, too.
        while at + 1 < limit:
            if int(buffer[at]) == 60 and (int(buffer[at + 1]) == 33 or int(buffer[at + 1]) == 63):
                return -2
            at += 1
        return -1

    @micropython.viper
    def read_event(buffer: ptr8, at: int, limit: int, gaps: ptr8, numbers: ptr16) -> int:
        """Read the five numbers of an event, see spatem_xml_loops.read_event."""
        value = int(buffer[at]) - 48
        if value < 0 or value > 9:
            return -1
        numbers[0] = value
        at += 1
        place = 0
        field = 1
        while field < 5:
            wanted = int(gaps[place])
            while wanted != 0:
                if at >= limit:
                    return -1
                found = int(buffer[at])
                if found == wanted:
                    at += 1
                    place += 1
                    wanted = int(gaps[place])
                else:
                    # A comment is passed, with the white space behind it, if the gap goes on with a tag.
                    if (
                        found != 33
                        or int(buffer[at - 1]) != 60
                        or int(buffer[at + 1]) != 45
                        or int(buffer[at + 2]) != 45
                    ):
                        return -1
                    at += 3
                    stop = at + 512
                    while int(buffer[at]) != 45 or int(buffer[at + 1]) != 45 or int(buffer[at + 2]) != 62:
                        at += 1
                        if at + 2 >= limit or at + 2 >= stop:
                            return -1
                    at += 3
                    while at < limit:
                        found = int(buffer[at])
                        if found != 32 and found != 10 and found != 13 and found != 9:
                            break
                        at += 1
                    if at >= limit or int(buffer[at]) != 60:
                        return -1
                    at += 1
            place += 1
            value = int(buffer[at]) - 48
            if value < 0 or value > 9:
                return -1
            at += 1
            digit = int(buffer[at]) - 48
            while digit >= 0 and digit <= 9:
                value = value * 10 + digit
                if value > 65535:
                    return -1
                at += 1
                digit = int(buffer[at]) - 48
            numbers[field] = value
            field += 1
        return at

else:
    from leezenflow_adapters.spatem_xml_loops import find_end, join_gaps, read_event  # noqa: F401
