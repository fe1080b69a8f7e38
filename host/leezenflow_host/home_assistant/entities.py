# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Home Assistant shows of a unit: one entity for each of these fields of the health report.

Device classes, state classes and units are those of Home Assistant's own lists (developer documentation, "Sensor
entity" and "Binary sensor entity"). Whatever a report lacks, or has as null, is `None` to a template: "unknown".
"""

from dataclasses import dataclass
from typing import Any

from leezenflow.advice import KINDS

# Home Assistant keeps 255 characters of a state, and drops a longer one altogether.
_MOST_CHARACTERS = 255
_NUMBER = "{{{{ ({path} / {divisor}) | round({digits}) if {path} is number else None }}}}"
_WHOLE = "{{{{ {path} if {path} is number else None }}}}"
_TEXT = "{{{{ ({path} | default('', true) | string)[:{most}] }}}}"
_WORD = "{{{{ {path} | default(None) }}}}"
_YES = "{{{{ 'ON' if {path} else 'OFF' }}}}"


@dataclass(frozen=True)
class Entity:
    """One entity; `path` is its field in the report, "shares.dark" a field within a field.

    `divisor` and `digits` lead from the report's whole numbers to `unit`. `measured`: only units with the part for it
    have the field. `kind`: "number", "text", "word" (text or null) or "yes" (true or false).
    """

    key: str
    name: str
    path: str
    kind: str = "number"
    unit: str | None = None
    divisor: int = 1
    digits: int = 0
    device_class: str | None = None
    state_class: str | None = "measurement"
    measured: bool = False
    options: tuple[str, ...] = ()
    diagnostic: bool = True

    @property
    def platform(self) -> str:
        """Home Assistant's word for what it is."""
        return "binary_sensor" if self.kind == "yes" else "sensor"

    @property
    def template(self) -> str:
        """The Jinja template that gets the state out of a report."""
        path = f"value_json.{self.path}"
        if self.kind == "number":
            form = _NUMBER if self.divisor > 1 else _WHOLE
            return form.format(path=path, divisor=self.divisor, digits=self.digits)
        form = {"text": _TEXT, "word": _WORD, "yes": _YES}[self.kind]
        return form.format(path=path, most=_MOST_CHARACTERS)

    def describe(self) -> dict[str, Any]:
        """What of a component follows from the entity alone."""
        told: dict[str, Any] = {"platform": self.platform, "name": self.name, "value_template": self.template}
        if self.device_class is not None:
            told["device_class"] = self.device_class
        if self.options:
            told["options"] = list(self.options)
        if self.kind == "number" and self.unit is not None:
            told["unit_of_measurement"] = self.unit
        if self.kind == "number" and self.state_class is not None:
            told["state_class"] = self.state_class
        if self.kind == "number" and self.divisor > 1:
            told["suggested_display_precision"] = self.digits
        if self.diagnostic:
            told["entity_category"] = "diagnostic"
        return told


def _celsius(key: str, name: str) -> Entity:
    return Entity(key, name, key, "number", "°C", 100, 1, "temperature", measured=True)


def _share(kind: str) -> Entity:
    return Entity(f"share_{kind}", f"Share of {kind}", f"shares.{kind}", "number", "%", 10, 1)


def _fault(field: str, name: str, *, measured: bool = False) -> Entity:
    return Entity(field, name, field, "text", measured=measured)


ENTITIES = (
    Entity("advice", "Advice", "advice", "word", device_class="enum", options=KINDS, diagnostic=False),
    Entity("reason", "Reason for no advice", "reason", "text"),
    *(_share(kind) for kind in KINDS),
    Entity("listening", "Receives messages", "listening", "yes", device_class="connectivity"),
    Entity("safe_mode", "Safe mode", "safe_mode", "yes", device_class="problem"),
    Entity("message_age_ms", "Age of the last message", "message_age_ms", "number", "s", 1000, 1, "duration"),
    Entity("latency_ms", "Latency", "latency_ms", "number", "ms", device_class="duration"),
    Entity("uptime_s", "Uptime", "uptime_s", "number", "s", device_class="duration", state_class="total_increasing"),
    Entity("reset_cause", "Cause of the last start", "reset_cause", "text"),
    Entity("failures", "Failures in a row", "failures"),
    Entity("memory_free", "Free memory", "memory_free", "number", "B", device_class="data_size"),
    Entity("late_frames", "Late frames", "late_frames", state_class="total_increasing"),
    Entity("version", "Firmware", "version", "text"),
    Entity("release", "Release", "release", state_class=None),
    _fault("fault", "Fault of the last bad message"),
    _fault("transport_fault", "Fault of the connection"),
    _fault("network_fault", "Fault of the network", measured=True),
    _celsius("temperature_cdeg", "Temperature in the housing"),
    Entity("humidity_permille", "Humidity in the housing", "humidity_permille", "number", "%", 10, 1, "humidity",
           measured=True),
    Entity("pressure_pa", "Air pressure", "pressure_pa", "number", "hPa", 100, 1, "atmospheric_pressure",
           measured=True),
    Entity("supply_mv", "Supply voltage", "supply_mv", "number", "V", 1000, 2, "voltage", measured=True),
    _celsius("board_cdeg", "Temperature of the board"),
    Entity("lux", "Light outside", "lux", "number", "lx", device_class="illuminance", measured=True),
)  # fmt: skip
