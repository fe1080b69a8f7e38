# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One signal group out of SPATEM in XML: the real message, every way to write one, foreign input."""

from leezenflow_adapters import xml_cursor
from leezenflow_adapters.spatem_xml import Decoder
from xml_messages import (
    GREEN,
    RED,
    decode,
    document,
    event,
    group,
    intersection,
    read_events,
    read_sample,
    refused,
    timing,
)


def test_the_real_message():
    answer, state = decode(read_sample())
    assert answer is True
    assert (state.region, state.id, state.revision, state.status) == (49, 1090, 1, 0x0200)
    assert (state.moy, state.time_stamp, state.movement.signal_group) == (203635, 8430, 12)
    assert read_events(state) == [
        (3, 33450, 33590, 33530, 15),
        (4, 33540, 33540, 33540, 3),
        (5, 33710, 33810, 33730, 3),
        (7, 33740, 33750, 33750, 3),
        (3, 33760, 34630, 34430, 3),
    ]
    event_ = state.movement.events[0]
    assert (event_.start_time, event_.next_time, event_.state_change_reason) == (None, None, None)


def test_every_group_of_the_real_message():
    untimed = [(0, None, None, None, None)]
    for number in (13, 11, 10, 9, 1, 33, 30, 32, 3, 4, 8, 5, 2, 6, 7, 15, 16, 17, 18, 19, 20, 22, 21):
        assert read_events(decode(read_sample(), signal_group=number)[1]) == untimed
    assert len(read_events(decode(read_sample(), signal_group=14)[1])) == 5
    assert refused(read_sample(), signal_group=99) == "no_signal_group"


def test_which_intersection():
    payload = read_sample()
    assert refused(payload, region=None) is True
    assert refused(payload, region=48) is False
    assert refused(payload, intersection_id=1091) is False
    without_region = document(intersection(group(12, event(*RED)), region=None))
    assert refused(without_region, region=None) is True
    assert refused(without_region) is False
    assert decode(without_region, region=None)[1].region is None


def test_one_intersection_among_several():
    other = intersection(group(12, event(6, 1, 1, 1, 1)), id=1091)
    ours = intersection(group(1, event(6)), group(12, event(*RED), event(*GREEN)))
    for order in ((ours, other, other), (other, ours, other), (other, other, ours)):
        assert read_events(decode(document(*order))[1]) == [RED, GREEN]
    assert refused(document(other, other)) is False
    assert refused(document()) is False


def test_an_absent_time_is_not_taken_from_the_next_event():
    payload = document(
        intersection(group(12, event(3, 100), event(5, 200, None, 250, 3), event(7), event(3, 300, 301, 302, 5)))
    )
    assert read_events(decode(payload)[1]) == [
        (3, 100, None, None, None),
        (5, 200, None, 250, 3),
        (7, None, None, None, None),
        (3, 300, 301, 302, 5),
    ]


def test_what_comes_and_goes_between_messages_of_one_sender():
    decoder = Decoder(49, 1090, 12)
    shapes = (
        (RED, GREEN),
        (RED, (5, 1, 2, None, None), RED),
        ((0, None, None, None, None),),
        (RED, GREEN),
        (GREEN, (7, 5, None, None, 3)),
        (RED, GREEN, RED, GREEN, RED),
    )
    for _ in range(3):
        for shape in shapes:
            events = [event(*[value for value in each if value is not None or each[1] is not None]) for each in shape]
            payload = document(
                intersection(group(9, event(0)), group(14, event(*RED), event(*GREEN)), group(12, *events))
            )
            assert decoder.decode(payload, 0, len(payload)) is True
            assert read_events(decoder.state) == list(shape)


def test_numbers_that_are_none():
    for text in ("", " ", "x", "-1", "65536", "1 2", "12a", "99999999999999999999", "<b/>", "0x10"):
        payload = document(intersection(group(12, event(3, 100, text, 120, 3))))
        assert read_events(decode(payload)[1]) == [(3, 100, None, 120, 3)], text
    for text in (
        "100",
        " 100 ",
        "\n100",
        "00100",
        "<!-- a -->100",
        "1<!-- b -->00",
        "<![CDATA[100]]>",
        "1<![CDATA[00]]>",
    ):
        payload = document(intersection(group(12, event(3, 99, text, 120, 16))))
        assert read_events(decode(payload)[1]) == [(3, 99, 100, 120, None)], text
    assert read_events(decode(document(intersection(group(12, event(3, 36001, 65535, 0, 15)))))[1]) == [
        (3, 36001, 65535, 0, 15)
    ]


