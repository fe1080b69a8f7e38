# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First-time setup: opened by a held button only, one page, credentials saved whole; and no open port otherwise."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from brokers import free_port, wait_until
from unix_device import ROOT, UnixDevice, board, run_script, site

from leezenflow_device import setup_page
from leezenflow_host.boards.frames import FrameReceiver
from leezenflow_host.setup_label import setup_label

FORM = b"ssid=B%C3%BCrger+Netz&password=geheim%26%3D123"

_PORTAL = """
import asyncio, json, sys
sys.path[:0] = [sys.argv[1] + "/firmware"]
from leezenflow_device.setup_portal import Portal
portal = Portal("127.0.0.1", int(sys.argv[2]), int(sys.argv[3]), lambda wifi: print(json.dumps(wifi)))
asyncio.run(portal.run(60))
print("ended")
"""


@pytest.fixture
def portal(micropython: str) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A portal on loopback: process, port of the page, port of the names."""
    ports = free_port(), free_port()
    process = subprocess.Popen(
        [micropython, "-X", "heapsize=128k", "-c", _PORTAL, str(ROOT), *map(str, ports)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(lambda: _accepts(ports[0]), "the page is served")
        yield process, *ports
    finally:
        process.kill()
        process.communicate()


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, str, str]:
    """Status, Location and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("Location", ""), text


def test_the_page_takes_the_credentials_and_ends(portal: tuple[subprocess.Popen[str], int, int]) -> None:
    process, port, _ = portal
    status, _, text = ask(port, "GET", "/")
    assert status == 200 and 'name="ssid"' in text and 'type="password"' in text and "<script" not in text
    # What telephones ask to find out whether they are caught.
    assert ask(port, "GET", "/generate_204")[:2] == (302, "http://127.0.0.1/")
    status, _, text = ask(port, "POST", "/", b"ssid=&password=hidden123")
    assert status == 200 and "1 to 32 bytes" in text and "hidden123" not in text
    assert "<form" in text
    status, _, text = ask(port, "POST", "/", FORM)
    assert status == 200 and "Saved" in text and "geheim" not in text
    said, _ = process.communicate(timeout=30)
    assert said.splitlines() == ['{"ssid": "Bürger Netz", "password": "geheim&=123"}', "ended"]


def test_hostile_requests_end_nothing(portal: tuple[subprocess.Popen[str], int, int]) -> None:
    process, port, names = portal
    for request in (
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /etc HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"A" * 5000,
    ):
        with socket.create_connection(("127.0.0.1", port), 20) as connection, contextlib.suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(100)
            # Nothing at all where the portal closed before it had read everything.
            assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 200 OK")), request
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        for noise in (b"", b"x", bytes(600), b"\xff" * 40):
            client.sendto(noise, ("127.0.0.1", names))
        question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
        client.sendto(question, ("127.0.0.1", names))
        answer = client.recv(600)
    assert answer[:2] == b"\x12\x34" and answer.endswith(b"\x00\x04\x7f\x00\x00\x01")
    assert ask(port, "GET", "/")[0] == 200
    assert process.poll() is None


def test_what_counts_as_a_wifi() -> None:
    assert setup_page.wifi_of(b"ssid=a&password=") == {"ssid": "a", "password": ""}
    assert setup_page.wifi_of(FORM) == {"ssid": "Bürger Netz", "password": "geheim&=123"}
    for wrong in (
        b"",
        b"ssid=&password=12345678",
        b"password=12345678",
        b"ssid=" + b"x" * 33,
        b"ssid=a&password=1234567",
        b"ssid=a&password=" + b"x" * 64,
        b"ssid=a%4",
        b"ssid=a%zz",
        b"ssid=%ff",
    ):
        assert setup_page.wifi_of(wrong) is None, wrong


def test_a_request_is_complete_when_all_of_it_is_there() -> None:
    request = b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\na=bc"
    assert [setup_page.is_complete(request[:end]) for end in range(len(request) + 1)] == [False] * len(request) + [True]
    assert setup_page.split_request(request) == (b"POST", b"/", b"a=bc")
    assert setup_page.split_request(b"x" * setup_page.MAX_REQUEST_BYTES) == (b"", b"", b"")


def test_names_are_answered_only_where_there_is_a_question() -> None:
    head = b"\x00\x07\x01\x00\x00\x01" + bytes(6)
    assert setup_page.name_answer(head + b"\x01a\x00\x00\x01\x00\x01", b"\x0a\0\0\1") is not None
    for wrong in (
        head,
        head + b"\x3fa\x00\x00\x01\x00\x01",
        head + b"\xc0\x0c\x00\x01\x00\x01",
        head + b"\x01a\x00\x00\x01",
        b"\x00\x07\x81\x00" + head[4:] + b"\x01a\x00\x00\x01\x00\x01",
        b"\x00\x07\x01\x00\x00\x02" + bytes(6) + b"\x01a\x00\x00\x01\x00\x01",
    ):
        assert setup_page.name_answer(wrong, b"\x0a\0\0\1") is None, wrong


