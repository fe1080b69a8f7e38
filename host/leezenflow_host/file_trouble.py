# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the system says about a file that cannot be read or written, as a sentence with the next step."""

import errno

_NEXT_STEPS = {
    errno.ENOSPC: "Make room there, or name another place.",
    errno.EDQUOT: "Make room there, or name another place.",
    errno.EFBIG: "Name a place where files may be that long.",
    errno.EROFS: "Nothing can be written there: name another place.",
    errno.EACCES: "Name a file that you may use, or have the right to it given to you.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.ENOTDIR: "A part of this path is a file, not a folder: name another place.",
}


def describe_os_error(error: OSError) -> str:
    """Return file, reason and next step, as far as they are known."""
    reason = error.strerror or str(error) or type(error).__name__
    if not error.filename:
        return reason
    step = _NEXT_STEPS.get(error.errno or 0)
    return f"{error.filename}: {reason}" + (f". {step}" if step else "")
