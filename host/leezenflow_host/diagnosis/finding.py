# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding: which case it is, with the values that fill its texts, in German or English."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from leezenflow_host.diagnosis import texts_de, texts_en

LANGUAGES: dict[str, ModuleType] = {"de": texts_de, "en": texts_en}
HEALTHY = ("healthy", "healthy_uncertain", "feed_healthy", "still_picture")
"""The cases in which nothing has to be done."""

# Where a value is a word of ours, each language has its own.
_TRANSLATED = {"reason": "REASONS", "advice": "ADVICE"}
# What is left out of a sentence where there is nothing to say, with the words around it.
_OPTIONAL = ("where", "heard", "groups")


@dataclass(frozen=True)
class Finding:
    """A case of diagnosis/texts_*.py and the values for its {names}."""

    case: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_healthy(self) -> bool:
        """Whether nothing has to be done."""
        return self.case in HEALTHY

    def diagnosis(self, language: str) -> str:
        """What is the matter, in one sentence or two."""
        return self._fill(language, 0)

    def next_step(self, language: str) -> str:
        """The one thing to do next."""
        return self._fill(language, 1)

    def as_dict(self, language: str) -> dict[str, Any]:
        """For --json and the bundle."""
        return {
            "case": self.case,
            "healthy": self.is_healthy,
            "diagnosis": self.diagnosis(language),
            "next_step": self.next_step(language),
            "values": self.values,
        }

    def _fill(self, language: str, part: int) -> str:
        module = LANGUAGES[language]
        values = {}
        for name, value in self.values.items():
            if name in _TRANSLATED:
                value = getattr(module, _TRANSLATED[name]).get(value, value)
            if isinstance(value, list):
                value = ", ".join(map(str, value))
            if name in _OPTIONAL:
                values[name] = module.LABELS[name].format(value=value) if value else ""
            else:
                values[name] = module.LABELS["none"] if value in (None, "") else str(value).rstrip(".")
        return module.TEXTS[self.case][part].format(**values)


def default_language(environment: Mapping[str, str] | None = None) -> str:
    """The language of the user's locale: "de" or "en"."""
    environment = os.environ if environment is None else environment
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name)
        if value:
            return "de" if value.lower().startswith("de") else "en"
    return "en"
