# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages a second of the decoders against public libraries on the same content, and their cost on MicroPython.

    python tools/bench/decode.py [--rounds N] [--json]

The content is a real capture of intersection 1090 in Münster (25 signal groups, 2 of them timed): 256 bytes of UPER,
13.8 kB of XML. All are measured in turns in one run, the best round of each counts, and the ratio is what is worth
comparing. Needs `pip install asn1tools pycrate v2xflexstack --no-deps bitstruct pyparsing`; what is missing is left
out. On MicroPython (heap 100 kB) machine instructions are counted with callgrind where valgrind is installed.
"""

import argparse
import gzip
import json
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

from frame import PER_PIXEL_MS, find_micropython, play

from leezenflow_adapters import spatem_uper, spatem_xml
from leezenflow_host.decoding import spatem_uper as full_uper
from leezenflow_host.decoding import spatem_xml as full_xml
from leezenflow_host.mpy import Compiler, host_architecture
from leezenflow_host.trace import TraceReader

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests/samples"
PAYLOAD = ROOT / "tools/bench/payload/decoders.py"
HEAP = "100k"
GROUP = 12

# The top of the message, which the collection of modules leaves out.
SPATEM_MODULE = """
LEEZENFLOW-SPATEM DEFINITIONS AUTOMATIC TAGS ::= BEGIN
IMPORTS ItsPduHeader FROM ETSI-ITS-CDD SPAT FROM ETSI-ITS-DSRC;
SPATEM ::= SEQUENCE { header ItsPduHeader, spat SPAT }
END
"""

Work = Callable[[], Any]


def read_uper() -> bytes:
    """The capture as UPER."""
    with gzip.open(SAMPLES / "spat_uper/field_muenster.jsonl.gz", "rt", encoding="utf-8") as lines:
        return bytes.fromhex(json.loads(lines.readline())["hex"])


def read_xml() -> bytes:
    """The capture as XML."""
    return (SAMPLES / "spatem_xml/captured-spat-lf-ms-j.xml").read_bytes()


def asn1tools_work(payload: bytes) -> Work:
    """asn1tools with the public ETSI modules, compiled beforehand."""
    import asn1tools
    from flexstack.utils.asn1 import etsi_its_cdd, etsi_its_dsrc, etsi_its_dsrc_addgrpc, etsi_its_dsrc_region

    modules = (
        etsi_its_cdd.ETSI_ITS_CDD_ASN1_DESCRIPTIONS,
        etsi_its_dsrc.ETSI_ITS_DSRC_ASN1_DESCRIPTIONS,
        etsi_its_dsrc_addgrpc.ETSI_ITS_DSRC_ADDGRPC_ASN1_DESCRIPTIONS,
        etsi_its_dsrc_region.ETSI_ITS_DSRC_REGION_ASN1_DESCRIPTIONS,
        SPATEM_MODULE,
    )
    specification: Any = asn1tools.compile_string("\n".join(modules), "uper")
    return lambda: specification.decode("SPATEM", payload)


def pycrate_work(payload: bytes) -> Work:
    """pycrate with the modules it brings compiled."""
    from pycrate_asn1dir import ITS_IS

    message: Any = ITS_IS.SPATEM_PDU_Descriptions.SPATEM

    def work() -> Any:
        message.from_uper(payload)
        return message.get_val()

    return work


def element_tree_work(document: bytes) -> Work:
    """The standard library's parser, and the wanted group out of its tree."""

    def work() -> list[str | None]:
        root = ElementTree.fromstring(document)
        for movement in root.iterfind("SPAT/intersections/IntersectionState/states/MovementState"):
            if movement.findtext("signalGroup") == str(GROUP):
                return [event.findtext("timing/likelyTime") for event in movement.iterfind("state_time_speed/*")]
        return []

    return work


def one_group_work(decoder: Any, payload: bytes) -> Work:
    """One of our one-group decoders."""
    assert decoder.decode(payload, 0, len(payload)) is True
    return lambda: decoder.decode(payload, 0, len(payload))


def contestants() -> dict[str, dict[str, Work]]:
    """What is measured against what: the first of each group is the yardstick."""
    uper, xml = read_uper(), read_xml()
    libraries: dict[str, Work] = {}
    for name, make in (("asn1tools", asn1tools_work), ("pycrate", pycrate_work)):
        try:
            libraries[name] = make(uper)
        except ImportError as error:
            print(f"left out: {name} ({error})", file=sys.stderr)
    return {
        f"UPER, {len(uper)} bytes": {
            **libraries,
            "ours, whole message": lambda: full_uper.decode(uper),
            "ours, one group": one_group_work(spatem_uper.Decoder(49, 1090, GROUP), uper),
        },
        f"XML, {len(xml)} bytes": {
            "ElementTree, one group": element_tree_work(xml),
            "ours, whole message": lambda: full_xml.decode(xml),
            "ours, one group": one_group_work(spatem_xml.Decoder(49, 1090, GROUP), xml),
        },
    }


