# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording from RSMP sites: the supervisor's side by itself, and with a scripted site over TCP."""

import re
from pathlib import Path
from typing import Any

import pytest
from capturing import RunningCapture, capturing, free_port, payloads, payloads_so_far, read
from rsmp_site import (
    CONTROLLER,
    SITE,
    ConnectedSite,
    aggregated_status,
    colours,
    messages_in,
    packet,
    version,
    watchdog,
)
from waiting import wait_until

from leezenflow_adapters import rsmp
from leezenflow_host.capture.rsmp_session import (
    SessionOverError,
    SubscriptionRefusedError,
    SupervisorSession,
    Wanted,
    group_component,
)
from leezenflow_host.errors import InputError, LeezenflowError
from leezenflow_host.trace import TraceReader

UTC_MS = 1_772_366_400_250  # 2026-03-01T12:00:00.250Z


def session_of(**wanted: Any) -> SupervisorSession:
    return SupervisorSession(Wanted(**wanted), 0.0, lambda: UTC_MS)


def answers(session: SupervisorSession) -> list[dict[str, Any]]:
    found = messages_in(bytes(session.outgoing))
    session.outgoing.clear()
    return found


def opened(*versions: str, **wanted: Any) -> SupervisorSession:
    session = session_of(**wanted)
    session.feed(version(*versions) + watchdog(), 0.0)
    for message in answers(session):
        if "mId" in message:
            session.feed(packet(type="MessageAck", oMId=message["mId"]), 0.0)
    assert session.is_open
    return session


def test_the_handshake_in_its_order():
    session = session_of()
    first = version("3.1.2", "3.1.5", "3.2", "9.9")
    assert session.feed(first, 0.0) == []
    ack, ours = answers(session)
    assert ack == {"mType": "rSMsg", "type": "MessageAck", "oMId": messages_in(first)[0]["mId"]}
    assert ours["type"] == "Version"
    assert ours["RSMP"] == [{"vers": "3.1.2"}, {"vers": "3.1.5"}, {"vers": "3.2"}]
    assert (ours["siteId"], ours["SXL"]) == ([{"sId": SITE}], "1.0.15")
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ours["mId"])
    assert not session.is_open
    session.feed(packet(type="MessageAck", oMId=ours["mId"]) + watchdog(), 0.0)
    ack, ours = answers(session)
    assert (ack["type"], ours["type"], ours["wTs"]) == ("MessageAck", "Watchdog", "2026-03-01T12:00:00.250Z")
    session.feed(aggregated_status(), 0.0)
    ack, ours = answers(session)
    assert (ack["type"], ours["type"], ours["cId"]) == ("MessageAck", "StatusSubscribe", CONTROLLER)
    assert ours["sS"] == [{"sCI": "S0001", "n": "signalgroupstatus", "uRt": "1", "sOc": True}]
    assert session.is_subscribed


def test_sites_before_3_1_5_know_no_send_on_change():
    session = opened("3.1.2", "3.1.4", interval_s=2)
    session.feed(aggregated_status(), 0.0)
    assert answers(session)[1]["sS"] == [{"sCI": "S0001", "n": "signalgroupstatus", "uRt": "2"}]


def test_groups_are_asked_for_their_estimates():
    session = session_of(component=CONTROLLER, groups=("3", "X=SG9"))
    session.feed(version() + watchdog(), 0.0)
    asked = [message for message in answers(session) if message["type"] == "StatusSubscribe"]
    assert [message["cId"] for message in asked] == [CONTROLLER, "KK+AG9998=001SG003", "X=SG9"]
    assert {status["sCI"] for status in asked[1]["sS"]} == {"S0025"}
    assert {status["n"] for status in asked[1]["sS"]} >= {"likelyToGEstimate", "minToREstimate", "ToRConfidence"}
    assert group_component("no controller's name", "12") == "SG012"


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_statuses_come_out_whatever_the_pieces(size: int):
    session = opened()
    updates = [colours("BB1"), colours("BBN", 2)]
    stream = b"\x0c" + aggregated_status() + updates[0] + b"\x0c\x0c" + packet(type="Alarm", mId="1") + updates[1]
    found: list[bytes] = []
    for at in range(0, len(stream), size):
        found += session.feed(stream[at : at + size], 0.0)
    assert found == updates
    assert [message["type"] for message in answers(session)].count("MessageAck") == 4


