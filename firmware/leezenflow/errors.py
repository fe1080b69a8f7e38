# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two families of errors: what a sender did wrong, and what we did wrong."""


class SignalError(Exception):
    """A sender's fault: a message that is truncated, foreign or contradicts its standard.

    It is counted, logged once per `kind` and survived.

    `kind` is a short constant word such as "truncated" or "malformed" (the key of the counter); `detail` says
    which field and, where known, `offset` says which byte (counted from the start of the message).
    """

    def __init__(self, kind, detail="", offset=None):
        super().__init__(kind, detail, offset)
        self.kind = kind
        self.detail = detail
        self.offset = offset

    def __str__(self):
        text = self.kind
        if self.detail:
            text += ": " + self.detail
        if self.offset is not None:
            text += " (at byte %d)" % self.offset
        return text


class LeezenflowError(Exception):
    """Our own or the operator's fault, in words a technician can act on: what is wrong, and the next step."""
