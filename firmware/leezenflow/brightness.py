# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How bright the panel should be: from ambient light to 1..255, without flicker; integers only, one step a second.

Eyes judge light by ratios, so the curve goes by octaves of lux; and a panel that hunts is worse than one that is a
little too bright, so it moves only when the light has clearly changed, quickly up (a rider in the sun sees nothing
otherwise) and slowly down (a cloud, a passing lorry).
"""

BRIGHTEST = 255

# Brightness at 2**n - 1 lux, n = 0..17: about 6 in moonlight, 23 under street lamps (20 lx), 104 on a dull winter day
# (4000 lx), 255 from 65 535 lx. Chosen, not measured: the shape is a power of about 1/3, as brightness is perceived.
CURVE = (6, 8, 11, 15, 21, 29, 38, 48, 58, 69, 80, 92, 105, 125, 155, 200, 255, 255)
_FRACTION_BITS = 6

# It gets brighter for light that lasted this many steps (headlights sweep past sooner), darker for as many dark ones.
_UP_STEPS = 4
_DOWN_STEPS = 20
# Shares (as shifts) of the way that one step goes: up in some 4 s, down in some 30 s.
_UP_SHIFT = 2
_DOWN_SHIFT = 5
_LEVEL_BITS = 8


def brightness_of(lux):
    """Return the brightness (1..255) for ambient light of `lux` (whole, 0 .. 2**24; more counts as full sun)."""
    # The logarithm to base 2 of lux + 1, in 64ths and straight between the octaves.
    value = min(lux, 0xFFFFFF) + 1
    octave = 0
    while value >> octave > 1:
        octave += 1
    if octave >= len(CURVE) - 1:
        return CURVE[-1]
    fraction = ((value << _FRACTION_BITS) >> octave) - (1 << _FRACTION_BITS)
    low = CURVE[octave]
    return low + ((CURVE[octave + 1] - low) * fraction >> _FRACTION_BITS)


class Dimmer:
    """Turns what the light asks for, step by step (one a second), into what the panel gets.

    `cap` (1..255) is the most it may get, `floor` the least, unless the cap is below it.
    """

    def __init__(self, cap=BRIGHTEST, floor=1):
        self.cap = cap
        self.floor = floor
        self.shown = None
        self._level = 0
        self._direction = 0
        self._recent = bytearray(_DOWN_STEPS)
        self._next = 0

    def restart(self):
        """Take the next step's light at once."""
        self.shown = None

    def step(self, wanted, limit=BRIGHTEST):
        """Return the brightness for the next second; `wanted` 0..255, `limit` is a cap for the time being."""
        wanted = max(1, min(max(wanted, self.floor), self.cap, limit))
        recent = self._recent
        if self.shown is None:
            for place in range(_DOWN_STEPS):
                recent[place] = wanted
            self.shown = wanted
            self._level = wanted << _LEVEL_BITS
            self._direction = 0
            return wanted
        recent[self._next] = wanted
        lasting = wanted
        for ago in range(1, _UP_STEPS):
            lasting = min(lasting, recent[self._next - ago])
        self._next = (self._next + 1) % _DOWN_STEPS
        # Between what lasted and what was of late, there is no reason to move.
        gap = max((lasting << _LEVEL_BITS) - self._level, 0) or min((max(recent) << _LEVEL_BITS) - self._level, 0)
        # Rounded away from zero, so that the level arrives.
        self._level += (gap + 3 if gap > 0 else gap) >> (_UP_SHIFT if gap > 0 else _DOWN_SHIFT)
        level = (self._level + (1 << (_LEVEL_BITS - 1))) >> _LEVEL_BITS
        apart = level - self.shown
        # It goes on in the direction in which it went; it turns only for a change of more than an eighth.
        if apart * self._direction <= 0:
            if abs(apart) < 2 + (self.shown >> 3):
                return self.shown
            self._direction = 1 if apart > 0 else -1
        self.shown += max(1, apart >> 1) if apart > 0 else -max(1, -apart >> 1)
        return self.shown


class Night:
    """A daily span with a brightness of its own; minutes of the UTC day, possibly across midnight."""

    def __init__(self, from_minute, to_minute, brightness):
        self.from_minute = from_minute
        self.to_minute = to_minute
        self.brightness = brightness

    def limit(self, minute_of_day):
        """Return the cap at that minute (None: unknown, so there is none)."""
        if minute_of_day is None:
            return BRIGHTEST
        since = (minute_of_day - self.from_minute) % 1440
        return self.brightness if since < (self.to_minute - self.from_minute) % 1440 else BRIGHTEST
