# SPDX-FileCopyrightText: 2026 Leezenflow contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV files from the roadside: what is read, and every way in which a file can be wrong."""

from pathlib import Path

import pytest

from leezenflow_host.errors import InputError
from leezenflow_host.flow.observed_files import COUNTS, OPTIONAL, PASSAGES, REQUIRED, TRAJECTORIES, read_observed

GOOD = {
    TRAJECTORIES: {
        "rider": "a",
        "time": "12.5",
        "position_m": "-20.5",
        "speed_ms": "5",
        "free_speed_ms": "5.5",
        "signal": "green",
        "condition": "with",
        "period": "Tue 7",
        "cycle": "3",
    },
    PASSAGES: {
        "rider": "a",
        "time": "2026-05-12T07:50:00+02:00",
        "stopped": "yes",
        "stops": "2",
        "stopped_s": "12.5",
        "delay_s": "-0.5",
        "signal": "red",
        "red_age_s": "0.4",
        "condition": "with",
        "period": "Tue 7",
        "cycle": "3",
    },
    COUNTS: {
        "cycle": "7:50:00",
        "riders": "5",
        "stopped": "2",
        "on_red_under_1_s": "1",
        "on_red_from_1_s": "0",
        "condition": "with",
        "period": "Tue 7",
    },
}

BAD = [
    (TRAJECTORIES, "rider", "", "column rider is empty"),
    (TRAJECTORIES, "time", "", "column time is empty"),
    (
        TRAJECTORIES,
        "time",
        "noon",
        "column time is 'noon': give seconds, or a date and time such as 2026-05-12T07:50:00",
    ),
    (TRAJECTORIES, "time", "nan", "column time is 'nan': give seconds"),
    (
        TRAJECTORIES,
        "position_m",
        "far",
        "column position_m is 'far': give metres from the stop line, negative before it",
    ),
    (TRAJECTORIES, "position_m", "-99999", "column position_m is '-99999': give metres"),
    (TRAJECTORIES, "position_m", "nan", "column position_m is 'nan': give metres"),
    (TRAJECTORIES, "speed_ms", "-1", "column speed_ms is '-1': give a speed in m/s, 0 to 30"),
    (TRAJECTORIES, "free_speed_ms", "0", "column free_speed_ms is '0': give a speed in m/s, 0.5 to 30"),
    (TRAJECTORIES, "signal", "blue", "column signal is 'blue': give green, amber, red, red-amber or dark"),
    (PASSAGES, "rider", "", "column rider is empty"),
    (PASSAGES, "time", "2026-05-12T07:50:00", "column time is '2026-05-12T07:50:00': has no time zone: end it in Z"),
    (PASSAGES, "time", "12.05.2026 07:50", "column time is '12.05.2026 07:50': give seconds, or a date"),
    (PASSAGES, "stopped", "maybe", "column stopped is 'maybe': give yes or no"),
    (PASSAGES, "stops", "1.5", "column stops is '1.5': give a whole number from 0 to 100"),
    (PASSAGES, "stops", "0", "column stops is 0, but stopped is yes; correct one of them"),
    (PASSAGES, "stopped_s", "-3", "column stopped_s is '-3': give seconds, 0 to 3600"),
    (PASSAGES, "delay_s", "long", "column delay_s is 'long': give seconds, -60 to 3600"),
    (PASSAGES, "signal", "1", "column signal is '1': give green"),
    (PASSAGES, "signal", "green", "column red_age_s is 0.4, but signal is green; leave it empty"),
    (PASSAGES, "red_age_s", "inf", "column red_age_s is 'inf': give seconds"),
    (COUNTS, "cycle", "", "column cycle is empty"),
    (COUNTS, "riders", "-1", "column riders is '-1': give a whole number from 0"),
    (COUNTS, "stopped", "six", "column stopped is 'six': give a whole number from 0, at most the riders"),
    (COUNTS, "stopped", "6", "column stopped is 6, more than the 5 riders"),
    (COUNTS, "on_red_under_1_s", "6", "column on_red_under_1_s is 6, more than the 5 riders"),
    (COUNTS, "on_red_from_1_s", "x", "column on_red_from_1_s is 'x': give a whole number from 0"),
]


