# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Half a minute of made-up advice that shows a look in every state; there is no signal behind it."""

from collections.abc import Iterator

from leezenflow.advice import DARK, GREEN, RED, SPRINT, UNCERTAIN, Advice

# (milliseconds it lasts, kind, remaining_ms at its beginning, span_ms, reason)
ACTS: tuple[tuple[int, str, int | None, int | None, str | None], ...] = (
    (6_000, RED, 6_000, 28_000, None),
    (5_000, GREEN, 16_000, 16_000, None),
    # A bus is coming: the controller cuts the phase short.
    (4_000, GREEN, 4_000, 16_000, None),
    (4_000, SPRINT, 4_000, 16_000, None),
    (5_000, RED, 30_000, 30_000, None),
    (4_000, UNCERTAIN, None, None, "doubtful"),
    (3_000, GREEN, 8_000, 16_000, None),
    (1_000, DARK, None, None, "stale"),
)
LENGTH_MS = sum(act[0] for act in ACTS)


def showcase_frames(fps: int) -> Iterator[tuple[int, Advice]]:
    """(milliseconds since the beginning, advice) `fps` times a second; the advice is one object, changed in place."""
    advice = Advice()
    begin_ms = 0
    frame = 0
    for length_ms, kind, remaining_ms, span_ms, reason in ACTS:
        while (at_ms := frame * 1000 // fps) < begin_ms + length_ms:
            if remaining_ms is None:
                advice.decline(kind, reason)
            else:
                advice.claim(kind, remaining_ms - (at_ms - begin_ms), span_ms, 95)
            yield at_ms, advice
            frame += 1
        begin_ms += length_ms