def test_nothing_but_a_version_is_answered_before_the_version():
    session = session_of()
    assert session.feed(watchdog() + aggregated_status() + colours("BB1"), 0.0) == []
    assert not session.outgoing


@pytest.mark.parametrize(
    ("first", "wanted", "reason"),
    [
        (version("2.0", "4.0", "3", "x.y.z"), {}, "RSMP versions .* requested, but only"),
        (version(), {"site_id": "another"}, "is not another"),
        (packet(type="Version", mId="1", RSMP=[{"vers": "3.2"}], siteId=[], SXL="1"), {}, "no site id"),
        (packet(type="Version", mId="1", RSMP=7, siteId=[{"sId": "a"}]), {}, "RSMP versions"),
    ],
)
def test_sites_that_are_turned_away_are_told_why(first: bytes, wanted: dict[str, Any], reason: str):
    session = session_of(**wanted)
    with pytest.raises(SessionOverError, match=reason):
        session.feed(first, 0.0)
    (answer,) = answers(session)
    assert answer["type"] == "MessageNotAck"
    assert re.search(reason, answer["rea"])


def test_a_site_that_refuses():
    session = session_of()
    session.feed(version(), 0.0)
    ours = answers(session)[1]
    with pytest.raises(SessionOverError, match=r"refuses our Version \(wrong list\)"):
        session.feed(packet(type="MessageNotAck", oMId=ours["mId"], rea="wrong list"), 0.0)
    session = opened()
    session.feed(aggregated_status(), 0.0)
    ours = answers(session)[1]
    session.feed(packet(type="MessageNotAck", oMId="not ours"), 0.0)
    with pytest.raises(SubscriptionRefusedError, match="no such component"):
        session.feed(packet(type="MessageNotAck", oMId=ours["mId"], rea="no such component"), 0.0)


def test_watchdogs_and_a_site_that_no_longer_answers():
    session = opened()
    session.look_after(59.0)
    assert not session.outgoing
    session.look_after(60.0)
    (ours,) = answers(session)
    assert ours["type"] == "Watchdog"
    session.look_after(90.0)
    session.feed(packet(type="MessageAck", oMId=ours["mId"]), 90.0)
    session.look_after(120.0)
    with pytest.raises(SessionOverError, match="no acknowledgement of our Watchdog"):
        session.look_after(151.0)
    with pytest.raises(SessionOverError, match="no RSMP handshake"):
        session_of().look_after(31.0)


def test_what_is_no_message_is_counted():
    session = opened()
    odd = (b"{", b"[]", b'{"mType":"rSMsg"}', b'{"mType":"rSMsg","type":"Alarm"}', b"\xff\xfe", b"[" * 5000)
    for number, text in enumerate(odd, 1):
        assert session.feed(text + b"\x0c", 0.0) == []
        assert session.damaged == number
    session.feed(b"x" * 200_000 + b"\x0c", 0.0)
    assert session.oversized == 1
    assert not session.outgoing


def test_a_site_that_reads_nothing_does_not_fill_the_memory():
    session = opened()
    with pytest.raises(SessionOverError, match="does not take what we send"):
        for _ in range(10_000):
            session.feed(watchdog(), 0.0)


def listens(running: RunningCapture) -> None:
    wait_until(lambda: "listening" in running.log or running.fault, "the recorder listens")


