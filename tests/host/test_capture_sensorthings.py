# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording several SensorThings datastreams of one controller: signs of life that can be told from the signal."""

import json
from pathlib import Path
from typing import Any

import pytest
from capturing import capturing, payloads, payloads_so_far, read
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from waiting import wait_until

from leezenflow_adapters import sensorthings
from leezenflow_host.broker import EmbeddedBroker
from leezenflow_host.capture.sensorthings_source import with_datastream
from leezenflow_host.capture.sources import make_source
from leezenflow_host.decoding.detect import PayloadDecoder
from leezenflow_host.errors import InputError
from leezenflow_host.trace import TraceReader

HEAD, CYCLE_SECOND, OTHER = 81694, 81700, 81711


def observation(result: int, second: int) -> bytes:
    instant = f"2023-09-28T12:00:{second:02}Z"
    values = {"@iot.id": 7, "phenomenonTime": instant, "resultTime": instant, "result": result}
    return json.dumps(values).encode()


def test_each_observation_gets_the_id_of_its_datastream(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    sent = [(HEAD, 1, 0), (CYCLE_SECOND, 3, 2), (OTHER, 1, 3), (CYCLE_SECOND, 5, 4), (HEAD, 3, 5)]
    wanted = [number for number in sent if number[0] != OTHER]
    with EmbeddedBroker() as broker:
        url = f"sensorthings://127.0.0.1:{broker.port}?streams={HEAD},{CYCLE_SECOND}"
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        with capturing(url, out) as running:
            wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")
            for stream, result, second in sent:
                topic = f"v1.1/Datastreams({stream})/Observations"
                client.publish(topic, observation(result, second), qos=1).wait_for_publish(20)
            wait_until(lambda: len(payloads_so_far(out)) == len(wanted), "all of the two datastreams")
        client.disconnect()
        client.loop_stop()
    assert [message.topic for message in read(out)] == [f"v1.1/Datastreams({item[0]})/Observations" for item in wanted]
    with TraceReader(out) as reader:
        assert reader.header.adapter == "sensorthings"
        assert reader.header.source == url
    decoder = sensorthings.Decoder(None, 332, 31, {"datastream": HEAD, "controller": [CYCLE_SECOND]})
    seen = []
    for payload in payloads(out):
        assert decoder.decode(payload, 0, len(payload)) is True
        movement = decoder.state.movement
        seen.append("alive" if decoder.state.heartbeat else movement.events[0].event_state)
    assert seen == [3, "alive", "alive", 5]
    assert all(isinstance(next(PayloadDecoder().decode(payload)), dict) for payload in payloads(out))


def test_what_is_said_already_or_is_no_observation_stays():
    assert json.loads(with_datastream(b' {"result": 3}', 5)) == {"Datastream": {"@iot.id": 5}, "result": 3}
    for payload in (
        b"",
        b"3",
        b"[]",
        b"{}",
        b"{",
        b"\xff",
        b'{"result":1,"Datastream":{}}',
        '{"result":1}'.encode("utf-16"),
    ):
        assert with_datastream(payload, 5) == payload
    assert with_datastream(b"[" * 100_000, 5) == b"[" * 100_000


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sensorthings://127.0.0.1", "give the ids"),
        ("sensorthings://127.0.0.1?streams=a", "give the ids"),
        ("sensorthings://127.0.0.1?streams=" + ",".join(map(str, range(1, 40))), "1 to 32"),
        ("sensorthings://127.0.0.1/v1.1?streams=1", "name the server"),
        ("sensorthings://?streams=1", "name the server"),
        ("sensorthings://127.0.0.1?streams=1&qos=7", "qos"),
        ("sensorthings://127.0.0.1?streams=1&what=1", "no option"),
    ],
)
def test_urls_that_do_not_do(url: str, complaint: str):
    with pytest.raises(InputError, match=complaint):
        make_source(url)


def test_what_to_check_when_nothing_comes():
    source: Any = make_source("sensorthings://server?streams=1,2&version=v1.0")
    assert "'v1.0/Datastreams(1)/Observations'" in source.hint
