# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decoded message as a tree for people: colours as words, TimeMarks as time of the hour and as seconds to go."""

from typing import Any

from rich.text import Text
from rich.tree import Tree

from leezenflow.timemark import mark_ms, nearest
from leezenflow_host.decoding.normal_form import Message

_KINDS = {4: "SPATEM", 5: "MAPEM", 18: "J2735 MAP", 19: "J2735 SPAT"}
# What a person calls the event states, and a style; see MOVEMENT_PHASE_STATES for the standard's names.
_WORDS = (
    ("unavailable", "dim"),
    ("dark", "dim"),
    ("red flashing", "red"),
    ("red", "red"),
    ("red-amber", "yellow"),
    ("green (give way)", "green"),
    ("green", "green"),
    ("amber", "yellow"),
    ("amber", "yellow"),
    ("amber flashing", "yellow"),
)
# ETSI TS 103 301 / SAE J2735 TimeIntervalConfidence, per cent.
_CONFIDENCE_PERCENT = (21, 36, 47, 56, 62, 68, 73, 77, 81, 85, 88, 91, 94, 96, 98, 100)


def message_tree(message: Message, where: str) -> Tree:
    """The tree of one message; `where` says where it was found."""
    head = Text(clean(where), "bold")
    kind = _KINDS.get(message["message_id"], "signal states")
    head.append(f": {kind}")
    if message.get("protocol_version") is not None:
        head.append(f" version {message['protocol_version']} from station {message['station_id']}")
    tree = Tree(head)
    if "map" in message:
        for intersection in message["map"]["intersections"]:
            _add_geometry(tree, intersection)
        return tree
    if message["spat_name"]:
        tree.add(Text(f"name {clean(message['spat_name'])}"))
    for intersection in message["intersections"]:
        _add_intersection(tree, intersection, message["spat_time_stamp_moy"])
    return tree


def error_tree(text: str, where: str) -> Tree:
    """What is shown in place of a message that could not be read."""
    return Tree(Text.assemble((clean(where), "bold"), ": ", (clean(text), "red")))


def clean(text: str) -> str:
    """A text of a sender without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def reference(part: dict[str, Any]) -> str:
    """An intersection as it is written in a site file: 49:1090, or 1090 without region."""
    if part["id"] is None:
        return "(no id)"
    return str(part["id"]) if part["region"] is None else f"{part['region']}:{part['id']}"


def state_word(state: int) -> Text:
    """An event state as a person says it."""
    word, style = _WORDS[state]
    return Text(word, style)


def _add_intersection(tree: Tree, intersection: dict[str, Any], minute: int | None) -> None:
    head = Text.assemble("intersection ", (reference(intersection), "bold"))
    if intersection["name"]:
        head.append(f' "{clean(intersection["name"])}"')
    if intersection["revision"] is not None:
        head.append(f", revision {intersection['revision']}")
    moy = intersection["moy"] if intersection["moy"] is not None else minute
    time_stamp = intersection["time_stamp_ms"]
    if moy is not None and moy < 527_040 and time_stamp is not None and time_stamp < 61_000:
        head.append(f", {moy // 60 % 24:02}:{moy % 60:02}:{time_stamp / 1000:06.3f} UTC")
    elif time_stamp is not None and time_stamp < 61_000:
        head.append(f", second {time_stamp / 1000:.3f} of an unknown minute")
    else:
        head.append(", without time")
    branch = tree.add(head)
    if intersection["status"]:
        branch.add(Text("status: " + ", ".join(intersection["status"])))
    if intersection["enabled_lanes"]:
        branch.add(Text("enabled lanes: " + ", ".join(map(str, intersection["enabled_lanes"]))))
    now_ms = None
    if moy is not None and moy < 527_040 and time_stamp is not None and time_stamp < 61_000:
        now_ms = moy % 60 * 60_000 + time_stamp
    silent = []
    for movement in intersection["movements"]:
        if movement["events"][0]["state"] == 0 and len(movement["events"]) == 1 and not movement["events"][0]["timing"]:
            silent.append(str(movement["signal_group"]))
        else:
            _add_movement(branch, movement, now_ms)
    if silent:
        branch.add(Text(f"without state (unavailable): {', '.join(silent)}", "dim"))
    _add_assist(branch, intersection["maneuver_assist"])
    _add_regional(branch, intersection["regional"])


def _add_movement(branch: Tree, movement: dict[str, Any], now_ms: int | None) -> None:
    head = Text.assemble("signal group ", (str(movement["signal_group"]), "bold"))
    if movement["name"] and movement["name"] != str(movement["signal_group"]):
        head.append(f' "{clean(movement["name"])}"')
    node = branch.add(head)
    for event in movement["events"]:
        line = Text.assemble(state_word(event["state"]), _timing(event, now_ms))
        leaf = node.add(line)
        for speed in event["speeds"]:
            leaf.add(Text(_speed(speed)))
        _add_regional(leaf, event["regional"])
    _add_assist(node, movement["maneuver_assist"])
    _add_regional(node, movement["regional"])


def _timing(event: dict[str, Any], now_ms: int | None) -> str:
    if not event["timing"]:
        return ""
    parts = []
    if event["start"] is not None:
        parts.append(f"since {_mark(event['start'], now_ms)}")
    if event["likely"] is not None:
        parts.append(f"until {_mark(event['likely'], now_ms)}")
    elif event["min_end"] is not None and event["min_end"] == event["max_end"]:
        parts.append(f"until {_mark(event['min_end'], now_ms)}")
    if event["likely"] is not None or event["min_end"] != event["max_end"]:
        for word, mark in (("earliest", event["min_end"]), ("latest", event["max_end"])):
            if mark is not None and mark != event["likely"]:
                parts.append(f"{word} {_mark(mark, now_ms)}")
    if event["confidence"] is not None:
        parts.append(f"confidence {_CONFIDENCE_PERCENT[event['confidence']]} %")
    if event["next"] is not None:
        parts.append(f"again {_mark(event['next'], now_ms)}")
    return " " + ", ".join(parts)


def _mark(mark: int, now_ms: int | None) -> str:
    """A TimeMark: its time of the hour, and seconds from the message's own time."""
    if mark == 36_000:
        return "more than an hour"
    instant_ms = mark_ms(mark)
    if instant_ms is None:
        return "unknown"
    text = f":{mark // 600:02}:{mark % 600 // 10:02}.{mark % 10}"
    if now_ms is not None:
        text += f" ({nearest(instant_ms - now_ms) / 1000:+.1f} s)"
    return text


