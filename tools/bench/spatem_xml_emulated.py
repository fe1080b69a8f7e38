# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs an RP2040 to read SPATEM in XML: microseconds of an emulated one at 125 MHz, and bytes allocated.

    LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 python tools/bench/spatem_xml_emulated.py

For each message and group: the first time, when the sender is not known yet, and the third time. Emulated times are a
lower bound: flash cache misses and interrupts come on top. Takes some minutes.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/device")]

from emulated_board import EmulatedBoard  # noqa: E402

from leezenflow_host.mpy import compiler_for_chip  # noqa: E402
from leezenflow_host.simulation.recording import simulate  # noqa: E402
from leezenflow_host.simulation.scenario import load_scenario  # noqa: E402

MODULES = {
    "leezenflow": ("__init__", "errors", "spatem"),
    "leezenflow_adapters": (
        "__init__",
        "xml_cursor",
        "_spatem_xml_viper",
        *(
            f"spatem_xml{part}"
            for part in ("", "_elements", "_events", "_gaps", "_loops", "_stride", "_values", "_walk")
        ),
    ),
}
ROOTS = {"leezenflow": "firmware", "leezenflow_adapters": "signal_adapters"}
PAYLOAD = """
import gc, time
time.sleep_ms(1500)
gc.collect()
before = gc.mem_alloc()
from leezenflow_adapters.spatem_xml import Decoder
gc.collect()
print("## code", gc.mem_alloc() - before)
for name in ("capture", "simulated"):
    with open(name + ".xml", "rb") as file:
        message = bytearray(file.read())
    for group in (12, 14):
        decoder = Decoder(49, 1090, group)
        for turn in range(3):
            steps = []
            gc.collect()
            before = gc.mem_alloc()
            decoder.begin(message, 0, len(message))
            answer = None
            while answer is None:
                begun = time.ticks_us()
                answer = decoder.step()
                steps.append(time.ticks_diff(time.ticks_us(), begun))
            allocated = gc.mem_alloc() - before
            if turn != 1:
                print("##", name, len(message), group, turn, sum(steps), len(steps), max(steps), allocated)
print("## end")
"""


def build_files() -> dict[str, bytes]:
    """The modules, compiled as an installation compiles them, two messages, and the payload as /main.py."""
    compiler = compiler_for_chip("RP2040")
    assert compiler is not None, "mpy-cross is missing"
    recording = simulate("actuated", load_scenario("actuated")[1], 1, 10)
    files = {
        "/main.py": PAYLOAD.encode(),
        "/capture.xml": (ROOT / "tests/samples/spatem_xml/captured-spat-lf-ms-j.xml").read_bytes(),
        "/simulated.xml": recording.messages[5].payload,
    }
    for package, modules in MODULES.items():
        for module in modules:
            source = (ROOT / ROOTS[package] / package / f"{module}.py").read_bytes()
            files[f"/{package}/{module}.mpy"] = compiler.compile(source, f"{package}/{module}.py")
    return files


def main() -> int:
    """Run the payload on an emulated board and print its table."""
    uf2 = os.environ.get("LEEZENFLOW_UF2")
    if not uf2:
        print("left out: set LEEZENFLOW_UF2=/path/to/RPI_PICO.uf2 (MicroPython for a plain Pico)", file=sys.stderr)
        return 0
    board = EmulatedBoard(Path(uf2), build_files())
    board.run(60_000, until=lambda: b"## end" in board.console or b"Traceback" in board.console)
    lines = [line[3:].split() for line in board.console.decode().splitlines() if line.startswith("## ")]
    if ["end"] not in lines:
        print(board.console.decode(), file=sys.stderr)
        return 1
    print(f"code in memory: {lines[0][1]} bytes")
    print(f"{'message':12}{'bytes':>7}{'group':>6}{'':>12}{'us':>9}{'steps':>6}{'longest':>9}{'allocated':>10}")
    for name, size, group, turn, took, steps, longest, allocated in lines[1:-1]:
        known = "known" if turn == "2" else "first time"
        print(f"{name:12}{size:>7}{group:>6}{known:>12}{took:>9}{steps:>6}{longest:>9}{allocated:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
