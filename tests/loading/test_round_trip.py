"""What is exported and loaded again is the same, to the microsecond and the last bit of a weight; losses are said."""

from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import mainsequence.client as msc

NAMES = ["A", 'B,"quoted"', "NA", "=1+1", "007", "TRUE", "Ünï·código"]
FORMATS = {
    **{
        f"{kind}-{layout}": (kind, layout)
        for kind in ("csv", "tsv", "json", "parquet", "xlsx")
        for layout in ("intervals", "snapshots")
    },
    "folder": ("", "snapshots"),
}
FIRST, LAST = datetime(1900, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 (hypothesis adds the zone)
times = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
days = st.dates(FIRST.date(), LAST.date()).map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
weights = st.none() | st.floats(allow_nan=False, allow_infinity=False)
numbers = count()


@st.composite
def ledgers(draw: st.DrawFn) -> list[dict[str, object]]:
    """Rows of intervals: those of one asset never overlap; bounds may be open and weights missing."""
    rows = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        bounds = sorted(draw(st.sets(times | days, min_size=2, max_size=8)))
        for start, end in list(pairwise(bounds))[:: draw(st.sampled_from((1, 2)))]:
            rows.append({"unique_identifier": name, "valid_from": start, "valid_to": end, "weight": draw(weights)})
        if draw(st.booleans()) and rows[-1]["unique_identifier"] == name:
            rows[-1]["valid_to"] = None
        first = next((row for row in rows if row["unique_identifier"] == name), None)
        if draw(st.booleans()) and first is not None:
            first["valid_from"] = None
    return rows


@pytest.fixture
def registered() -> None:
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in NAMES])


def fresh() -> msc.AssetCategory:
    return msc.AssetCategory.create(unique_identifier=f"universe-{next(numbers)}")


def frame_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Give rows as a frame whose columns have their types even where it is empty."""
    frame = pd.DataFrame(rows, columns=["unique_identifier", "valid_from", "valid_to", "weight"])
    stamps = dict.fromkeys(("valid_from", "valid_to"), "datetime64[us, UTC]")
    return frame.astype({"unique_identifier": "str", "weight": "float64", **stamps})


@pytest.mark.slow
def test_a_universe_comes_back_whole_through_every_format(registered: None, tmp_path: Path) -> None:
    universe, backs = fresh(), {name: fresh() for name in FORMATS}

    @given(rows=ledgers())
    @settings(
        max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
    )
    def there_and_back(rows: list[dict[str, object]]) -> None:
        universe.load(frame_of(rows), allow_empty=True, force=True)
        expected = universe.members()
        assert sorted(expected["weight"].dropna()) == sorted(_weights(rows)), "nothing is lost on the way in"
        for name, (ending, layout) in FORMATS.items():
            path = tmp_path / f"{next(numbers)}{'.' if ending else ''}{ending}"
            assert universe.export(path, layout=layout).lost == ()
            backs[name].load(path, identifier="unique_identifier", allow_empty=True, force=True)
            pd.testing.assert_frame_equal(backs[name].members(), expected, check_exact=True, obj=name)

    there_and_back()


def _weights(rows: list[dict[str, object]]) -> list[float]:
    """Give the weights of rows as the ledger keeps them: neighbours of one weight are one."""
    kept = []
    for row, before in zip(rows, [None, *rows], strict=False):
        same = before is not None and before["unique_identifier"] == row["unique_identifier"]
        joined = same and before["valid_to"] == row["valid_from"] and before["weight"] == row["weight"]
        if row["weight"] is not None and not joined:
            kept.append(float(row["weight"]))
    return kept


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "parquet", "xlsx"])
def test_announcements_come_back_too(registered: None, tmp_path: Path, kind: str) -> None:
    universe = fresh()
    row = {"unique_identifier": "A", "valid_from": "2020-01-02", "valid_to": "2021-01-04"}
    universe.load([row | {"announced": "2019-12-13T22:15:00.000001Z", "exit_announced": "2020-12-11"}])
    universe.export(tmp_path / f"list.{kind}")
    back = fresh()
    back.load(tmp_path / f"list.{kind}", identifier="unique_identifier")
    back.export(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == (
        "unique_identifier,valid_from,valid_to,weight,announced,exit_announced\n"
        "A,2020-01-02,2021-01-04,,2019-12-13T22:15:00.000001Z,2020-12-11\n"
    )
    with pytest.raises(msc.ValidationError, match="2 dates of announcement"):
        universe.export(tmp_path / "lists.csv", layout="snapshots")


def test_columns_are_parted_by_tabs_where_the_name_says_so(registered: None, tmp_path: Path) -> None:
    universe, back = fresh(), fresh()
    universe.load([{"unique_identifier": name, "start": "2020-01-01", "weight": 0.5} for name in ('B,"quoted"', "NA")])
    made = universe.export(tmp_path / "list.tsv")
    first, *rows = made.path.read_text().splitlines()
    assert (made.format, first) == ("tsv", "unique_identifier\tvalid_from\tvalid_to\tweight")
    assert rows == ['"B,""quoted"""\t2020-01-01\tinfinity\t0.5', "NA\t2020-01-01\tinfinity\t0.5"]
    back.load(made.path, identifier="unique_identifier")
    pd.testing.assert_frame_equal(back.members(), universe.members(), check_exact=True)
    again = universe.export(tmp_path / "list.txt", format="tsv")
    assert back.load(again.path, identifier="unique_identifier", format="tsv").revision == 1


