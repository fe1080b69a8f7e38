# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SensorThings observations: codes, times, lists; and the UTC arithmetic behind them."""

from leezenflow.engine import Engine
from leezenflow.errors import SignalError
from leezenflow_adapters.sensorthings import Decoder
from leezenflow_adapters.utc import parse_instant
from signals import Site


def decode(text, options=None):
    decoder = Decoder(None, 332, 31, options)
    payload = text.encode()
    return decoder.decode(payload, 0, len(payload)), decoder.state


def refused(text):
    try:
        decode(text)
    except SignalError as error:
        return error.kind
    return None


def observation(result="3", more="", time="2023-09-28T12:00:39Z"):
    return '{"@iot.id": 1, "phenomenonTime": "%s", %s "result": %s}' % (time, more, result)


def test_an_observation():
    found, state = decode(observation(more='"resultTime": "2023-09-28T12:00:40.250Z",'))
    assert found is True
    assert (state.id, state.movement.signal_group, state.movement.event_count) == (332, 31, 1)
    assert (state.moy, state.time_stamp) == (270 * 1440 + 720, 40_250)
    event = state.movement.events[0]
    assert (event.event_state, event.start_time, event.min_end_time) == (5, 390, None)


def test_without_result_time_the_change_itself_counts():
    assert decode(observation())[1].time_stamp == 39_000
    assert decode(observation(more='"resultTime": null,'))[1].time_stamp == 39_000
    assert decode(observation(time="2023-09-28T12:00:39Z/2023-09-28T12:01:00Z"))[1].time_stamp == 39_000


def test_every_code():
    for code, expected in ((0, 1), (1, 3), (2, 7), (3, 5), (4, 4), (5, 9), (6, 5), (9, 0), (7, 0), (200, 0)):
        for text in ("%d", '"%d"', "%d.0"):
            assert decode(observation(text % code))[1].movement.events[0].event_state == expected
    assert decode(observation("true"))[1].movement.events[0].event_state == 3


def test_results_that_are_no_code():
    for result in ("null", '"green"', "[1]", "-1", "256", "1.5", '""', "{}", '"1234"'):
        assert refused(observation(result)) == "malformed"


def test_the_newest_of_a_list():
    text = '{"value": [%s, %s, %s]}' % (
        observation("1", time="2023-09-28T12:00:01Z"),
        observation("3", time="2023-09-28T12:00:50Z"),
        observation("2", time="2023-09-28T12:00:30Z"),
    )
    assert decode(text)[1].movement.events[0].event_state == 5
    assert decode('{"value": []}')[0] is False


def test_only_the_datastream_asked_for():
    named = observation(more='"Datastream": {"@iot.id": 7},')
    assert decode(named, {"datastream": 7})[0] is True
    assert decode(named, {"datastream": 8})[0] is False
    assert decode(named, {"datastream": 0})[0] is True
    assert decode(observation(), {"datastream": 8})[0] is True


def test_brackets_in_a_text_are_only_text():
    found, state = decode(observation(more='"note": "] } \\" {{",'))
    assert found is True
    assert state.movement.events[0].event_state == 5


def test_what_is_no_observation():
    assert refused("[1, 2]") == "foreign"
    assert refused("5") == "foreign"
    assert refused('{"result": 3}') == "foreign"
    assert refused('{"result": 3, "phenomenonTime": 7}') == "foreign"
    assert refused("{") == "malformed"
    assert refused(observation()[:-1]) == "malformed"
    assert refused('[{"result": 3, "phenomenonTime": "\\"]}"') == "malformed"
    assert refused("") == "malformed"
    assert refused(observation(time="yesterday")) == "malformed"
    assert refused(" " * 5_000) == "oversized"


def instant(text):
    parsed = parse_instant(text)
    return parsed.year, parsed.moy, parsed.time_stamp


def test_instants():
    assert instant("2023-01-01T00:00:00Z") == (2023, 0, 0)
    assert instant("2023-01-01 00:01:02.5") == (2023, 1, 2_500)
    assert instant("2023-12-31T23:59:59.999Z") == (2023, 525_599, 59_999)
    assert instant("2024-12-31T23:59:60Z") == (2024, 527_039, 60_000)
    assert instant("2024-03-01T00:00Z") == (2024, 60 * 1440, 0)
    assert instant("2023-03-01T00:00:00.123456789+00:00") == (2023, 59 * 1440, 123)


def test_zones_across_the_year():
    assert instant("2024-01-01T00:30:00+01:00") == (2023, 525_570, 0)
    assert instant("2023-12-31T23:30:00-0100") == (2024, 30, 0)
    assert instant("2024-12-31T23:30:00-01") == (2025, 30, 0)
    assert instant("2025-01-01T00:00:00+05:30") == (2024, 527_040 - 330, 0)


def test_marks_and_differences():
    assert parse_instant("2023-09-28T12:59:59.99Z").mark() == 35_999
    after = parse_instant("2024-01-01T00:00:01Z").tenths() - parse_instant("2023-12-31T23:59:59.5Z").tenths()
    assert after == 15
    after = parse_instant("2025-01-01T00:00:00Z").tenths() - parse_instant("2024-12-31T00:00:00Z").tenths()
    assert after == 864_000


def test_what_is_no_instant():
    for text in (
        "",
        "2023",
        "2023-09-28",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-32T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:61Z",
        "2023-01-01T00:00:00.Z",
        "2023-01-01T00:00:00X",
        "2023-01-01T00:00:00+1",
        "2023-01-01T00:00:0",
        "2023/01/01T00:00:00Z",
        "2023-01-01T00:00:00" + "0" * 40,
        None,
        5,
        {},
    ):
        try:
            kind = str(instant(text))
        except SignalError as error:
            kind = error.kind
        assert kind == "malformed", text


def of_stream(stream, result="3", time="2023-09-28T12:00:39Z"):
    return observation(result, '"Datastream": {"@iot.id": %d},' % stream, time)


def test_other_streams_of_the_controller_are_signs_of_life():
    decoder = Decoder(None, 332, 31, {"datastream": 5, "program": 6, "controller": [7, 8]})

    def read(text):
        payload = text.encode()
        assert decoder.decode(payload, 0, len(payload)) is True
        state = decoder.state
        return state.on_change, state.heartbeat, state.program, state.movement.event_count

    assert read(of_stream(5)) == (True, False, None, 1)
    # A detector's result is no code at all.
    assert read(of_stream(7, "12.5")) == (True, True, None, 0)
    assert read(of_stream(8, "null")) == (True, True, None, 0)
    assert read(of_stream(6, "17")) == (True, True, 17, 0)
    assert read(of_stream(5)) == (True, False, 17, 1)
    assert read(observation()) == (True, False, 17, 1)
    foreign = of_stream(9).encode()
    assert decoder.decode(foreign, 0, len(foreign)) is False


def test_the_engine_learns_its_forecast():
    assert Decoder.state_only
    engine = Engine(Site(), Decoder(None, 332, 31, {"controller": [7]}))
    for second, text in enumerate(
        (of_stream(5, "1", "2023-09-28T12:00:00Z"), of_stream(7, "0", "2023-09-28T12:00:01Z"))
    ):
        assert engine.message(text.encode(), 0, len(text), 1_000 * second)
    assert engine.counters == {"accepted": 1, "heartbeat": 1}
    # Two signs of life that agree: nothing hides the state any more, but nothing is known of its end.
    assert engine.frame(1_500).reason == "beyond_forecast"