def _speed(speed: dict[str, Any]) -> str:
    parts = [f"advised speed ({speed['type']})"]
    if speed["speed"] is not None:
        parts.append("unavailable" if speed["speed"] == 500 else f"{speed['speed'] / 10:.1f} m/s")
    if speed["confidence"] is not None:
        parts.append(f"precision {speed['confidence']}")
    if speed["distance"] is not None:
        parts.append(f"within {speed['distance']} m")
    if speed["class"] is not None:
        parts.append(f"class {speed['class']}")
    return ", ".join(parts)


def _add_assist(branch: Tree, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        parts = [f"connection {entry['connection_id']}"]
        if entry["queue_length"] is not None:
            parts.append(f"queue {entry['queue_length']} m")
        if entry["available_storage"] is not None:
            parts.append(f"room for {entry['available_storage']} m")
        if entry["wait_on_stop"] is not None:
            parts.append("wait at the stop line" if entry["wait_on_stop"] else "no need to wait at the stop line")
        if entry["ped_bicycle_detect"] is not None:
            parts.append("people crossing" if entry["ped_bicycle_detect"] else "nobody crossing")
        branch.add(Text(", ".join(parts)))


def _add_regional(branch: Tree, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if entry.get("value") == {}:
            continue
        if "value" in entry:
            content = ", ".join(f"{key} {value}" for key, value in entry["value"].items())
        else:
            content = entry["hex"] if len(entry["hex"]) <= 64 else entry["hex"][:64] + "..."
        branch.add(Text(f"regional {entry['region_id']}: {clean(content)}", "dim"))


def _add_geometry(tree: Tree, intersection: dict[str, Any]) -> None:
    head = Text.assemble("intersection ", (reference(intersection), "bold"))
    if intersection["name"]:
        head.append(f' "{clean(intersection["name"])}"')
    head.append(f", revision {intersection['revision']}")
    head.append(f", at {intersection['lat'] / 1e7:.7f},{intersection['long'] / 1e7:.7f}")
    branch = tree.add(head)
    for lane in intersection["lanes"]:
        line = Text.assemble("lane ", (str(lane["lane_id"]), "bold"), f" {lane['lane_type'] or 'of an unknown kind'}")
        if lane["name"]:
            line.append(f' "{clean(lane["name"])}"')
        if lane["directional_use"]:
            line.append(f", {' and '.join(lane['directional_use'])}")
        leaf = branch.add(line)
        for connection in lane["connects_to"]:
            text = f"to lane {connection['lane']}"
            if connection["maneuvers"]:
                text += f" ({', '.join(connection['maneuvers'])})"
            if connection["signal_group"] is not None:
                text += f", signal group {connection['signal_group']}"
            leaf.add(Text(text))