def write(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    lines = [delimiter.join(rows[0]), *(delimiter.join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", [TRAJECTORIES, PASSAGES, COUNTS])
def test_every_column_is_read(kind: str, tmp_path: Path):
    file = read_observed(write(tmp_path / "good.csv", [GOOD[kind]]))
    assert file.kind == kind
    assert set(file.rows[0]) == set(GOOD[kind]) == set(REQUIRED[kind] | OPTIONAL[kind])
    assert file.lines == [2]
    assert file.unknown_columns == ()


@pytest.mark.parametrize(("kind", "column", "value", "message"), BAD, ids=lambda value: str(value)[:20])
def test_a_bad_value_is_named_with_file_line_and_column(
    kind: str, column: str, value: str, message: str, tmp_path: Path
):
    path = write(tmp_path / "bad.csv", [GOOD[kind], GOOD[kind] | {column: value}])
    with pytest.raises(InputError) as error:
        read_observed(path)
    assert str(error.value).startswith(f"{path}:3: {message}")
    assert "\n" not in str(error.value)


def test_every_column_has_a_bad_value_above():
    # condition, period and a passage's cycle take any text.
    free = {"condition", "period", "cycle"}
    for kind in GOOD:
        tried = {column for bad_kind, column, *_ in BAD if bad_kind == kind}
        assert tried | free >= set(REQUIRED[kind] | OPTIONAL[kind])


@pytest.mark.parametrize("kind", [TRAJECTORIES, PASSAGES, COUNTS])
def test_a_missing_column_is_named(kind: str, tmp_path: Path):
    last = list(REQUIRED[kind])[-1 if kind != TRAJECTORIES else 0]
    row = {name: value for name, value in GOOD[kind].items() if name != last}
    with pytest.raises(InputError, match=rf"bad\.csv:1: column {last} is missing, which {kind} need"):
        read_observed(write(tmp_path / "bad.csv", [row]))


def test_a_column_of_nearly_that_name_is_guessed(tmp_path: Path):
    path = write(tmp_path / "bad.csv", [{"rider": "a", "times": "1", "position_m": "1"}])
    with pytest.raises(InputError, match=r"column time is missing, which trajectories need.*times"):
        read_observed(path)


def test_another_table_is_told_what_each_kind_needs(tmp_path: Path):
    path = write(tmp_path / "bad.csv", [{"name": "a", "street": "b"}])
    with pytest.raises(InputError) as error:
        read_observed(path)
    assert "no kind of observation has these columns" in str(error.value)
    assert "trajectories: rider, time, position_m; passages: rider, time, stopped; counts:" in str(error.value)


def test_all_faults_at_once_but_not_thousands(tmp_path: Path):
    path = write(tmp_path / "bad.csv", [GOOD[PASSAGES] | {"stopped": "?"}] * 50)
    with pytest.raises(InputError) as error:
        read_observed(path)
    lines = str(error.value).splitlines()
    assert len(lines) == 21
    assert lines[0].startswith(f"{path}:2: ") and lines[19].startswith(f"{path}:21: ")
    assert lines[20] == f"{path}: and 30 more"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"rider,time,stopped\n", "holds a header and nothing else"),
        (b"rider,time,stopped\na,1\n", ":2: has 2 values, the header has 3 columns"),
        (b"rider,time,rider,stopped\n", ":1: column 'rider' is there twice; leave one out"),
        (b"rider,time,stopped\nM\xfcller,1,yes\n", "byte 20 is not UTF-8; save the file as CSV in UTF-8"),
        (b'rider,time,stopped\n"a,1,yes\n', "is no CSV"),
    ],
)
def test_a_damaged_file_is_told(content: bytes, message: str, tmp_path: Path):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_observed(path)
    assert str(error.value).startswith(str(path)) and message in str(error.value)


def test_a_german_spreadsheet_is_read(tmp_path: Path):
    path = tmp_path / "zaehlung.csv"
    path.write_bytes("\ufeffRider;Time;Position_m\nMüller;12,5;-3,25\n".encode())
    assert read_observed(path).rows[0]["position_m"] == -3.25


def test_empty_lines_and_lines_over_two_rows_keep_the_numbering(tmp_path: Path):
    path = tmp_path / "bad.csv"
    path.write_text('rider,time,stopped\n"a\nb",1,yes\n\nc,2,no\nd,3,perhaps\n')
    with pytest.raises(InputError, match=r"bad\.csv:6: column stopped"):
        read_observed(path)


def test_unknown_columns_are_told(tmp_path: Path):
    assert read_observed(write(tmp_path / "x.csv", [GOOD[PASSAGES] | {"mood": "good"}])).unknown_columns == ("mood",)