def measure(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Messages a second of each, by its best round; all take turns, so that a busy machine is as busy for each."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            begun = time.perf_counter()
            for _ in range(25):
                work()
            best[name] = min(best[name], (time.perf_counter() - begun) / 25)
    return {name: 1 / seconds for name, seconds in best.items()}


def device_contents() -> dict[str, tuple[list[bytes], int]]:
    """Messages for each adapter that runs on boards, and the group to ask for."""
    contents: dict[str, tuple[list[bytes], int]] = {
        "spatem_uper": ([read_uper()], GROUP),
        "spatem_xml": ([read_xml()], GROUP),
    }
    for adapter, group in (("udap", 12), ("tscbm", 2), ("sensorthings", 12)):
        with TraceReader(ROOT / f"tests/traces/{adapter}.jsonl.gz") as trace:
            contents[adapter] = ([message.payload for message in trace][:8], group)
    return contents


def compile_packages(folder: Path) -> None:
    """Compile core and adapters into `folder`, as an installation does: a board does not compile."""
    compiler = Compiler(host_architecture())
    for root, package in (("firmware", "leezenflow"), ("signal_adapters", "leezenflow_adapters")):
        for source in (ROOT / root / package).glob("*.py"):
            target = folder / package / f"{source.stem}.mpy"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(compiler.compile(source.read_bytes(), f"{package}/{source.name}"))


def measure_device(
    adapter: str, messages: list[bytes], group: int, packages: Path, valgrind: str | None
) -> dict[str, float]:
    """Cost of one message on MicroPython: instructions (or None), µs, bytes allocated, steps, µs of the longest."""
    micropython = find_micropython()
    environment = {**os.environ, "MICROPYPATH": str(packages)}
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        for message in messages:
            file.write(len(message).to_bytes(4, "big") + message)
        file.flush()

        def run(count: int, *tool: str) -> subprocess.CompletedProcess[str]:
            command = [*tool, micropython, "-X", f"heapsize={HEAP}", str(PAYLOAD), adapter, file.name, str(group)]
            result = subprocess.run([*command, str(count)], capture_output=True, text=True, env=environment)
            if result.returncode:
                sys.exit(result.stdout + result.stderr)
            return result

        figures = [list(map(int, run(400).stdout.split())) for _ in range(5)]
        took_us, allocated, steps, longest = (min(column) for column in zip(*figures, strict=True))
        cost = {"µs": took_us / 400, "bytes": allocated, "steps": steps, "longest step, µs": longest}
        if valgrind:
            counts = []
            for count in (8, 40):
                result = run(count, valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null")
                collected = re.search(r"Collected : (\d+)", result.stderr)
                assert collected, result.stderr
                counts.append(int(collected[1]))
            # The difference of two runs is free of start-up.
            cost["instructions"] = (counts[1] - counts[0]) / 32
        return cost


def main() -> int:
    """Print both tables, or all figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="rounds of 25 messages each (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args()
    speeds = {content: measure(works, options.rounds) for content, works in contestants().items()}
    valgrind = shutil.which("valgrind")
    with tempfile.TemporaryDirectory() as folder:
        compile_packages(Path(folder))
        contents = device_contents().items()
        costs = {name: measure_device(name, *content, Path(folder), valgrind) for name, content in contents}
    if options.json:
        print(json.dumps({"cpython": speeds, "micropython": costs}, indent=1))
        return 0
    for content, figures in speeds.items():
        yardstick = next(iter(figures))
        print(f"{content} on CPython {sys.version.split()[0]}")
        for name, speed in figures.items():
            print(f"  {name:24} {speed:9,.0f} messages/s {speed / figures[yardstick]:7.1f} x {yardstick}")
    per_instruction_ms = 0.0
    if valgrind:
        instructions, _ = play(find_micropython(), "per_pixel", "green", 3, valgrind)
        per_instruction_ms = PER_PIXEL_MS / instructions
    print(f"one group on MicroPython, heap {HEAP}")
    print(f"  {'adapter':14} {'instructions':>13} {'ms at 125 MHz':>14} {'µs here':>8} {'steps':>6} {'bytes':>6}")
    for name, cost in costs.items():
        instructions = cost.get("instructions", 0)
        print(
            f"  {name:14} {instructions:13,.0f} {instructions * per_instruction_ms:14.1f} {cost['µs']:8.0f} "
            f"{cost['steps']:6.0f} {cost['bytes']:6.0f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
