"""``mainsequence series``."""

import pandas as pd
import pytest

import mainsequence.client as msc
from tests.cli.runner import answer, refusal, run


@pytest.fixture(autouse=True)
def _bars() -> None:
    days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-03-01"], utc=True)
    index = pd.MultiIndex.from_product([days, ["KO", "PG"]], names=["time_index", "unique_identifier"])
    bars = msc.Series.get_or_create(
        "bars", {"close": "float64", "volume": "int64"}, frequency="1d", description="daily"
    )
    frame = pd.DataFrame({"close": [1.0, 2.0, 3.0, None, 5.0, 6.0], "volume": [1, 2, 3, None, 5, 6]}, index=index)
    bars.append(frame.astype({"volume": "Int64"}))


def test_series_are_listed_and_shown():
    (listed,) = answer("series", "list", "-w", "frequency=1d")
    assert (listed["unique_identifier"], listed["columns"]) == ("bars", {"close": "float64", "volume": "int64"})
    shown = answer("series", "show", "bars")
    assert {name: shown[name] for name in ("version", "rows", "assets", "first", "last")} == {
        "version": 1,
        "rows": 6,
        "assets": 2,
        "first": "2024-01-02T00:00:00Z",
        "last": "2024-03-01T00:00:00Z",
    }
    assert "close, volume" in run("series", "list").stdout


def test_rows_are_read():
    rows = answer("series", "read", "bars")
    assert rows[0] == {"time_index": "2024-01-02T00:00:00Z", "unique_identifier": "KO", "close": 1.0, "volume": 1}
    assert (rows[3]["close"], rows[3]["volume"], len(rows)) == (None, None, 6)
    some = answer("series", "read", "bars", "-c", "close", "-a", "PG", "--start", "2024-01-03", "--end", "2024-03-01")
    assert some == [{"time_index": "2024-01-03T00:00:00Z", "unique_identifier": "PG", "close": None}]
    assert [each["close"] for each in answer("series", "read", "bars", "--last")] == [5.0, 6.0]
    assert answer("series", "read", "bars", "--version", 0) == []
    assert run("series", "read", "bars", "--version", 0).stdout == "no rows\n"


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 99])
def test_head_gives_the_first_rows(count: int):
    assert answer("series", "head", "bars", "-n", count) == answer("series", "read", "bars")[:count]


def test_head_of_an_empty_series():
    msc.Series.get_or_create("empty", {"close": "float64"})
    assert answer("series", "head", "empty") == []


def test_tables_are_aligned_and_gaps_are_blank():
    lines = run("series", "read", "bars").stdout.splitlines()
    assert lines[0].split() == ["time_index", "unique_identifier", "close", "volume"]
    assert lines[1].split() == ["2024-01-02T00:00:00Z", "KO", "1", "1"]
    assert lines[4].split() == ["2024-01-03T00:00:00Z", "PG"]


def test_versions_are_listed_and_a_series_is_deleted():
    assert [(each["version"], each["inserted"]) for each in answer("series", "history", "bars")][-1] == (1, 6)
    run("series", "delete", "bars", "--yes")
    assert answer("series", "list") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nope"], 1),
        (["read", "bars", "-c", "open"], 2),
        (["read", "bars", "--version", "9"], 1),
        (["read", "bars", "--start", "2024-01-02T10:00"], 2),
        (["read", "bars", "--start", "2024-01-03", "--end", "2024-01-02"], 2),
        (["list", "-w", "close=1"], 2),
    ],
)
def test_bad_requests_are_refused(words: list[str], code: int):
    refusal("series", *words, code=code)
