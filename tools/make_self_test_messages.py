# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the messages that units carry for their self-test, from the recordings in tests/traces.

    python tools/make_self_test_messages.py

One file an adapter that runs on boards: a line of json (how to decode it, what it says), then the payload.
"""

import importlib
import json
import re
import runpy
import sys
from pathlib import Path

from leezenflow_host.drivers import adapter_runtimes, driver_names
from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "host/leezenflow_host/data/self_test"
INTERSECTION = 1090
# As each adapter numbers the signal group of its recording.
GROUPS = {
    "fixed_time": 1,
    "lamp_sense": 1,
    "sensorthings": 1,
    "spatem_uper": 12,
    "spatem_xml": 14,
    "tscbm": 4,
    "udap": 14,
}
# A message in XML has every group of the intersection: two are enough, the wanted one behind a short other one.
WANTED, OTHER = b"14", b"12"


def make_message(adapter: str) -> bytes:
    """The stored message of one adapter: the first one of its recording that holds the group."""
    options = runpy.run_path(str(ROOT / "tools/make_adapter_recordings.py"))["SITE_OPTIONS"].get(adapter)
    decoder_type = importlib.import_module(f"leezenflow_adapters.{adapter}").Decoder
    describe = runpy.run_path(str(ROOT / "firmware/leezenflow_device/self_test.py"))["describe_state"]
    with TraceReader(ROOT / f"tests/traces/{adapter}.jsonl.gz", strict=True) as trace:
        for message in trace:
            payload = shorten(message.payload) if adapter == "spatem_xml" else message.payload
            decoder = decoder_type(None, INTERSECTION, GROUPS[adapter], options)
            if decoder.decode(payload, 0, len(payload)) is True:
                head = {
                    "adapter": adapter,
                    "region": None,
                    "intersection": INTERSECTION,
                    "signal_group": GROUPS[adapter],
                    "options": options or {},
                    "expected": describe(decoder.state),
                }
                return json.dumps(head, separators=(",", ":")).encode() + b"\n" + payload
    raise SystemExit(f"{adapter}: no message of its recording holds group {GROUPS[adapter]}")


def shorten(payload: bytes) -> bytes:
    """The XML message without the groups that nobody asks for, regional parts and indentation."""

    def keep(found: re.Match[bytes]) -> bytes:
        group = re.search(rb"<signalGroup>(\d+)<", found[0])
        if group is None or group[1] not in (WANTED, OTHER):
            return b""
        first_event = rb"(</MovementEvent>).*</MovementEvent>"
        return found[0] if group[1] == WANTED else re.sub(first_event, rb"\1", found[0], flags=re.S)

    payload = re.sub(rb"<MovementState>.*?</MovementState>", keep, payload, flags=re.S)
    return re.sub(rb">\s+<", b"><", re.sub(rb"<regional>.*?</regional>", b"", payload, flags=re.S))


def main() -> None:
    """Write them all."""
    TARGET.mkdir(exist_ok=True)
    for adapter in driver_names("adapter"):
        if "device" in adapter_runtimes(adapter):
            content = make_message(adapter)
            (TARGET / f"{adapter}.bin").write_bytes(content)
            print(f"{len(content):6}  {adapter}", file=sys.stderr)


if __name__ == "__main__":
    main()
