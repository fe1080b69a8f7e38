# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSMP 3 sites that connect to us: `rsmp://0.0.0.0[:12111][?groups=3,12&site=ID&component=ID&from=ADDRESS]`.

In RSMP the supervisor listens and the controller ("site") connects. `rsmp_session` speaks; here are the sockets.
"""

import contextlib
import ipaddress
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from leezenflow.source_url import Source, typed_options
from leezenflow_host.capture.arrivals import Arrival, Clock, SourceLostError, unix_ms
from leezenflow_host.capture.rsmp_session import (
    SessionOverError,
    SubscriptionRefusedError,
    SupervisorSession,
    Wanted,
)
from leezenflow_host.errors import InputError, LeezenflowError

OPTIONS: dict[str, Any] = {
    "site": {"type": "str", "default": "", "help": "take only the site of this id; empty: the first that connects"},
    "component": {
        "type": "str",
        "default": "",
        "help": "cId of the controller, for S0001; empty: the one its aggregated status names",
    },
    "groups": {
        "type": "str",
        "default": "",
        "help": "signal groups to ask for the time to green and red (S0025): numbers or cIds, with commas between them",
    },
    "interval_s": {"type": "int", "range": [1, 5], "default": 1, "help": "seconds between two updates at most"},
    "from": {"type": "str", "default": "", "help": "the only IPv4 address that may connect; empty: any"},
}
PORT = 12111
_PIECE_BYTES = 64 * 1024
# One site, the same once more after a loss it noticed before us, and strangers.
_MAX_CONNECTIONS = 8


class RsmpSource:
    """Listens as a supervisor and records one site's statuses; the site may leave and come back as it likes.

    `say` is told who comes and goes, `losses` counts the latter.
    """

    def __init__(
        self,
        source: Source,
        secrets: dict[str, Any],
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        options = typed_options(OPTIONS, source.options, "rsmp")
        self._address = (source.host or "0.0.0.0", source.port or PORT)
        self._wanted = Wanted(
            options["site"], options["component"], _groups(options["groups"]), int(options["interval_s"])
        )
        self._from = _ipv4(options["from"])
        self._clock = clock
        self._monotonic = monotonic
        self._listener: socket.socket | None = None
        self._sessions: dict[socket.socket, SupervisorSession] = {}
        self._site_id = options["site"]
        self._oversized_before = 0
        self._damaged_before = 0
        self.losses = 0
        self.say: Callable[[str], None] = lambda text: None

    @property
    def hint(self) -> str:
        """What to check when nothing arrives, by how far a site has come."""
        if not any(session.site_id for session in self._sessions.values()):
            return (
                f"No site has connected: its configuration must name this computer, port {self._address[1]}, as a "
                "(secondary) supervisor, and no firewall may stop it."
            )
        if not any(session.is_subscribed for session in self._sessions.values()):
            return "The site sends no aggregated status: name its controller with ?component=, such as KK+AG1=001TC000."
        return "The site is connected, but sends no status: check ?component= and ?groups=."

    @property
    def oversized(self) -> int:
        """Messages that were too long, over all connections."""
        return self._oversized_before + sum(session.oversized for session in self._sessions.values())

    @property
    def damaged(self) -> int:
        """Messages that could not be read, over all connections."""
        return self._damaged_before + sum(session.damaged for session in self._sessions.values())

    def open(self) -> None:
        """Listen; whoever wants to connect does (see `MessageSource.open`)."""
        self.close()
        try:
            self._listener = socket.create_server(self._address, backlog=_MAX_CONNECTIONS)
        except OSError as error:
            where = f"rsmp://{self._address[0]}:{self._address[1]}"
            raise LeezenflowError(
                f"{where}: {error.strerror or error}. The URL names our own address, such as rsmp://0.0.0.0, because "
                "sites connect to their supervisor; another program may have the port already."
            ) from error
        self._listener.setblocking(False)

    def receive(self, timeout_s: float) -> list[Arrival]:
        """See `MessageSource.receive`; LeezenflowError where the site refuses what the URL asks for."""
        if self._listener is None:
            raise SourceLostError("not open")
        arrivals: list[Arrival] = []
        writing = [sock for sock, session in self._sessions.items() if session.outgoing]
        readable, writable, _ = select.select([self._listener, *self._sessions], writing, [], timeout_s)
        for sock in readable:
            if sock is self._listener:
                self._accept()
            else:
                arrivals += self._read(sock)
        for sock in writable:
            self._write(sock)
        now_s = self._monotonic()
        for sock, session in list(self._sessions.items()):
            try:
                session.look_after(now_s)
            except SessionOverError as error:
                self._drop(sock, str(error))
            else:
                self._write(sock)
        return arrivals

    def close(self) -> None:
        """Hang up, and listen no more."""
        for sock in list(self._sessions):
            self._forget(sock)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, (address, *_) = self._listener.accept()
        except OSError:
            return  # gone again
        if (self._from and address != self._from) or len(self._sessions) >= _MAX_CONNECTIONS:
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._sessions[sock] = SupervisorSession(self._wanted, self._monotonic(), unix_ms, self._fault_of)

    def _fault_of(self, site_id: str) -> str:
        # Two controllers in one recording would be mixed up: S0001 counts the signal groups of each from 1.
        return f"another site, {self._site_id}, is being recorded" if self._site_id not in ("", site_id) else ""

    def _read(self, sock: socket.socket) -> list[Arrival]:
        session = self._sessions.get(sock)
        if session is None:
            return []
        try:
            data = sock.recv(_PIECE_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            self._drop(sock, f"the connection broke ({error.strerror or error})")
            return []
        if not data:
            self._drop(sock, "it closed the connection")
            return []
        at_ms = self._clock()
        known = bool(session.site_id)
        try:
            messages = session.feed(data, self._monotonic())
        except SubscriptionRefusedError as error:
            raise LeezenflowError(f"{error}. Check ?component= and ?groups= in the URL.") from error
        except SessionOverError as error:
            self._write(sock)
            self._drop(sock, str(error))
            return []
        if session.site_id and not known:
            self._welcome(sock, session)
        return [Arrival(at_ms, session.site_id, message) for message in messages]

    def _welcome(self, sock: socket.socket, session: SupervisorSession) -> None:
        self._site_id = session.site_id
        for other, before in list(self._sessions.items()):
            if other is not sock and before.site_id:
                # It comes anew: the connection before is dead, whether we have noticed or not.
                self._drop(other, "it connected anew")
        self.say(f"the site {session.site_id} is here")

    def _write(self, sock: socket.socket) -> None:
        session = self._sessions.get(sock)
        if session is None or not session.outgoing:
            return
        try:
            del session.outgoing[: sock.send(session.outgoing)]
        except BlockingIOError:
            pass
        except OSError as error:
            self._drop(sock, f"the connection broke ({error.strerror or error})")

    def _drop(self, sock: socket.socket, reason: str) -> None:
        session = self._sessions[sock]
        if session.site_id:
            self.losses += 1
            self.say(f"the site {session.site_id} is gone: {reason}; waiting for it")
        elif "turned away" in reason:
            self.say(reason)
        self._forget(sock)

    def _forget(self, sock: socket.socket) -> None:
        session = self._sessions.pop(sock)
        self._oversized_before += session.oversized
        self._damaged_before += session.damaged
        with contextlib.suppress(OSError):
            sock.close()


def _groups(text: str) -> tuple[str, ...]:
    groups = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(groups) > 64 or any(group.isdigit() and not 0 < int(group) < 256 for group in groups):
        raise InputError(f"groups={text}: give up to 64 signal groups, as numbers from 1 to 255 or cIds")
    return groups


def _ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text)) if text else ""
    except ValueError as error:
        raise InputError(f"from={text}: give an IPv4 address, such as from=192.0.2.5") from error
