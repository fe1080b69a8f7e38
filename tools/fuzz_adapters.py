# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds every adapter many damaged messages, and both full UPER readers too: nothing but a SignalError may come out.

    python tools/fuzz_adapters.py [--count N] [--seed N] [ADAPTER ...]

The messages are those of tests/traces and tests/samples with bytes changed, cut out, doubled or put in from another
message; one decoder lives through all of them, as on a board. Also says how long the slowest message took.
"""

import argparse
import gzip
import importlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from leezenflow.errors import SignalError
from leezenflow_adapters.mapem_uper import decode_map
from leezenflow_host.decoding import spatem_uper as full_uper
from leezenflow_host.drivers import driver_names
from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[1]

# What an adapter cannot do without.
SITE_OPTIONS = {"fixed_time": {"plans": ["day red=30 red_amber=1 green=24 amber=2"]}}

Reader = Callable[[bytes], Any]


def read_messages(adapter: str) -> list[bytes]:
    """The messages of an adapter's recording."""
    with TraceReader(ROOT / f"tests/traces/{adapter}.jsonl.gz") as trace:
        return [message.payload for message in trace][:60]


def read_generated() -> list[bytes]:
    """SPATEM messages with every optional field."""
    with gzip.open(ROOT / "tests/samples/spat_uper/generated.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [bytes.fromhex(json.loads(line)["hex"]) for line in lines]


def read_maps() -> list[bytes]:
    """Public MAP messages."""
    return [bytes.fromhex(path.read_text()) for path in sorted((ROOT / "tests/samples/map_uper").glob("*.hex"))]


def readers(only: list[str]) -> Iterator[tuple[str, Reader, list[bytes]]]:
    """Name, reader and sound messages of everything that can be fuzzed."""
    for adapter in driver_names("adapter"):
        if (ROOT / f"tests/traces/{adapter}.jsonl.gz").exists() and (not only or adapter in only):
            module = importlib.import_module(f"leezenflow_adapters.{adapter}")
            decoder = module.Decoder(None, 1090, 12, SITE_OPTIONS.get(adapter))
            messages = read_messages(adapter)
            if adapter == "spatem_uper":
                messages += read_generated()
            yield adapter, lambda data, decoder=decoder: decoder.decode(data, 0, len(data)), messages
    if not only or "full_uper" in only:
        yield "full_uper", full_uper.decode, read_generated()
    if not only or "mapem_uper" in only:
        yield "mapem_uper", decode_map, read_maps()


def damage(message: bytes, other: bytes, chance: random.Random) -> bytes:
    """The message with one to four pieces of damage."""
    data = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        if not data:
            break
        at = chance.randrange(len(data))
        length = chance.choice((1, 1, 2, 4, 30))
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.choice((0, 255, 128, 127, chance.randrange(256)))
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                begin = chance.randrange(max(1, len(other)))
                data[at : at + length] = other[begin : begin + length]
            case _:
                del data[at:]
    return bytes(data)


def main() -> int:
    """Fuzz; exit code 1 when anything else than a SignalError came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("only", nargs="*", metavar="ADAPTER")
    parser.add_argument("--count", type=int, default=100_000, help="messages for each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    faults = 0
    for name, read, messages in readers(options.only):
        chance = random.Random(f"{options.seed} {name}")
        outcomes: Counter[str] = Counter()
        slowest = 0.0
        for _ in range(options.count):
            data = damage(chance.choice(messages), chance.choice(messages), chance)
            begun = time.perf_counter()
            try:
                result = read(data)
                outcomes["ours" if result is True else "another" if result is False else "read"] += 1
            except SignalError as error:
                outcomes[error.kind] += 1
            except Exception as error:
                faults += 1
                print(f"{name}: {type(error).__name__}: {error}\n  {data.hex()}")
            slowest = max(slowest, time.perf_counter() - begun)
        print(f"{name:14} slowest {slowest * 1000:6.1f} ms  {dict(outcomes.most_common())}", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
