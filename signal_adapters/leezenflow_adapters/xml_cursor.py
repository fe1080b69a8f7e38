# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cursor in an XML document: tags, comments, attributes and numbers, without a tree and without slices.

It looks for "<" with `find`, which runs in C on both interpreters, and never further than one window at a time, so that
whoever drives it can stop after any amount of work. It knows nothing of what the elements mean.
"""

from leezenflow.errors import SignalError

# Work is counted in microseconds of an RP2040 at 125 MHz, as measured: half a one for a byte that is searched, and this
# for a tag.
TAG_US = 900
# One search looks at no more than this, so that a step stays bounded.
WINDOW = 4096

# Münster's messages have 14 to 33 kB. 255 groups of 16 events would take 1.4 MB, but no sender has that many.
MAX_BYTES = 262144
# Longer texts are no numbers, longer tags and deeper nesting no SPATEM.
MAX_TEXT = 64
MAX_DEPTH = 64
_MAX_TAG = 1024
_MAX_ATTRIBUTES = 16
_MAX_TAIL_COMMENT = 1024

# What `_form` says of the value being read.
NOTHING_YET = 0
DIGITS = 1
ENDED = 2
NO_NUMBER = 3


class XmlCursor:
    """Where in `buffer[start:end]` the reading is, and the value being read."""

    def __init__(self):
        self._root_close = b""
        self._place(b"", 0, 0)

    def _place(self, buffer, start, end):
        """Go to the beginning of a document."""
        self._buffer = buffer
        self._start = start
        self._end = end
        self._at = start
        # The end mark of the comment, CDATA section or instruction the cursor is in.
        self._hidden = None
        # How many of them there were since this was set to 0, where the last one began and what follows it.
        self._hidden_count = 0
        self._hidden_at = 0
        self._shown_at = 0
        self._name_end = 0
        self._empty = False
        self._value = 0
        self._form = NOTHING_YET

    def _fail(self, kind, detail, at):
        raise SignalError(kind, detail, at - self._start)

    def _trim(self):
        """Check that the document can be XML and ends with a tag; `_end` is behind that tag afterwards."""
        buffer = self._buffer
        start = self._start
        end = self._end
        if end - start > MAX_BYTES:
            self._fail("oversized", "%d bytes, at most %d" % (end - start, MAX_BYTES), start)
        first = start
        if first == end or buffer[first] != 60:
            if buffer.startswith(b"\xef\xbb\xbf", start):
                first += 3
            first = self._pass_space(first, end)
            if first < end and buffer[first] != 60:
                self._fail("foreign", "no XML", first)
            self._at = first
        # Nothing but space, or the zeros of a sender that counts a terminator, may follow the last tag.
        limit = max(first, end - MAX_TEXT)
        while end > limit and buffer[end - 1] in b" \t\r\n\0":
            end -= 1
        if end <= first or buffer[end - 1] != 62:
            self._fail("truncated", "no end of the document", self._end)
        self._end = end

    def _pass_space(self, at, end):
        limit = at + MAX_TEXT
        while at < end and at < limit and self._buffer[at] in b" \t\r\n":
            at += 1
        return at

    def _open_root(self, tag):
        """The first element of a document must be closed by its last tag, or the document is cut off."""
        buffer = self._buffer
        name_at = tag + 1
        behind = name_at
        while behind - name_at < MAX_TEXT and buffer[behind] not in b" \t\r\n/>":
            behind += 1
        end = self._end
        while buffer.startswith(b"-->", end - 3):
            comment = buffer.rfind(b"<!--", max(behind, end - _MAX_TAIL_COMMENT), end)
            if comment < 0:
                break
            end = comment
            while buffer[end - 1] in b" \t\r\n":
                end -= 1
        close = buffer.rfind(b"</", max(behind, end - MAX_TEXT - 8), end)
        if close < 0 or not buffer.startswith(bytes(buffer[name_at:behind]), close + 2):
            self._fail("truncated", "no end of the document", self._end)
        self._end = end
        self._root_close = bytes(buffer[close:end])

    def _pass_until(self, mark, limit):
        """Look for `mark` before `limit`: True with the cursor at it, else False with the cursor as far as it got."""
        found = self._buffer.find(mark, self._at, limit)
        if found >= 0:
            self._at = found
            return True
        if limit == self._end:
            self._fail("malformed", "no end of a comment or element", self._at)
        # The mark may lie across the edge of the window.
        self._at = limit - len(mark)
        return False

    def _hide(self, tag, is_value):
        """Enter the comment, CDATA section or instruction that begins here."""
        buffer = self._buffer
        self._hidden_count += 1
        self._hidden_at = tag
        self._at = tag + 2
        if buffer[tag + 1] == 63:  # "?"
            self._hidden = b"?>"
        elif buffer.startswith(b"<!--", tag):
            self._at = tag + 4
            self._hidden = b"-->"
        elif buffer.startswith(b"<![CDATA[", tag):
            self._at = tag + 9
            self._hidden = b"]]>"
            if is_value:
                close = buffer.find(b"]]>", self._at, self._at + MAX_TEXT)
                self._take_text(self._at, close if close >= 0 else self._at + MAX_TEXT + 1)
        else:
            # A document type could declare entities; no sender of signal data has one.
            self._fail("foreign", "document type declaration", tag)

    def _take_text(self, at, last):
        """Add a piece of text to the number being read."""
        form = self._form
        if form == NO_NUMBER:
            return
        if last - at > MAX_TEXT:
            self._form = NO_NUMBER
            return
        buffer = self._buffer
        value = self._value
        for place in range(at, last):
            digit = buffer[place] - 48
            if 0 <= digit <= 9 and form < ENDED and value < 10000000:
                value = value * 10 + digit
                form = DIGITS
            elif digit == -16 or digit == -38 or digit == -35 or digit == -39:  # space, line feed, return, tab
                if form == DIGITS:
                    form = ENDED
            else:
                form = NO_NUMBER
                break
        self._value = value
        self._form = form

    def _pass_tag(self):
        """Go from `_name_end` behind the tag; `_empty` says whether the same tag closes the element."""
        buffer = self._buffer
        at = self._name_end
        if buffer[at] == 62:
            self._at = at + 1
            self._empty = False
            return
        limit = at + _MAX_TAG
        if limit > self._end:
            limit = self._end
        for _ in range(_MAX_ATTRIBUTES):
            close = buffer.find(b">", at, limit)
            if close < 0:
                break
            if buffer.find(b"=", at, close) < 0:
                self._at = close + 1
                self._empty = buffer[close - 1] == 47
                return
            # The value of an attribute may hold a ">".
            single = buffer.find(b"'", at, limit)
            double = buffer.find(b'"', at, limit)
            if double >= 0 and (single < 0 or double < single):
                at = buffer.find(b'"', double + 1, limit) + 1
            elif single >= 0:
                at = buffer.find(b"'", single + 1, limit) + 1
            else:
                break
            if at == 0:
                break
        self._fail("malformed", "tag without end", self._name_end)

    def _pass_end_tag(self, tag):
        """Go behind the end tag that begins here."""
        close = self._buffer.find(b">", tag, tag + _MAX_TAG)
        if close < 0 or close >= self._end:
            self._fail("malformed", "tag without end", tag)
        self._at = close + 1

    def _behind_prefix(self, name_at):
        """Where the name begins behind a namespace prefix, or -1 if it has none."""
        buffer = self._buffer
        colon = buffer.find(b":", name_at, name_at + MAX_TEXT)
        if colon < 0:
            return -1
        for character in (b">", b" ", b"/", b"\n", b"\r", b"\t"):
            if buffer.find(character, name_at, colon) >= 0:
                return -1
        return colon + 1

    def _is_named(self, name, name_at):
        """Whether the tag's name that begins at `name_at` is `name`; `_name_end` is behind it then."""
        buffer = self._buffer
        if not buffer.startswith(name, name_at):
            return False
        behind = name_at + len(name)
        character = buffer[behind]
        if character != 62 and character != 47 and character > 32:
            return False
        self._name_end = behind
        return True
