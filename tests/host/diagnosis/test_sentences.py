# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor says reads well with what a unit or this computer says about a fault."""

import pytest

from leezenflow_host.diagnosis.finding import Finding


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The MQTT broker cannot be reached (no MQTT broker answers at b:1883)."),
        ("de", "Der MQTT-Broker ist nicht zu erreichen (no MQTT broker answers at b:1883)."),
    ],
)
def test_a_broker_that_does_not_answer_is_said_once(language: str, sentence: str):
    assert Finding("broker_unreachable", {"fault": "no MQTT broker answers at b:1883"}).diagnosis(language) == sentence
