# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One signal group out of SPATEM in XML: ours against ElementTree and against bare `find`, in one run.

    python tools/bench/spatem_xml.py [--rounds N]

On CPython: messages a second. The contents: the capture from Münster, where one message is repeated; and simulated
traffic, where every message differs from the one before. ElementTree is asked for what our decoder gives, bare `find`
for the times alone. On MicroPython (heap 100 kB, compiled as for a board): machine instructions a message, counted with
callgrind where valgrind is installed, else µs; the bytes allocated; and the longest step.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from frame import find_micropython

from leezenflow.spatem import STATUS_BITS
from leezenflow_adapters.spatem_xml import Decoder
from leezenflow_host.mpy import Compiler, host_architecture
from leezenflow_host.simulation.recording import simulate
from leezenflow_host.simulation.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = ROOT / "tools/bench/payload"
sys.path.insert(0, str(PAYLOADS))
import xml_naive  # noqa: E402  # pyright: ignore[reportMissingImports]

HEAP = "100k"
GROUP = 12
FIELDS = ("startTime", "minEndTime", "maxEndTime", "likelyTime", "confidence", "nextTime")


def contents() -> dict[str, list[bytes]]:
    """What is measured."""
    capture = (ROOT / "tests/samples/spatem_xml/captured-spat-lf-ms-j.xml").read_bytes()
    simulated = {}
    for name, seconds in (("actuated", 60), ("fixed_time_10hz", 10)):
        recording = simulate(name, load_scenario(name)[1], 1, seconds)
        simulated[name] = [message.payload for message in recording.messages]
    return {
        "capture": [capture] * 20,
        "capture without its comments": [re.sub(rb"<!--.*?-->", b"", capture)] * 20,
        "simulated, traffic-dependent, 1 Hz": simulated["actuated"],
        "simulated, fixed program, 10 Hz": simulated["fixed_time_10hz"],
    }


def read_with_element_tree(payload: bytes) -> tuple[Any, ...] | None:
    """All that `Decoder` gives, from a tree."""
    for state in ElementTree.fromstring(payload).iterfind("SPAT/intersections/IntersectionState"):
        if state.findtext("id/id") != "1090" or state.findtext("id/region") != "49":
            continue
        bits = state.find("status")
        assert bits is not None
        values = {bit.tag.rpartition(".")[2]: bit.text for bit in bits}
        status = sum(0x8000 >> place for place, name in enumerate(STATUS_BITS) if values.get(name) == "1")
        head = [number(state.findtext(name)) for name in ("revision", "moy", "timeStamp")]
        for movement in state.iterfind("states/MovementState"):
            if movement.findtext("signalGroup") == str(GROUP):
                return (status, *head, [read_event(event) for event in movement.iterfind("state_time_speed/*")])
    return None


def read_event(event: ElementTree.Element) -> list[int | None]:
    """One event's numbers."""
    timing = event.find("timing")
    times = [None if timing is None else number(timing.findtext(name)) for name in FIELDS]
    return [number(event.findtext("eventState")), *times]


def number(text: str | None) -> int | None:
    """A number, or None for an absent one."""
    return None if text is None else int(text)


def measure(payloads: list[bytes], rounds: int) -> dict[str, float]:
    """Messages a second by the best round; all take turns."""
    ours, naive = Decoder(49, 1090, GROUP), xml_naive.Decoder(49, 1090, GROUP)
    works: dict[str, Callable[[bytes], object]] = {
        "ElementTree": read_with_element_tree,
        "bare find": lambda payload: naive.decode(payload, 0, len(payload)),
        "ours": lambda payload: ours.decode(payload, 0, len(payload)),
    }
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            begun = time.perf_counter()
            for payload in payloads:
                assert work(payload)
            best[name] = min(best[name], time.perf_counter() - begun)
    return {name: len(payloads) / seconds for name, seconds in best.items()}


def compile_packages(folder: Path) -> None:
    """Compile core and adapters into `folder`, as an installation does: a board does not compile."""
    compiler = Compiler(host_architecture())
    for root, package in (("firmware", "leezenflow"), ("signal_adapters", "leezenflow_adapters")):
        for source in (ROOT / root / package).glob("*.py"):
            target = folder / package / f"{source.stem}.mpy"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(compiler.compile(source.read_bytes(), f"{package}/{source.name}"))


def measure_device(
    module: str, payloads: list[bytes], packages: Path, valgrind: str | None
) -> tuple[float, int, int, int]:
    """(instructions or µs, bytes allocated, steps, µs of the longest step) of one message on MicroPython."""
    paths = f"{packages}:{PAYLOADS}"
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        for payload in payloads:
            file.write(len(payload).to_bytes(4, "big") + payload)
        file.flush()

        def run(count: int, *tool: str) -> subprocess.CompletedProcess[str]:
            command = [*tool, find_micropython(), "-X", f"heapsize={HEAP}", str(PAYLOADS / "xml_decoders.py")]
            command += [module, file.name, str(GROUP), str(count)]
            result = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, "MICROPYPATH": paths}
            )
            if result.returncode:
                sys.exit(result.stdout + result.stderr)
            return result

        figures = [tuple(map(int, run(200).stdout.split())) for _ in range(5)]
        took_us, allocated, steps, longest = (min(column) for column in zip(*figures, strict=True))
        if valgrind is None:
            return took_us / 200, allocated, steps, longest
        counts = []
        for count in (8, 40):
            result = run(count, valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null")
            collected = re.search(r"Collected : (\d+)", result.stderr)
            assert collected, result.stderr
            counts.append(int(collected[1]))
        # The difference of two runs is free of start-up.
        return (counts[1] - counts[0]) / 32, allocated, steps, longest


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="rounds over each content (default: %(default)s)")
    options = parser.parse_args()
    everything = contents()
    print(f"one group on CPython {sys.version.split()[0]}: messages a second")
    for content, payloads in everything.items():
        speeds = measure(payloads, options.rounds)
        sizes = f"{min(map(len, payloads))}..{max(map(len, payloads))} bytes"
        print(f"  {content}, {sizes}")
        for name, speed in speeds.items():
            print(f"    {name:14} {speed:9,.0f}  {speed / speeds['ElementTree']:5.1f} x ElementTree")
    valgrind = shutil.which("valgrind")
    print(f"one group on MicroPython, heap {HEAP}: {'instructions' if valgrind else 'µs'} a message")
    with tempfile.TemporaryDirectory() as folder:
        compile_packages(Path(folder))
        for content, payloads in everything.items():
            print(f"  {content}")
            for name, module in (("bare find", "xml_naive"), ("ours", "leezenflow_adapters.spatem_xml")):
                cost, allocated, steps, longest = measure_device(module, payloads[:1], Path(folder), valgrind)
                print(f"    {name:14} {cost:9,.0f}  {allocated:5} bytes  {steps} steps, the longest {longest} µs here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
