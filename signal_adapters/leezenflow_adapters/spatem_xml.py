# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPATEM as XML: the form Münster's receivers publish, and the XER of asn1c; one signal group, without a tree.

A cursor goes over the message once. It has three gaits; the quick ones give what the careful one would.

* *walk* (`spatem_xml_walk`): tag by tag, with comments, attributes, prefixes and any order of elements.
* *leap*: the rest of another signal group or intersection is passed with one `find` of its end tag.
* *stride*: a sender writes the same bytes between two values in every message. The walk keeps such stretches, here
  called gaps; where the bytes are equal again, the cursor goes straight from number to number.

Equal bytes cannot mean anything else than last time, and a leap that meets a comment is given up, because the end tag
could stand in there: then this part is walked.

Memory: gaps of at most 3 kB for what precedes `moy` and 512 bytes for each other, and 17 reusable events. After a
sender's first messages nothing is allocated.
"""

from leezenflow.errors import SignalError
from leezenflow_adapters.spatem_xml_stride import SpatemXmlStride

RUNTIMES = ("device", "host")
OPTIONS = {}

# No more than 10 ms may lie between two awaits of a board. What is begun before this is used up takes up to 2 ms more.
_STEP_US = 6500
# What comes with every message, see `xml_cursor.TAG_US`.
_BEGIN_US = 1500
_ALL_AT_ONCE = 0x1FFFFFFF


class Decoder(SpatemXmlStride):
    """Reads one signal group of one intersection out of SPATEM in XML.

    `region` 0..65535 or None for any, `intersection_id` 0..65535, `signal_group` 1..254. The result is in `state`,
    which is refilled with each message; a value that is absent, no number or out of range is None.
    """

    def __init__(self, region, intersection_id, signal_group, options=None):
        self._fresh = False
        self._finished = True
        SpatemXmlStride.__init__(self, region, intersection_id, signal_group)

    def begin(self, buffer, start, end):
        """Take a new message: `buffer[start:end]`, bytes or bytearray, which must not change until it is finished."""
        self._refill_lessons()
        self._place(buffer, start, end)
        self._fresh = True
        self._finished = False

    def step(self):
        """Do a piece of work, at most about 9 ms on an RP2040 at 125 MHz.

        None: call again. True: `state` holds the intersection and the group asked for. False: a sound message about
        other intersections. Raises `SignalError`: "truncated", "foreign" (no SPATEM in XML), "malformed", "oversized",
        or "no_signal_group" (our intersection without our group).
        """
        return self._work_off(_STEP_US)

    def decode(self, buffer, start, end):
        """Read a whole message at once; returns and raises as `step` does, but never None."""
        self.begin(buffer, start, end)
        result = None
        while result is None:
            result = self._work_off(_ALL_AT_ONCE)
        return result

    def _work_off(self, work):
        if self._finished:
            return False
        self._work = work
        outcome = None
        try:
            if self._fresh:
                self._fresh = False
                self._trim()
                self._striding = self._pass_head()
                self._work -= _BEGIN_US
            while outcome is None and self._work > 0:
                if self._striding:
                    self._striding = False
                    outcome = self._stride()
                else:
                    outcome = self._walk()
        except SignalError:
            self._finished = True
            raise
        self._finished = outcome is not None
        return outcome
