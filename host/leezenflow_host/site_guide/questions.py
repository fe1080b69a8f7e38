# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site file needs to know: each question with its reason, its default, and a check of the answer."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leezenflow_host.drivers import adapter_runtimes, driver_names, driver_options
from leezenflow_host.errors import InputError
from leezenflow_host.problems import Problems
from leezenflow_host.site_config import DEFAULT_CRUISE_KMH, DEFAULT_DISTANCE_M, check_site

Key = tuple[str, str]
Answers = dict[Key, Any]

# Answers that mean: leave it out.
_NOTHING = ("-", "none", "no")


@dataclass(frozen=True)
class Question:
    """One key of a site file: how it is asked, why, and what stands there if nobody says otherwise.

    `flag` is the option that answers it. `kind` makes the value out of text. Without a default (None) an `optional`
    one is left out, and any other must be answered. `comment` stands beside the value in the file.
    """

    key: Key
    flag: str
    text: str
    why: str
    kind: Callable[[str], Any]
    comment: str
    default: Any = None
    optional: bool = False

    def parse(self, text: str) -> Any:
        """Return the value of an answer, None for left out; InputError says what to write."""
        text = text.strip()
        if self.optional and text.lower() in _NOTHING:
            return None
        try:
            return self.kind(text)
        except ValueError:
            words = {int: "a whole number", _number: "a number"}
            raise InputError(f"{self.flag} {text}: write {words.get(self.kind, 'text')}.") from None


def _number(text: str) -> int | float:
    value = float(text.replace(",", "."))
    return int(value) if value == int(value) else value


def _device_adapters() -> list[str]:
    return [name for name in driver_names("adapter") if "device" in adapter_runtimes(name)]


def site_questions(unit_name: str) -> list[Question]:
    """Return the questions in the order in which a technician can answer them."""
    looks = [name for name in driver_names("look") if name not in ("dark", "uncertain")]
    return [
        Question(
            ("unit", "name"),
            "--name",
            "Name of the unit",
            "How you call it: reports, topics and the label on the box.",
            str,
            "as on the label of the box",
            unit_name,
        ),
        Question(
            ("signal", "source"),
            "--source",
            "Where the messages come from",
            "A URL, seen from the unit, such as mqtt://broker:1883/topic or udp://0.0.0.0:6053. "
            f"Known: {', '.join(driver_names('transport'))}.",
            str,
            "as the unit reaches it; passwords go into a secrets file",
        ),
        Question(
            ("signal", "adapter"),
            "--adapter",
            "Their format",
            f"One of {', '.join(_device_adapters())}. If you do not know: leezenflow decode FILE says it.",
            str,
            "reads the messages",
        ),
        Question(
            ("signal", "intersection"),
            "--intersection",
            "The intersection, [REGION:]ID",
            "As the messages number it, such as 49:1090; without a region, any is meant.",
            str,
            "region:id of the messages",
        ),
        Question(
            ("signal", "signal_group"),
            "--signal-group",
            "The signal group of your riders",
            "1 to 255. --map FILE --at LAT,LON finds it on the operator's map, --watch URL by watching the lamp.",
            int,
            "the lamp that the riders obey",
        ),
        Question(
            ("rider", "distance_m"),
            "--distance",
            "Metres from the display to the stop line",
            "Along the way they ride. 50 to 200 m are useful: nearer, it is too late to act on it.",
            _number,
            "from the display to the stop line, along the way",
            _number(str(DEFAULT_DISTANCE_M)),
        ),
        Question(
            ("rider", "cruise_kmh"),
            "--speed",
            "The riders' usual speed in km/h",
            "18 is usual in a city on the flat; slower uphill and where many children ride.",
            _number,
            "the riders' usual speed",
            _number(str(DEFAULT_CRUISE_KMH)),
        ),
        Question(
            ("rider", "sprint_kmh"),
            "--sprint",
            "The speed of those who hurry (- if nobody should)",
            "The display then also says when hurrying still helps. Leave it out where hurrying is dangerous.",
            _number,
            "leave it out, and nobody is ever told to hurry",
            None,
            optional=True,
        ),
        Question(
            ("signal", "clearance"),
            "--clearance",
            "Amber after green counts as",
            "red is the safe choice: nobody is sent into amber.",
            str,
            "what amber after green counts as",
            "red",
        ),
        Question(
            ("look", "name"),
            "--look",
            "What the panel shows",
            f"One of {', '.join(looks)}; leezenflow preview --look NAME shows it.",
            str,
            "see: leezenflow preview --look NAME",
            "green_wave",
        ),
        Question(
            ("look", "palette"),
            "--palette",
            "Its colours",
            f"One of {', '.join(driver_options('look', 'green_wave')['palette']['choices'])}.",
            str,
            "colour_vision_safe is easier to tell apart for some",
            "muenster",
        ),
        Question(
            ("look", "brightness"),
            "--brightness",
            "Brightness, 1 to 255",
            "The most that the panel gets; a light sensor or [light] dims it from there.",
            int,
            "the most it gets, 1 to 255",
            255,
        ),
    ]


# A site with nothing wrong, into which one answer at a time is put.
_SOUND: dict[str, dict[str, Any]] = {
    "signal": {"intersection": "1", "signal_group": 1},
    "rider": {"distance_m": 100, "cruise_kmh": 5},
    "look": {},
}


def fault_of(question: Question, value: Any, answers: Mapping[Key, Any]) -> str | None:
    """Return what is wrong with an answer, beside those before it, in words; None for a good one."""
    tables = copy.deepcopy(_SOUND)
    for key, earlier in {**answers, question.key: value}.items():
        if earlier is not None:
            tables.setdefault(key[0], {})[key[1]] = earlier
    try:
        check_site(tables, Problems("answers", "", {question.key: question.flag}))
    except InputError as error:
        wrong = [line for line in str(error).splitlines() if line.startswith(question.flag)]
        return wrong[0] if wrong else None
    return None


def tables_of(answers: Mapping[Key, Any]) -> dict[str, dict[str, Any]]:
    """Return the tables of a site file; what was left out is not there."""
    tables: dict[str, dict[str, Any]] = {}
    for (table, name), value in answers.items():
        if value is not None:
            tables.setdefault(table, {})[name] = value
    return tables


def check_answers(answers: Mapping[Key, Any], questions: Sequence[Question]) -> None:
    """Check all answers together; InputError with everything that is wrong, by option."""
    missing = [question.flag for question in questions if answers.get(question.key) is None and not question.optional]
    if missing:
        raise InputError(f"Give {', '.join(missing)}: without a terminal, nobody can be asked.")
    flags = {question.key: question.flag for question in questions}
    check_site(tables_of(answers), Problems("answers", "", flags))
