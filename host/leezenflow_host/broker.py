# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MQTT broker inside this process, for the demo and for tests. In the field, use mosquitto."""

import asyncio
import contextlib
import logging
import socket
import threading
from types import TracebackType
from typing import Any, Self

from amqtt.broker import Broker

from leezenflow_host.errors import LeezenflowError

_START_TIMEOUT_S = 20.0


class EmbeddedBroker:
    """A broker on a loopback port, running as long as the context (or from `start` until `stop`).

    `port` 0 takes a free one; afterwards `port` is the real one. It knows no passwords and listens on 127.0.0.1 only.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port or _free_port()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until the broker listens; `LeezenflowError` when the port is taken."""
        self._ready.clear()
        self._fault = None
        self._thread = threading.Thread(target=self._run, name="mqtt-broker", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S) or self._fault is not None:
            raise LeezenflowError(
                f"the built-in MQTT broker did not start on 127.0.0.1:{self.port} ({self._fault}). Is the port taken?"
            )

    def stop(self) -> None:
        """Stop; clients lose their connection."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join(_START_TIMEOUT_S)
        self._loop = None

    def _run(self) -> None:
        # The broker reports every client that leaves; what matters here shows in its clients.
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._fault = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        config: dict[str, Any] = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        broker = Broker(config)
        await broker.start()
        self._ready.set()
        try:
            await self._stopping.wait()
        finally:
            await broker.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
