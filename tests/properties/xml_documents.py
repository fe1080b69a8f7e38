# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random SPATEM documents in XML, written in every way XML allows, and what they mean according to ElementTree."""

from random import Random
from xml.etree import ElementTree

from leezenflow.spatem import MOVEMENT_PHASE_STATES, STATUS_BITS, IntersectionState

TIMES = ("startTime", "minEndTime", "maxEndTime", "likelyTime", "confidence", "nextTime")
LIMITS = {"confidence": 15}
FIELDS = {
    "startTime": "start_time",
    "minEndTime": "min_end_time",
    "maxEndTime": "max_end_time",
    "likelyTime": "likely_time",
    "confidence": "confidence",
    "nextTime": "next_time",
}
# What may stand in a comment to lead a reader astray that does not know where comments end.
HIDDEN = (
    "Rot",
    "44.57 Sekunden (1 Sekunde)",
    "</MovementState>",
    "</MovementState><MovementState><signalGroup>12</signalGroup>",
    "<MovementState><signalGroup>12</signalGroup><state_time_speed><MovementEvent><eventState>6</eventState>"
    "</MovementEvent></state_time_speed></MovementState>",
    "<signalGroup>12</signalGroup>",
    "</states></IntersectionState>",
    "</IntersectionState>",
    "<moy>1</moy>",
    "<timing><likelyTime>1</likelyTime></timing>",
    "-> > ]]> ?>",
)


class Style:
    """How a sender writes: indentation, comments, attributes, prefixes, order."""

    def __init__(self, random: Random) -> None:
        self.indent = random.choice(("", "\n", "\n  ", " \t\r\n"))
        self.prefix = random.choice(("", "", "", "", "ns:"))
        self.comments = random.choice((0, 0, 0, 0.05, 0.3))
        self.attributes = random.choice((0, 0, 0, 0.2))
        self.instructions = random.choice((0, 0, 0, 0.05))
        self.cdata = random.choice((0, 0, 0, 0.3))
        self.spaces = random.choice((0, 0, 0.3))
        self.shuffle = random.choice((0, 0, 0, 0.3, 1))
        self.unknown = random.choice((0, 0, 0.1))
        self.names = random.choice((True, True, False))
        self.xer = random.choice((False, False, False, True))
        self.bits = random.choice(("elements", "elements", "plain", "string"))


class Writer:
    """Writes a tree of (name, content) in a style; content is a text, a number or a list of such pairs."""

    def __init__(self, random: Random, style: Style) -> None:
        self.random = random
        self.style = style

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    def noise(self) -> str:
        text = self.style.indent
        while self.chance(self.style.comments):
            text += f"<!--{self.random.choice(HIDDEN)}-->" + self.style.indent
        if self.chance(self.style.instructions):
            text += "<?tool keep this?>"
        if self.chance(self.style.unknown):
            text += self.random.choice(("<vendor/>", "<vendor><id>12</id><signalGroup>12</signalGroup></vendor>"))
        return text

    def attributes(self) -> str:
        if not self.chance(self.style.attributes):
            return self.random.choice(("", " ")) if self.style.attributes else ""
        return self.random.choice((' unit="ds"', " a='x>y' b=\"/>\"", ' xml:lang = "de" ', "\n c='\"'"))

    def text(self, name: str, value: object) -> str:
        text = str(value)
        # (A bit string in pieces is the one thing the decoder does not put together.)
        if name != "status" and self.chance(self.style.cdata):
            cut = self.random.randrange(len(text) + 1)
            text = f"{text[:cut]}<![CDATA[{text[cut:]}]]>"
        if self.chance(self.style.spaces):
            text = self.random.choice((" ", "\n")) + text + self.random.choice(("", " \t"))
        if self.chance(self.style.comments):
            cut = self.random.choice((0, len(text)))
            text = text[:cut] + "<!-- 7 -->" + text[cut:]
        return text

    def element(self, name: str, content: object) -> str:
        tag = self.style.prefix + name
        if isinstance(content, list):
            children = list(content)
            if self.chance(self.style.shuffle):
                self.random.shuffle(children)
            inner = "".join(self.noise() + self.element(*child) for child in children) + self.noise()
        elif content is None:
            return f"<{tag}{self.attributes()}/>" if self.chance(0.5) else f"<{tag}></{tag}>"
        else:
            inner = self.text(name, content)
        return f"<{tag}{self.attributes()}>{inner}</{tag}{' ' if self.chance(self.style.attributes) else ''}>"


def number(random: Random, limit: int) -> object:
    """Mostly a number a sender would send; sometimes another, or none."""
    kind = random.random()
    if kind < 0.9:
        return random.randrange(min(limit, 36002) + 1)
    return random.choice((0, limit, limit + 1, "", "-5", "x", "1 2", "99999999999999999999", "007"))


def event(random: Random, style: Style) -> tuple[str, list]:
    state = random.randrange(10)
    if style.xer:
        written: object = [(MOVEMENT_PHASE_STATES[state], None)]
    else:
        written = state if random.random() < 0.98 else random.choice((10, "x", ""))
    parts: list = [("eventState", written)]
    if random.random() < 0.9:
        usual = random.random() < 0.8
        times = ("minEndTime", "maxEndTime", "likelyTime", "confidence") if usual else TIMES
        chosen = [name for name in times if usual or random.random() < 0.7]
        parts.append(("timing", [(name, number(random, LIMITS.get(name, 65535))) for name in chosen]))
    if random.random() < 0.2:
        value: object = [("stateChangeReason", random.randrange(14))] if random.random() < 0.3 else None
        parts.append(("regional", [("RegionalExtension", [("regionId", 3), ("regExtValue", value)])]))
    return ("MovementEvent", parts)