def test_a_site_connects_leaves_and_comes_back(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    updates = [colours("BB1"), colours("BBN", 2), colours("BBB", 3)]
    port = free_port()
    with capturing(f"rsmp://127.0.0.1:{port}", out) as running:
        listens(running)
        site = ConnectedSite(port)
        subscription = site.shake_hands()
        assert subscription["cId"] == CONTROLLER
        site.send(updates[0] + updates[1])
        wait_until(lambda: payloads_so_far(out) == updates[:2], "two updates")
        site.close()
        wait_until(lambda: "is gone" in running.log, "the loss is noticed")
        site = ConnectedSite(port)
        site.shake_hands()
        site.send(updates[2])
        wait_until(lambda: payloads_so_far(out) == updates, "the third update")
        summary = running.end()
        site.close()
    assert summary.losses == 1
    assert running.log.count(f"the site {SITE} is here") == 2
    assert {message.topic for message in read(out)} == {SITE}
    with TraceReader(out) as reader:
        assert reader.header.adapter == "rsmp"
    decoder = rsmp.Decoder(None, 1, 3)
    shown = []
    for payload in payloads(out):
        assert decoder.decode(payload, 0, len(payload)) is True
        shown.append(decoder.state.movement.events[0].event_state)
    assert shown == [5, 7, 3]


def test_another_site_is_turned_away_and_the_same_one_replaces_itself(tmp_path: Path):
    out = tmp_path / "a.jsonl"
    port = free_port()
    with capturing(f"rsmp://127.0.0.1:{port}", out) as running:
        listens(running)
        first = ConnectedSite(port)
        first.shake_hands()
        stranger = ConnectedSite(port)
        stranger.send(version(site="XX"))
        assert "is being recorded" in stranger.expect("MessageNotAck")["rea"]
        assert stranger.is_hung_up()
        again = ConnectedSite(port)
        again.shake_hands()
        assert first.is_hung_up()
        again.send(colours("BB1"))
        wait_until(lambda: len(payloads_so_far(out)) == 1, "an update on the new connection")
        running.end()
        for site in (first, stranger, again):
            site.close()
    assert "a site was turned away" in running.log
    assert "is gone: it connected anew" in running.log


def test_a_refused_subscription_ends_the_recording(tmp_path: Path):
    port = free_port()
    running = RunningCapture(f"rsmp://127.0.0.1:{port}?component=nobody", tmp_path / "a.jsonl")
    listens(running)
    site = ConnectedSite(port)
    site.send(version())
    site.expect("Version")
    site.send(watchdog())
    assert site.expect("StatusSubscribe", refusal="no such component")["cId"] == "nobody"
    with pytest.raises(LeezenflowError, match=r"no such component.*Check \?component="):
        running.join()
    site.close()


def test_what_to_check_when_nothing_comes(tmp_path: Path):
    port = free_port()
    with capturing(f"rsmp://127.0.0.1:{port}", tmp_path / "a.jsonl") as running:
        listens(running)
        source = running.recorder.source
        assert f"this computer, port {port}" in source.hint
        site = ConnectedSite(port)
        site.send(version())
        site.expect("Version")
        site.send(watchdog())
        site.expect("Watchdog")
        wait_until(lambda: "?component=" in source.hint and "aggregated" in source.hint, "the hint for the next stage")
        site.send(aggregated_status())
        site.expect("StatusSubscribe")
        wait_until(lambda: "?groups=" in source.hint, "the hint for the last stage")
        site.close()


def test_urls_that_do_not_do(tmp_path: Path):
    for url, complaint in (
        ("rsmp://0.0.0.0?from=somebody", "give an IPv4 address"),
        ("rsmp://0.0.0.0?groups=0", "from 1 to 255"),
        ("rsmp://0.0.0.0?interval_s=9", "from 1 to 5"),
        ("rsmp://0.0.0.0?what=1", "has no option"),
    ):
        with pytest.raises(InputError, match=complaint):
            RunningCapture(url, tmp_path / "a.jsonl")
    with pytest.raises(LeezenflowError, match="sites connect to their supervisor"):
        RunningCapture("rsmp://192.0.2.7", tmp_path / "a.jsonl").join()
