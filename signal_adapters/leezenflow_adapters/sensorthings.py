# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OGC SensorThings 1.1 observations of one signal head, as Hamburg's Traffic Lights Data publishes them: state only.

Over MQTT one Observation comes with each change (topic `v1.1/Datastreams(<id>)/Observations`); over HTTP a list of
them, of which the newest counts. The source names the datastream, so an Observation needs no id to be ours; the one
that carries an id can be checked with the option `datastream`.

There is no forecast on this feed: the event has no timing but `start_time`, the change at the lamp. `moy` and
`time_stamp` are the platform's `resultTime` (the phenomenonTime where there is none). What comes next is learned.

Because only changes are told, silence means nothing. Observations of the same controller that name their datastream
(its cycle second, detectors, other signal heads) prove that it lives, where the options list them.
"""

from leezenflow import spatem
from leezenflow.errors import SignalError
from leezenflow_adapters.one_step import OneStepDecoder, read_json
from leezenflow_adapters.utc import parse_instant

RUNTIMES = ("device", "host")
OPTIONS = {
    "datastream": {
        "type": "int",
        "range": [0, 1073741823],
        "default": 0,
        "help": "take only observations of this datastream, where they name one (0: any)",
    },
    "program": {
        "type": "int",
        "range": [0, 1073741823],
        "default": 0,
        "help": "datastream of the signal program: another one is learned anew (0: none)",
    },
    "controller": {
        "type": "list",
        "items": "int",
        "range": [1, 1073741823],
        "default": [],
        "help": "other datastreams of the same controller, such as its cycle second: signs of life",
    },
}

# The codes of primary_signal: 0 dark, 1 red, 2 amber, 3 green, 4 red-amber, 5 amber flashing, 6 green flashing,
# 9 unknown. Green flashing (Austria) still lets riders enter.
_EVENT_STATES = {
    0: spatem.DARK,
    1: spatem.STOP_AND_REMAIN,
    2: spatem.PERMISSIVE_CLEARANCE,
    3: spatem.PERMISSIVE_MOVEMENT_ALLOWED,
    4: spatem.PRE_MOVEMENT,
    5: spatem.CAUTION_CONFLICTING_TRAFFIC,
    6: spatem.PERMISSIVE_MOVEMENT_ALLOWED,
    9: spatem.UNAVAILABLE,
}


class Decoder(OneStepDecoder):
    """Decodes the state of the signal head whose datastream the source names."""

    # The engine learns a forecast for it.
    state_only = True
    # One observation has 150..400 bytes; a list asked for with $top=1 and a few links around it fits, too.
    MAX_BYTES = 4096

    def __init__(self, region, intersection_id, signal_group, options=None):
        super().__init__(region, intersection_id, signal_group, options)
        options = options or {}
        self._datastream = options.get("datastream", 0)
        self._program_stream = options.get("program", 0)
        self._controller = tuple(options.get("controller", ()))
        self._program = None

    def read(self, buffer, start, end):
        """Decode one Observation, or the newest of a list; False where there is none of our datastream."""
        observation = newest_observation(read_json(buffer, start, end))
        if observation is None:
            return False
        stream = _datastream(observation)
        program = stream is not None and stream == self._program_stream
        heartbeat = program or stream in self._controller
        if not heartbeat and self._datastream and stream not in (None, self._datastream):
            return False
        # A detector may report anything; of a sign of life only the time counts.
        code = 0 if heartbeat and not program else result_code(observation)
        changed = parse_instant(observation["phenomenonTime"].split("/")[0])
        received = observation.get("resultTime")
        told = parse_instant(received) if received else changed
        self.clear()
        self.state.moy = told.moy
        self.state.time_stamp = told.time_stamp
        self.state.on_change = True
        if program:
            self._program = code
        self.state.program = self._program
        if heartbeat:
            self.state.heartbeat = True
            return True
        event = self.state.movement.add_event()
        event.event_state = _EVENT_STATES.get(code, spatem.UNAVAILABLE)
        event.start_time = changed.mark()
        return True


def newest_observation(document):
    """The Observation in a document, the one with the latest phenomenonTime in a list; None where there is none."""
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        document = document["value"]
    if isinstance(document, dict):
        document = (document,)
    if not isinstance(document, (list, tuple)):
        raise SignalError("foreign", "no Observation")
    newest = None
    for item in document:
        if not isinstance(item, dict) or "result" not in item or not isinstance(item.get("phenomenonTime"), str):
            raise SignalError("foreign", "no Observation")
        # Texts of one server compare like the instants they name.
        if newest is None or item["phenomenonTime"] > newest["phenomenonTime"]:
            newest = item
    return newest


def result_code(observation):
    """The code an Observation gives as its result, a number or a text of one; SignalError where it is neither."""
    result = observation["result"]
    # MicroPython's True is no int.
    if result is True or result is False:
        result = 1 if result else 0
    if isinstance(result, str) and len(result) <= 3 and result.isdigit():
        result = int(result)
    if not isinstance(result, (int, float)) or result != result or not 0 <= result <= 255 or result != int(result):
        raise SignalError("malformed", "result is no code")
    return int(result)


def _datastream(observation):
    stream = observation.get("Datastream")
    return stream.get("@iot.id") if isinstance(stream, dict) else None