def movement(random: Random, style: Style, group: int) -> tuple[str, list]:
    parts: list = [("movementName", group)] if style.names else []
    parts.append(("signalGroup", group))
    count = random.choice((1, 1, 1, 5, 5, 2, 16, 17, 0) if random.random() < 0.2 else (1, 5))
    name = "state-time-speed" if style.xer else "state_time_speed"
    parts.append((name, [event(random, style) for _ in range(count)]))
    return ("MovementState", parts)


def intersection(random: Random, style: Style, number_: int, groups: list[int]) -> tuple[str, list]:
    bits = [random.random() < 0.2 for _ in STATUS_BITS]
    if style.bits == "string":
        status: object = "".join("1" if bit else "0" for bit in bits) + "00"
    else:
        prefix = "IntersectionStatusObject." if style.bits == "elements" else ""
        status = [(prefix + name, int(bit)) for name, bit in zip(STATUS_BITS, bits, strict=True)]
    region = [("region", 49)] if random.random() < 0.9 else []
    parts: list = [
        ("name", random.choice(("Ms_01090", "id", "12"))),
        ("id", [*region, ("id", number_)]),
        ("revision", random.randrange(128)),
        ("status", status),
    ]
    if random.random() < 0.95:
        parts.append(("moy", number(random, 527040)))
    if random.random() < 0.95:
        parts.append(("timeStamp", number(random, 65535)))
    parts.append(("states", [movement(random, style, group) for group in groups]))
    return ("IntersectionState", parts)


def document(random: Random, style: Style, groups: list[int], others: int) -> bytes:
    """A whole document: our intersection 49:1090 among `others`."""
    ids = [1090] + [random.choice((7, 1091, 12)) for _ in range(others)]
    if style.shuffle:
        random.shuffle(ids)
        random.shuffle(groups)
    intersections = [intersection(random, style, number_, groups) for number_ in ids]
    spat: list = [("name", "2.3.0"), ("intersections", intersections)]
    if random.random() < 0.1:
        spat.insert(0, ("timeStamp", random.randrange(527041)))
    writer = Writer(random, style)
    root = "MessageFrame" if style.xer else "DATA"
    body = writer.element(root, [("ItsPduHeader", [("messageID", 4), ("stationID", 1090)]), ("SPAT", spat)])
    if style.prefix:
        body = body.replace(root, root + ' xmlns:ns="urn:x"', 1)
    head = random.choice(('<?xml version="1.0"?>\n', "", "\ufeff", "\n<!-- head -->"))
    return (head + body + random.choice(("", "\n", " <!-- tail -->\n"))).encode()


def mean(payload: bytes, region: int | None, number_: int, group: int) -> object:
    """What the document says of the group: a tuple of numbers, or "other", "no_signal_group" or "malformed"."""
    root = ElementTree.fromstring(payload.removeprefix(b"\xef\xbb\xbf").strip())
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    spat = next(element for element in root.iter() if element.tag in ("SPAT", "spat"))
    for state in spat.iterfind("intersections/IntersectionState"):
        found = read(state.find("id/region"), 65535)
        if read(state.find("id/id"), 65535) == number_ and (region is None or found == region):
            break
    else:
        return "other"
    movements = [m for m in state.iterfind("states/MovementState") if read(m.find("signalGroup"), 255) == group]
    if not movements:
        return "no_signal_group"
    events = [e for part in ("state_time_speed", "state-time-speed") for e in movements[0].iterfind(part + "/*")]
    events = [e for e in events if e.tag == "MovementEvent"]
    read_events = [mean_event(e) for e in events]
    if not events or any(e is None for e in read_events):
        return "malformed"
    moy = read(state.find("moy"), 527040)
    if moy is None:
        # (Of SPAT itself, where it stands in its place before the intersections.)
        names = [element.tag for element in spat]
        first = names.index("intersections")
        moy = read(spat.find("timeStamp"), 527040) if "timeStamp" in names[:first] else None
    stamp = read(state.find("timeStamp"), 65535)
    return (found, read(state.find("revision"), 127), mean_status(state), moy, stamp, tuple(read_events[:16]))


def mean_status(state: ElementTree.Element) -> int:
    status = state.find("status")
    assert status is not None
    text = (status.text or "").strip()
    if text:
        return int(text.replace(" ", ""), 2)
    bits = {element.tag.rpartition(".")[2]: read(element, 1) for element in status}
    return sum(0x8000 >> place for place, name in enumerate(STATUS_BITS) if bits.get(name))


def mean_event(element: ElementTree.Element) -> tuple | None:
    state = element.find("eventState")
    value = read(state, 9)
    if state is not None and value is None and not (state.text or "").strip() and len(state) and is_phase(state[0].tag):
        value = MOVEMENT_PHASE_STATES.index(state[0].tag)
    if value is None:
        return None
    times = tuple(read(element.find("timing/" + name), LIMITS.get(name, 65535)) for name in TIMES)
    return (value, *times, read(element.find("regional//stateChangeReason"), 12))


def is_phase(name: str) -> bool:
    return name in MOVEMENT_PHASE_STATES


def read(element: ElementTree.Element | None, limit: int) -> int | None:
    text = "" if element is None else (element.text or "").strip(" \t\r\n")
    if not text.isascii() or not text.isdigit() or len(text) > 30 or int(text) > limit:
        return None
    return int(text)


def flatten(state: IntersectionState) -> tuple:
    """A decoder's result in the form of `mean`."""
    events = tuple(
        (e.event_state, *(getattr(e, FIELDS[name]) for name in TIMES), e.state_change_reason)
        for e in state.movement.events[: state.movement.event_count]
    )
    return (state.region, state.revision, state.status, state.moy, state.time_stamp, events)
