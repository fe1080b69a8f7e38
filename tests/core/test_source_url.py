# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site's source as one line of text: what is understood, and what is refused in words."""

from leezenflow.errors import LeezenflowError
from leezenflow.source_url import MAX_URL_CHARACTERS, is_file_name, parse_source, typed_options

DECLARED = {
    "qos": {"type": "int", "range": [0, 1], "default": 0},
    "offset": {"type": "int", "range": [-9, 9], "default": 0},
    "retry": {"type": "bool", "default": True},
    "parity": {"type": "str", "choices": ["none", "even"], "default": "none"},
    "from": {"type": "str", "default": ""},
}


def _parts(url):
    source = parse_source(url)
    return (source.scheme, source.user, source.host, source.port, source.path)


def _complaint(call, *arguments):
    try:
        call(*arguments)
    except LeezenflowError as error:
        return str(error)
    return None


def test_an_mqtt_source():
    assert _parts("mqtt://broker:1883/spat/1090") == ("mqtt", "", "broker", 1883, "spat/1090")
    assert _parts("mqtt://unit-7@10.0.0.1/spat/#") == ("mqtt", "unit-7", "10.0.0.1", None, "spat/#")
    assert _parts("mqtt://broker//spat/+/x") == ("mqtt", "", "broker", None, "/spat/+/x")


def test_a_serial_and_a_datagram_source():
    source = parse_source("uart://0?baud=115200&rx=17")
    assert (source.scheme, source.host, source.options) == ("uart", "0", {"baud": "115200", "rx": "17"})
    assert _parts("uart:///dev/ttyUSB0") == ("uart", "", "", None, "dev/ttyUSB0")
    assert _parts("udp://0.0.0.0:4711") == ("udp", "", "0.0.0.0", 4711, "")


def test_escapes_are_undone_in_names_and_never_in_the_structure():
    source = parse_source("mqtt://a%40b@host/t%3Fa%C3%BC?from=%26%3D")
    assert (source.user, source.path, source.options) == ("a@b", "t?aü", {"from": "&="})


def test_what_is_refused():
    for url in (
        None,
        7,
        "",
        "broker",
        "://broker",
        "MQTT://broker",
        "../x://broker",
        "mqtt://u:secret@broker/t",
        "mqtt://broker:0/t",
        "mqtt://broker:65536/t",
        "mqtt://broker:/t",
        "mqtt://broker:1234567890123/t",
        "mqtt://broker:1x/t",
        "mqtt://[::1]:1883/t",
        "mqtt://broker/%",
        "mqtt://broker/%4",
        "mqtt://broker/%4g",
        "mqtt://broker/% 1",
        "mqtt://broker/%ff",
        "mqtt://broker/t?qos",
        "mqtt://broker/t?qos=1&qos=0",
        "mqtt://broker/t?Qos=1",
        "mqtt://broker/t?" + "&".join("a%d=1" % index for index in range(17)),
        "mqtt://broker/" + "x" * MAX_URL_CHARACTERS,
    ):
        complaint = _complaint(parse_source, url)
        assert complaint and complaint.startswith("signal source "), url


def test_the_complaint_about_a_password_does_not_repeat_it():
    complaint = _complaint(parse_source, "mqtt://u:hidden@broker/t")
    assert "secrets" in complaint and "hidden" not in complaint


def test_driver_names_are_plain_file_names():
    assert is_file_name("spatem_xml2")
    for name in ("", "a/b", "a.b", "A", "x" * 41):
        assert not is_file_name(name), name


def test_options_get_their_types_and_defaults():
    defaults = {"qos": 0, "offset": 0, "retry": True, "parity": "none", "from": ""}
    assert typed_options(DECLARED, {}, "mqtt") == defaults
    given = {"qos": "1", "offset": "-9", "retry": "no", "parity": "even", "from": "x"}
    assert typed_options(DECLARED, given, "mqtt") == {
        "qos": 1,
        "offset": -9,
        "retry": False,
        "parity": "even",
        "from": "x",
    }
    assert typed_options(DECLARED, {"qos": 1, "retry": False}, "mqtt")["qos"] == 1


def test_wrong_options_are_refused_by_name():
    for given in (
        {"quos": "1"},
        {"qos": "2"},
        {"qos": "-1"},
        {"qos": "--1"},
        {"qos": "one"},
        {"qos": ""},
        {"qos": True},
        {"qos": 1.0},
        {"retry": "maybe"},
        {"retry": 1},
        {"parity": "odd"},
        {"from": 5},
    ):
        complaint = _complaint(typed_options, DECLARED, given, "mqtt")
        assert complaint and "mqtt" in complaint and next(iter(given)) in complaint, given
