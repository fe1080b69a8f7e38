#!/bin/sh
# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a virtual environment: make_venv.sh FOLDER. Takes $PYTHON, or the first Python >= 3.11 it finds.
# An environment that works is kept.
set -eu
folder=$1

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -x "$folder/bin/python" ] && is_new_enough "$folder/bin/python" &&
    "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

if [ -n "${PYTHON:-}" ]; then
    candidates=$PYTHON
else
    candidates="python3 python3.14 python3.13 python3.12 python3.11 python"
fi
found=
for candidate in $candidates; do
    if is_new_enough "$candidate"; then
        found=$candidate
        break
    fi
done
if [ -z "$found" ]; then
    echo "Leezenflow needs Python 3.11 or newer; looked for: $candidates" >&2
    for candidate in $candidates; do
        version=$("$candidate" --version 2>/dev/null) && echo "  $candidate is $version" >&2
    done
    echo "Install a newer Python (https://www.python.org/downloads/), or name one: make PYTHON=/path/to/python3.13 …" >&2
    exit 1
fi

if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "$found cannot make environments: its modules venv and ensurepip are missing." >&2
    echo "On Debian and Ubuntu: sudo apt install $package (elsewhere: the package that holds ensurepip), then again." >&2
    exit 1
fi

echo "== Making $folder with $("$found" --version) ($found)"
rm -rf "$folder"
"$found" -m venv "$folder"