@pytest.mark.parametrize(
    ("row", "says", "comes_back"),
    [
        ({"valid_from": None}, "1 open starts", ("1900-01-01", None)),
        ({"weight": 0.5}, "1 weights", ("2020-01-01", None)),
        ({"valid_to": "2020-06-01T12:00:00Z"}, "1 times of day", ("2020-01-01", "2020-06-02")),
        ({"valid_to": "2100-01-01"}, "1 ends on 2099-12-31, which means open", ("2020-01-01", None)),
    ],
)
def test_qlibs_format_refuses_what_it_cannot_hold_or_says_it(
    registered: None, tmp_path: Path, row: dict[str, object], says: str, comes_back: tuple[str, str | None]
) -> None:
    universe, file = fresh(), tmp_path / "list.txt"
    universe.load([{"unique_identifier": "A", "valid_from": "2020-01-01", "valid_to": None} | row])
    with pytest.raises(msc.ValidationError, match=says):
        universe.export(file)
    assert not file.exists()
    assert universe.export(file, allow_loss=True).lost == (says,)
    back = fresh()
    back.load(file)
    (found,) = back.members().itertuples()
    bounds = (found.valid_from, found.valid_to)
    assert tuple(None if pd.isna(each) else each.date().isoformat() for each in bounds) == comes_back


def test_qlibs_format_brings_whole_days_back(registered: None, tmp_path: Path) -> None:
    universe, file = fresh(), tmp_path / "list.txt"
    rows = [("A", "2020-01-01", "2020-01-02"), ("A", "2021-01-01", None), ("NA", "1999-12-31", "2000-03-01")]
    universe.load([dict(zip(("unique_identifier", "start", "end"), row, strict=True)) for row in rows])
    universe.export(file)
    assert file.read_text() == "A\t2020-01-01\t2020-01-01\nA\t2021-01-01\t2099-12-31\nNA\t1999-12-31\t2000-02-29\n"
    back = fresh()
    back.load(file)
    pd.testing.assert_frame_equal(back.members(), universe.members())


def test_an_export_is_of_the_state_that_was_asked(registered: None, tmp_path: Path) -> None:
    universe = fresh()
    universe.load([{"unique_identifier": "A", "start": "2020-01-01", "weight": 0.25}])
    universe.load([{"unique_identifier": "NA", "start": "2020-01-01"}])
    first = universe.export(tmp_path / "first.csv", revision=1)
    assert (first.path.read_text(), first.rows) == (
        "unique_identifier,valid_from,valid_to,weight\nA,2020-01-01,infinity,0.25\n",
        1,
    )
    then = universe.export(tmp_path / "then.csv", layout="snapshot", as_of="2019-01-01")
    assert (then.rows, then.path.read_text()) == (0, "unique_identifier,weight\n")


def test_assets_that_an_identifier_does_not_tell_apart_are_not_exported_by_it(tmp_path: Path) -> None:
    assets = msc.Asset.batch_get_or_register_custom_assets(
        [
            *({"unique_identifier": name, "ticker": "T", "exchange_code": name} for name in ("US", "LN")),
            {"unique_identifier": "nameless"},
        ]
    )
    universe = msc.AssetCategory.create(unique_identifier="u", assets=assets)
    with pytest.raises(msc.ValidationError, match=r"1 have none \(nameless\), 1 are shared \(T: US and LN\)"):
        universe.export(tmp_path / "list.csv", identifier="ticker")
    universe.update_assets(assets[:1])
    universe.export(tmp_path / "list.csv", identifier="ticker")
    assert (tmp_path / "list.csv").read_text() == "ticker,valid_from,valid_to,weight\nT,-infinity,infinity,\n"


@pytest.mark.parametrize(("name", "more"), [("list.doc", {}), ("folder", {}), ("list.csv", {"format": "xml"})])
def test_what_is_no_format_is_refused(registered: None, tmp_path: Path, name: str, more: dict[str, str]) -> None:
    with pytest.raises(msc.ValidationError):
        fresh().export(tmp_path / name, **more)


def test_a_folder_that_holds_files_is_not_written_into(registered: None, tmp_path: Path) -> None:
    (tmp_path / "2020-01-01.csv").write_text("unique_identifier\nA\n")
    with pytest.raises(msc.ValidationError, match="not empty"):
        fresh().export(tmp_path, layout="snapshots")
