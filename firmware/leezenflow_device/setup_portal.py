# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First-time setup: while a button is held at power-up, a Wi-Fi of the unit's own with one page for its credentials.

Board file: `[setup] button = 14`. Name and password of that Wi-Fi follow from the chip's number, so that `leezenflow`
can print them on the label; whoever reads them also needs the button. It ends with a restart: after the form was sent,
or after ten minutes. At any other time no module of this is loaded and no port is open.
"""

import asyncio
import hashlib
import socket

from leezenflow_device import setup_page
from leezenflow_device.configuration import read_json
from leezenflow_device.flash_file import replace_json

_LIMIT_S = 600
# The letters and digits nobody confuses.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def open_setup():
    """Open the Wi-Fi and the page, and restart the board afterwards."""
    import machine
    import network

    name, password = label(machine.unique_id())
    point = network.WLAN(network.WLAN.IF_AP)
    security = getattr(network.WLAN, "SEC_WPA_WPA2", None) or getattr(network.WLAN, "SEC_WPA2")  # noqa: B009
    point.config(ssid=name, password=password, security=security)
    point.active(True)
    address = point.ifconfig()[0]
    print("setup: join the Wi-Fi %s and open http://%s/ within %d minutes" % (name, address, _LIMIT_S // 60))
    try:
        asyncio.run(Portal(address).run(_LIMIT_S))
    finally:
        point.active(False)
        machine.reset()


def label(chip):
    """Return (name, password) of a unit's setup Wi-Fi; `chip` is the number of its chip (bytes)."""
    digest = hashlib.sha256(b"leezenflow setup\0" + chip).digest()
    password = "".join([_LETTERS[byte % len(_LETTERS)] for byte in digest[:12]])
    return "leezenflow-" + "".join([_LETTERS[byte % len(_LETTERS)] for byte in digest[28:]]), password


class Portal:
    """The page and the names that lead to it, on `address`; `saved` once somebody sent the form."""

    def __init__(self, address, port=80, name_port=53, save=None):
        self.saved = False
        self._address = address
        self._port = port
        self._name_port = name_port
        self._save = save or save_wifi

    async def run(self, limit_s):
        """Serve until the form was sent, or for `limit_s`."""
        server = await asyncio.start_server(self._serve, self._address, self._port, 2)
        names = asyncio.create_task(self._answer_names())
        try:
            for _ in range(limit_s * 4):
                if self.saved:
                    await asyncio.sleep_ms(1_000)  # the last answer is still on its way
                    break
                await asyncio.sleep_ms(250)
        finally:
            names.cancel()
            server.close()
            await server.wait_closed()

    async def _serve(self, reader, writer):
        """Answer one request."""
        try:
            answer = await asyncio.wait_for_ms(self._converse(reader), 10_000)
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()
            await writer.wait_closed()

    async def _converse(self, reader):
        request = b""
        while not setup_page.is_complete(request):
            piece = await reader.read(512)
            if not piece:
                break
            request += piece
        method, path, body = setup_page.split_request(request)
        if method == b"GET":
            return setup_page.page() if path == b"/" else setup_page.redirect(self._address.encode())
        if method != b"POST" or path != b"/":
            return setup_page.refusal()
        wifi = setup_page.wifi_of(body)
        if wifi is None:
            return setup_page.page("A name has 1 to 32 bytes, a password 8 to 63.")
        self._save(wifi)
        self.saved = True
        return setup_page.saved_page()

    async def _answer_names(self):
        """Lead every name to us."""
        address = bytes([int(part) for part in self._address.split(".")])
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind(socket.getaddrinfo(self._address, self._name_port)[0][-1])
            while True:
                await _readable(sock)
                try:
                    question, sender = sock.recvfrom(513)
                    answer = setup_page.name_answer(question, address)
                    if answer:
                        sock.sendto(answer, sender)
                except OSError:
                    pass
        finally:
            sock.close()


def save_wifi(wifi):
    """Put a Wi-Fi's credentials among the secrets, in one step."""
    secrets = read_json("/secrets.json", {})
    secrets["wifi"] = wifi
    replace_json("/secrets.json", secrets)


def _readable(sock):
    """Wait until a socket has something to read (a generator is MicroPython's coroutine)."""
    yield asyncio.core._io_queue.queue_read(sock)  # pyright: ignore[reportAttributeAccessIssue]
