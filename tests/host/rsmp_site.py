# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A traffic light controller that speaks RSMP: what it says, and one that connects over TCP and follows the rules."""

import json
import socket
import uuid
from typing import Any

SITE = "KK+AG9998=001"
CONTROLLER = "KK+AG9998=001TC000"
END = b"\x0c"


def packet(**fields: Any) -> bytes:
    """One message with its form feed."""
    return json.dumps({"mType": "rSMsg", **fields}).encode() + END


def version(*versions: str, site: str = SITE) -> bytes:
    """The first message of a site."""
    return packet(
        type="Version",
        mId=str(uuid.uuid4()),
        RSMP=[{"vers": text} for text in versions or ("3.1.2", "3.1.5", "3.2.2")],
        siteId=[{"sId": site}],
        SXL="1.0.15",
    )


def watchdog() -> bytes:
    """The second one."""
    return packet(type="Watchdog", mId=str(uuid.uuid4()), wTs="2026-03-01T12:00:00.000Z")


def aggregated_status(component: str = CONTROLLER) -> bytes:
    """What most controllers send next."""
    return packet(type="AggregatedStatus", mId=str(uuid.uuid4()), cId=component, aSTS="2026-03-01T12:00:00.000Z")


def colours(characters: str, second: int = 1, component: str = CONTROLLER) -> bytes:
    """An update of S0001."""
    return packet(
        type="StatusUpdate",
        mId=str(uuid.uuid4()),
        ntsOId="",
        xNId="",
        cId=component,
        sTs=f"2026-03-01T12:00:{second:02}.000Z",
        sS=[{"sCI": "S0001", "n": "signalgroupstatus", "s": characters, "q": "recent"}],
    )


def messages_in(data: bytes) -> list[dict[str, Any]]:
    """The messages of a stream that ends with a whole one."""
    *packets, rest = data.split(END)
    assert not rest
    return [json.loads(text) for text in packets]


class ConnectedSite:
    """A site that has connected to a supervisor; it acknowledges whatever it reads."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 20)
        self._rest = b""

    def send(self, data: bytes) -> None:
        """Send as it is."""
        self._socket.sendall(data)

    def expect(self, kind: str, refusal: str = "") -> dict[str, Any]:
        """The next message of that type; acknowledges it and all before it, or refuses it for that reason."""
        while True:
            while END not in self._rest:
                data = self._socket.recv(4096)
                assert data, f"hung up before {kind}"
                self._rest += data
            text, _, self._rest = self._rest.partition(END)
            message = json.loads(text)
            if refusal and message["type"] == kind:
                self.send(packet(type="MessageNotAck", oMId=message["mId"], rea=refusal))
            elif "mId" in message:
                self.send(packet(type="MessageAck", oMId=message["mId"]))
            if message["type"] == kind:
                return message

    def shake_hands(self) -> dict[str, Any]:
        """All until the supervisor has subscribed; the subscription."""
        self.send(version())
        self.expect("Version")
        self.send(watchdog())
        self.expect("Watchdog")
        self.send(aggregated_status())
        return self.expect("StatusSubscribe")

    def is_hung_up(self) -> bool:
        """Whether the supervisor has ended it; reads everything that is left."""
        try:
            while self._socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
