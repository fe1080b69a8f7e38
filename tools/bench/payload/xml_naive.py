# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One signal group out of Münster's XML by `find` alone: the yardstick of tools/bench/spatem_xml.py.

As quick and as careless as it can be written: comments, attributes, another order or a missing time lead it astray.
"""

NAMES = (b"<minEndTime>", b"<maxEndTime>", b"<likelyTime>", b"<confidence>")


class Decoder:
    """As the decoders of `leezenflow_adapters`, as far as the benchmark needs it."""

    def __init__(self, region, intersection_id, signal_group):
        self._group = b"<signalGroup>%d<" % signal_group
        self.values = [0] * 82

    def decode(self, buffer, start, end):
        """Read moy, timeStamp and the events of the group into `values`."""
        values = self.values
        at = buffer.find(b"<moy>", start, end) + 5
        values[0] = int(buffer[at : buffer.find(b"<", at, end)])
        at = buffer.find(b"<timeStamp>", at, end) + 11
        values[1] = int(buffer[at : buffer.find(b"<", at, end)])
        at = buffer.find(self._group, at, end)
        last = buffer.find(b"</MovementState>", at, end)
        count = 2
        at = buffer.find(b"<eventState>", at, last)
        while at >= 0:
            at += 12
            values[count] = int(buffer[at : buffer.find(b"<", at, last)])
            count += 1
            following = buffer.find(b"<eventState>", at, last)
            limit = last if following < 0 else following
            for name in NAMES:
                place = buffer.find(name, at, limit)
                if place >= 0:
                    place += len(name)
                    values[count] = int(buffer[place : buffer.find(b"<", place, limit)])
                count += 1
            at = following
        return count > 2
