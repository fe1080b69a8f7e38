# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording from a real mosquitto over TLS with the secrets of a unit, as the generator made both."""

import json
from pathlib import Path
from typing import Literal

import pytest
from brokers import wait_until
from mosquitto_fleet import TOPIC, Fleet

from leezenflow_host.capture.arrivals import Arrival
from leezenflow_host.capture.sources import make_source
from leezenflow_host.errors import LeezenflowError


@pytest.mark.parametrize("auth", ["password", "certificate"])
def test_recording_over_tls(tmp_path: Path, auth: Literal["password", "certificate"]) -> None:
    with Fleet(tmp_path / "fleet", auth) as fleet, fleet.client("feeder") as feeder:
        secrets = json.loads((fleet.folder / "units/unit-a.json").read_text())
        certificate = "?certificate=unit.der" if auth == "certificate" else ""
        source = make_source(f"mqtts://localhost:{fleet.port}/{TOPIC}{certificate}", secrets)
        source.open()
        try:
            feeder.publish(TOPIC, b"<SPAT/>", 1).wait_for_publish(10)
            heard: list[Arrival] = []
            wait_until(lambda: bool(heard.extend(source.receive(0.1)) or heard), "the message has come")
        finally:
            source.close()
    assert [(arrival.topic, arrival.payload) for arrival in heard] == [(TOPIC, b"<SPAT/>")]


def test_a_broker_with_a_wrong_certificate_is_not_believed(tmp_path: Path) -> None:
    with Fleet(tmp_path / "fleet", hosts=("elsewhere.example",)) as fleet:
        source = make_source(f"mqtts://127.0.0.1:{fleet.port}/{TOPIC}", fleet.secrets("unit-a"))
        with pytest.raises(LeezenflowError, match="no TLS with the MQTT broker at "):
            source.open()