def test_optional_times_of_the_message():
    payload = document(intersection(group(12, event(*RED)), times="<timeStamp>65535</timeStamp>"))
    state = decode(payload)[1]
    assert (state.moy, state.time_stamp) == (None, 65535)
    late = payload.replace(b"</states>", b"</states><moy>7</moy>")
    assert decode(late)[1].moy == 7
    assert decode(payload.replace(b"<name>2.3.0</name>", b"<timeStamp>203635</timeStamp>"))[1].moy == 203635
    assert decode(document(intersection(group(12, event(*RED)), times="<moy>527041</moy>")))[1].moy is None


def test_damage_in_our_group_is_an_error_and_elsewhere_it_is_not():
    for state in ("10", "255", "", "x", "-1"):
        bad = event(state, 1, 2, 3, 4)
        assert refused(document(intersection(group(12, event(*RED), bad)))) == "malformed", state
        payload = document(intersection(group(11, bad), group(12, event(*RED)), group(13, bad)))
        assert refused(payload) is True, state
    assert refused(document(intersection(group(12)))) == "malformed"
    assert refused(document(intersection(group(12, "<MovementEvent/>")))) == "malformed"
    assert refused(document(intersection(group("twelve", event(0)), group(12, event(*RED))))) is True


def test_sixteen_events_are_kept():
    payload = document(intersection(group(12, *[event(3, n, n, n, 1) for n in range(18)])))
    assert [e[1] for e in read_events(decode(payload)[1])] == list(range(16))


def test_reason_for_a_change():
    regional = "<regional><RegionalExtension><regExtValue>%s</regExtValue></RegionalExtension></regional>"
    reason = regional % "<stateChangeReason>1</stateChangeReason>"
    payload = document(intersection(group(12, event(*RED, regional=reason), event(*GREEN, regional=regional % ""))))
    state = decode(payload)[1]
    assert [e.state_change_reason for e in state.movement.events[:2]] == [1, None]
    assert read_events(state) == [RED, GREEN]


def test_status_as_elements_and_as_text():
    bits = "".join(
        "<IntersectionStatusObject.%s>%d</IntersectionStatusObject.%s>\n" % (name, value, name)
        for name, value in (("failureFlash", 1), ("stopTimeIsActivated", 0), ("off", 1), ("unheardOf", 1))
    )
    assert decode(document(intersection(group(12, event(*RED)), status=bits)))[1].status == 0x2040
    assert decode(document(intersection(group(12, event(*RED)), status=" 0000010000000001\n")))[1].status == 0x0401
    assert decode(document(intersection(group(12, event(*RED)), status="<off/><off>1</off>")))[1].status == 0x0040
    assert decode(document(intersection(group(12, event(*RED)), status="<off><true/></off>")))[1].status == 0x0040
    assert decode(document(intersection(group(12, event(*RED)), status="1" + " " * 300)))[1].status == 0


def test_names_instead_of_numbers():
    xer = group(12, "<MovementEvent><eventState><pre-Movement/></eventState>%s</MovementEvent>" % timing(5, 6))
    payload = document(intersection(xer.replace("_", "-"))).replace(b"DATA", b"MessageFrame")
    assert read_events(decode(payload)[1]) == [(4, 5, 6, None, None)]


