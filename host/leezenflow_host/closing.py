# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has a `close()` may stand in a `with` block."""

from typing import Self


class Closing:
    """Mixed into a class with `close()`: at the end of a `with` block it is closed, whatever ended the block."""

    def close(self) -> None:
        """Let go of what is held; safe to call twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
