# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no number is refused before anything is done with it."""

import pytest

from leezenflow_host import cli


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "0"])
@pytest.mark.parametrize(
    "words",
    [
        ("preview", "--speed"),
        ("monitor", "--for"),
        ("doctor", "--seconds"),
        ("site", "check", "x.toml", "--live"),
        ("site", "new", "x.toml", "--pace"),
    ],
    ids=" ".join,
)
def test_no_number_is_wrong_usage(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], value: str):
    assert cli.run([*words, value]) == cli.WRONG_INPUT
    said = capsys.readouterr().err
    assert said.startswith(f"Error: Invalid value for '{words[-1]}': ") and "--help" in said
    assert "is no number" in said or "is not in the range" in said