def test_what_xml_allows():
    plain = document(intersection(group(7, event(*GREEN)), group(12, event(*RED)))).decode()
    for old, new in (
        ('<?xml version="1.0"?>\n', ""),
        ("<?xml", "\ufeff<?xml"),
        ("\n", ""),
        ("\n", "\r\n\t  "),
        ("</DATA>\n", "</DATA>\0"),
        ("</DATA>", "</DATA >  <!-- sent by hand -->"),
        (">\n", "> <!-- </MovementState> -->\n"),
        (">\n", "> <?tool keep?>\n"),
        ("<signalGroup>7", "<signalGroup a='>' b=\"'/>\">7"),
        ("<moy>", "<moy unit = '</moy>' >"),
        ("<states>", "<vendor><states><moy>1</moy></states></vendor><states>"),
        ("<id>\n", "<id>\n<id/>"),
        ("<", "<spat:"),
    ):
        text = plain.replace(old, new)
        if new == "<spat:":
            text = text.replace("<spat:/", "</spat:").replace("<spat:?", "<?")
        state = decode(text.encode())[1]
        assert read_events(state) == [RED], (old, new)
        assert (state.id, state.moy, state.time_stamp) == (1090, 203635, 8430), (old, new)


def test_children_in_any_order():
    early = group(12, event(*RED)).replace("<signalGroup>12</signalGroup>", "")
    early = early.replace("</state_time_speed>", "</state_time_speed><signalGroup>12</signalGroup>")
    assert read_events(decode(document(intersection(group(9, event(0)), early)))[1]) == [RED]
    turned = "<MovementEvent>%s<eventState>3</eventState></MovementEvent>" % timing(*RED[1:])
    assert read_events(decode(document(intersection(group(12, turned, event(*GREEN)))))[1]) == [RED, GREEN]
    whole = intersection(group(12, event(*RED)))
    start, end = whole.index("<id>"), whole.index("<revision>")
    moved = whole[:start] + whole[end:].replace("</states>", "</states>" + whole[start:end])
    other = moved.replace("1090", "1091").replace("33530", "1")
    assert read_events(decode(document(other, moved))[1]) == [RED]


def test_comments_cannot_lead_astray():
    fake = group(12, event(6, 1, 2, 3, 4))
    for comment in (
        fake,
        "</MovementState>" + fake,
        fake[:-17],
        "</MovementState>",
        "</states></IntersectionState>",
        "-",
    ):
        hidden = "<!--" + comment + "-->"
        payload = document(intersection(group(7, event(*GREEN), behind=hidden), hidden, group(12, event(*RED))))
        assert read_events(decode(payload)[1]) == [RED], comment
        assert refused(payload, signal_group=8) == "no_signal_group", comment
    # The end of another group in a comment, and in the same comment the beginning of one that looks like ours.
    payload = document(
        intersection(
            group(7, behind="<!-- </MovementState><MovementState><signalGroup>12</signalGroup> -->"),
            group(12, event(*RED)),
        )
    )
    assert read_events(decode(payload)[1]) == [RED]


def test_what_is_no_spatem():
    for payload in (
        b"{}",
        b"no xml at all",
        b"\x02\x04\x00\x00",
        b"<!DOCTYPE html><html></html>",
        b"<html><body><p>Bad gateway</p></body></html>",
        b'<!DOCTYPE d [<!ENTITY a "b">]><DATA><SPAT>&a;</SPAT></DATA>',
        b"<DATA></DATA>",
    ):
        assert refused(payload) == "foreign", payload
    assert refused(b"<DATA/>") == "truncated"
    # Tags that do not end, and more attributes than any sender has.
    for tag in (b"<a b='>", b'<a b=">', b"<a b=c>", b"<a b='" + b" " * 2000 + b"'>", b"<a" + b" b='c'" * 20 + b">"):
        assert refused(b"<DATA>" + tag + b"</a></DATA>") == "malformed", tag
    assert refused(b"<DATA><a></a" + b" " * 2000 + b"></DATA>") == "malformed"
    assert refused(b"") == "truncated"
    assert refused(b"<DATA><SPAT></SPAT></DATA>") is False
    assert refused(b"<DATA>" + b"<a>" * 100 + b"</DATA>") == "malformed"
    usual = xml_cursor.MAX_BYTES
    try:
        xml_cursor.MAX_BYTES = 1000
        assert refused(b"<DATA>" + b" " * 987 + b"</DATA>") == "foreign"
        assert refused(b"<DATA>" + b" " * 988 + b"</DATA>") == "oversized"
    finally:
        xml_cursor.MAX_BYTES = usual
