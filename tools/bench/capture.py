# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many messages a second one core records from MQTT, and how large the files become, in one run.

    python tools/bench/capture.py

A child process plays a broker that sends as fast as it can; what counts is the processor time of the recorder,
receiving, searching for personal data, packing and writing. The ratio is to 2000 messages/s.
"""

import io
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from rich.console import Console

from leezenflow_host.capture.output import Output
from leezenflow_host.capture.recorder import Recorder
from leezenflow_host.capture.sources import make_source
from leezenflow_host.capture.status import Status
from leezenflow_host.trace import TraceHeader, TraceReader

ROOT = Path(__file__).resolve().parents[2]
COUNT = 5000
WANTED = 2000
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


def payloads() -> dict[str, bytes]:
    """A message of each kind: XML as in Münster, UPER."""
    xml = (ROOT / "tests/samples/spatem_xml/captured-spat-lf-ms-j.xml").read_bytes()
    with TraceReader(ROOT / "tests/traces/spatem_uper.jsonl.gz") as reader:
        uper = next(iter(reader)).payload
    return {"XML": xml, "UPER": uper}


def play_broker(kind: str) -> None:
    """Accept one client and send COUNT messages, each a little different from the one before."""
    payload = payloads()[kind]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        client, _ = server.accept()
        client.recv(1024)
        client.sendall(bytes((0x20, 2, 0, 0)))  # CONNACK
        subscribe = client.recv(1024)
        client.sendall(bytes((0x90, 3, subscribe[2], subscribe[3], 0)))  # SUBACK
        topic = b"/spat/1090"
        for number in range(COUNT):
            body = len(topic).to_bytes(2, "big") + topic + payload[:-4] + b"%04d" % number
            length = len(body)
            head = bytearray((0x30,))
            while length > 127:
                head.append(length & 127 | 128)
                length >>= 7
            head.append(length)
            client.sendall(head + body)
        client.recv(1024)


def measure(kind: str, suffix: str) -> tuple[float, float]:
    """Messages a second of processor time, and bytes of the file a message."""
    child = subprocess.Popen([sys.executable, __file__, kind], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    port = int(child.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        output = Output(str(path), TraceHeader(source="benchmark"), say=lambda text: None)
        source = make_source(f"mqtt://127.0.0.1:{port}/spat/1090?qos=0")
        status = Status(Console(file=io.StringIO()))
        started = time.process_time()
        summary = Recorder(source, output, status, threading.Event(), COUNT).run()
        seconds = time.process_time() - started
        assert summary.messages == COUNT
        size = path.stat().st_size
    child.wait(20)
    return COUNT / seconds, size / COUNT


def main() -> None:
    """Measure every kind of message in every kind of file."""
    print(f"{COUNT} messages each    messages/s    × {WANTED}/s   bytes a message in the file")
    for kind, payload in payloads().items():
        for suffix in SUFFIXES:
            rate, size = measure(kind, suffix)
            print(f"{kind:4} {len(payload):6} B {suffix:10} {rate:8.0f} {rate / WANTED:10.1f} {size:12.0f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        play_broker(sys.argv[1])
    else:
        main()