_BUTTON = """
import json
levels = json.loads(sys.argv[1])
class Pin:
    IN, PULL_UP, PULL_DOWN = "in", "up", "down"
    def __init__(self, number, mode, pull):
        print("pin", number, mode, pull)
    def value(self):
        return levels.pop(0) if len(levels) > 1 else levels[0]
class machine:
    pass
machine.Pin = Pin
machine.unique_id = lambda: bytes((1, 2, 3, 4, 5, 6, 7, 8))
def reset():
    print("reset")
    raise SystemExit
machine.reset = reset
sys.modules["machine"] = machine
class WLAN:
    IF_AP = 1
    SEC_WPA_WPA2 = 4
    def __init__(self, interface):
        print("interface", interface)
    def config(self, **values):
        print("config", values["ssid"], values["password"], values["security"])
    def active(self, on):
        print("active", on)
    def ifconfig(self):
        return ("127.0.0.1",)
class network:
    pass
network.WLAN = WLAN
sys.modules["network"] = network
from leezenflow_device import setup_button, setup_portal
class Portal:
    def __init__(self, address):
        self.address = address
    async def run(self, limit_s):
        print("serves", self.address, limit_s)
        raise OSError(98)
setup_portal.Portal = Portal
setup_button.time = type("time", (), {"sleep_ms": lambda span_ms: None})
try:
    setup_button.offer_setup(json.loads(sys.argv[2]))
    print("goes on")
except SystemExit:
    pass
"""


def press(micropython: str, levels: list[int], **settings: object) -> list[str]:
    """What the start of a unit does whose button has these levels, one each 50 ms."""
    return run_script(micropython, _BUTTON, json.dumps(levels), json.dumps({"button": 14, **settings})).splitlines()


def test_a_held_button_opens_a_protected_network_and_the_board_restarts_whatever_happens(micropython: str) -> None:
    name, password = setup_label(bytes(range(1, 9)))
    said = press(micropython, [0])
    assert said[0] == "pin 14 in up"
    assert f"config {name} {password} 4" in said
    assert said.index(f"config {name} {password} 4") < said.index("active True") < said.index("serves 127.0.0.1 600")
    assert said[-2:] == ["active False", "reset"]
    assert not any(password in line for line in said if not line.startswith("config"))
    assert len(password) == 12 and name.startswith("leezenflow-")
    assert setup_label(bytes(8)) != setup_label(bytes(range(1, 9)))


@pytest.mark.parametrize(
    ("levels", "settings"), [([1], {}), ([0] * 19 + [1], {}), ([0, 1, 0], {}), ([0], {"active_low": False})]
)
def test_a_button_that_is_not_held_opens_nothing(
    micropython: str, levels: list[int], settings: dict[str, object]
) -> None:
    assert press(micropython, levels, **settings)[1:] == ["goes on"]


def test_credentials_join_the_other_secrets(micropython: str, tmp_path: Path) -> None:
    script = """
import vfs
vfs.umount("/")
vfs.mount(vfs.VfsPosix(sys.argv[1]), "/")
sys.path[:0] = ["/a"]
import os
from leezenflow_device import flash_file
from leezenflow_device.setup_portal import save_wifi

def rename(old, new):  # that of a mounted VfsPosix takes one path for both
    with open(old, "rb") as file:
        data = file.read()
    with open(new, "wb") as file:
        file.write(data)
    os.remove(old)
flash_file.os = type("os", (), {"listdir": os.listdir, "mkdir": os.mkdir, "remove": os.remove, "rename": rename})
save_wifi({"ssid": "new", "password": "secret"})
"""
    device = UnixDevice(micropython, tmp_path / "device")
    run_script(micropython, script, str(device.folder))
    assert json.loads((device.folder / "secrets.json").read_text()) == {"wifi": {"ssid": "new", "password": "secret"}}
    device.write("secrets.json", {"wifi": {"ssid": "old"}, "mqtt": {"password": "kept"}})
    run_script(micropython, script, str(device.folder))
    assert json.loads((device.folder / "secrets.json").read_text()) == {
        "wifi": {"ssid": "new", "password": "secret"},
        "mqtt": {"password": "kept"},
    }


@pytest.mark.skipif(sys.platform != "linux", reason="open ports of another process are looked up in /proc")
def test_a_unit_that_runs_has_no_open_port(micropython: str, tmp_path: Path) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    # A broker that is not there: the unit goes on trying.
    values = site(f"mqtt://127.0.0.1:{free_port()}/spat/1090?unit_topic=u")
    device.configure(values, {**board(), "setup": None})
    with FrameReceiver() as receiver, device.running(receiver.url) as process:
        receiver.wait_for(lambda frame: frame.number > 20, 40)
        connections = psutil.Process(process.pid).net_connections("inet")
    assert [connection for connection in connections if connection.status == psutil.CONN_LISTEN] == []
    assert [c for c in connections if c.type == socket.SOCK_DGRAM and not c.raddr] == []


def test_nothing_but_the_setup_listens() -> None:
    listening = {
        path.name
        for path in (ROOT / "firmware").rglob("*.py")
        if any(call in path.read_text() for call in ("start_server(", ".listen("))
    }
    assert listening == {"setup_portal.py"}


def test_a_unit_whose_button_is_not_held_starts_and_keeps_nothing_of_it(micropython: str, tmp_path: Path) -> None:
    device = UnixDevice(micropython, tmp_path / "device")
    device.configure(site(f"udp://127.0.0.1:{free_port()}"), {**board(), "setup": {"button": 14}})
    # This interpreter's `machine` has no pins: beside the release lies one with a button that nobody holds.
    device.write(
        "a/machine.py",
        "class Pin:\n    IN = PULL_UP = 0\n    def __init__(self, *_): pass\n    def value(self): return 1\n",
    )
    with FrameReceiver() as receiver, device.running(receiver.url):
        assert receiver.wait_for(lambda frame: frame.listening, 40)
