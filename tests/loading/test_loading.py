"""A list becomes one revision, whole, or nothing; everything that is wrong with it is said at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mainsequence.client as msc


@pytest.fixture
def universe() -> msc.AssetCategory:
    """An empty universe beside the assets A to F."""
    msc.Asset.batch_get_or_register_custom_assets(
        [{"unique_identifier": name, "ticker": name.lower(), "exchange_code": "US"} for name in "ABCDEF"]
    )
    return msc.AssetCategory.create(unique_identifier="u")


def spans(universe: msc.AssetCategory) -> list[tuple[str, str | None, str | None, float | None]]:
    """Give the ledger as plain values: who, from, to, weight."""
    return [
        (
            row.unique_identifier,
            None if pd.isna(row.valid_from) else row.valid_from.isoformat()[:10],
            None if pd.isna(row.valid_to) else row.valid_to.isoformat()[:10],
            None if pd.isna(row.weight) else row.weight,
        )
        for row in universe.members().itertuples()
    ]


INTERVALS = [
    {"unique_identifier": "A", "start": "2020-01-01", "end": "2021-01-01"},
    {"unique_identifier": "A", "start": "2022-01-01", "end": None},
    {"unique_identifier": "B", "start": "2020-06-01", "end": None},
]
LOADED = [("A", "2020-01-01", "2021-01-01", None), ("A", "2022-01-01", None, None), ("B", "2020-06-01", None, None)]


@pytest.mark.parametrize(
    "kind", ["records", "pandas", "polars", "arrow", "csv", "tsv", "semicolons", "json", "parquet", "gz"]
)
def test_every_kind_of_source_says_the_same(universe: msc.AssetCategory, tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame(INTERVALS)
    path = tmp_path / f"list.{kind}"
    match kind:
        case "records":
            source: Any = INTERVALS
        case "pandas":
            source = frame
        case "polars":
            source = pl.DataFrame(INTERVALS)
        case "arrow":
            source = pa.Table.from_pylist(INTERVALS)
        case "json":
            source = path
            frame.to_json(path, orient="records")
        case "parquet":
            source = path
            frame.to_parquet(path)
        case _:
            source = tmp_path / {"gz": "list.csv.gz", "semicolons": "list.csv"}.get(kind, path.name)
            frame.to_csv(source, index=False, sep={"tsv": "\t", "semicolons": ";"}.get(kind, ","))
    report = universe.load(source, reason="from a test")
    assert (spans(universe), universe.revision, report.revision, report.ok) == (LOADED, 1, 1, True)
    assert report.columns == {
        "unique_identifier": "unique_identifier",
        "start": "start",
        "end": "end",
        "identifier": "unique_identifier",
    }
    assert universe.history()[0].reason == "from a test"
    assert universe.load(source).revision == 1, "the same again changes nothing"


def test_dated_lists_become_history(universe: msc.AssetCategory) -> None:
    lists = {"2024-01-31": "AB", "2024-02-29": "ABC", "2024-03-31": "C", "2024-04-30": "", "2024-05-31": "A"}
    rows = [{"date": day, "ticker": name.lower()} for day, names in lists.items() for name in names or [""]]
    universe.load(rows)
    assert spans(universe) == [
        *(("A", "2024-01-31", "2024-03-31", None), ("A", "2024-05-31", None, None)),
        *(("B", "2024-01-31", "2024-03-31", None), ("C", "2024-02-29", "2024-04-30", None)),
    ]


def test_a_folder_of_lists_becomes_history(universe: msc.AssetCategory, tmp_path: Path) -> None:
    for day, names in {"2024-01-31": "AB", "20240229": "B", "members 2024-03-31 final": ""}.items():
        (tmp_path / f"{day}.csv").write_text("unique_identifier\n" + "".join(f"{name}\n" for name in names))
    universe.load(tmp_path)
    assert spans(universe) == [("A", "2024-01-31", "2024-02-29", None), ("B", "2024-01-31", "2024-03-31", None)]
    (tmp_path / "notes.csv").write_text("unique_identifier\nA\n")
    with pytest.raises(msc.ValidationError, match=r"1 of them without a date in the name: \['notes.csv'\]"):
        universe.load(tmp_path)


def test_qlibs_ends_are_the_last_day_that_holds(universe: msc.AssetCategory, tmp_path: Path) -> None:
    file = tmp_path / "csi.txt"
    file.write_text("A\t2020-01-01\t2020-12-31\nB\t2020-06-01\t2099-12-31\n")
    universe.load(file)
    assert spans(universe) == [("A", "2020-01-01", "2021-01-01", None), ("B", "2020-06-01", None, None)]


def test_one_list_takes_effect_like_the_verbs(universe: msc.AssetCategory) -> None:
    universe.load([{"ticker": "a"}, {"ticker": "b"}])
    assert spans(universe) == [("A", None, None, None), ("B", None, None, None)]
    universe.load([{"ticker": "b"}, {"ticker": "c"}], effective_from="2024-01-01")
    assert spans(universe) == [
        ("A", None, "2024-01-01", None),
        ("B", None, None, None),
        ("C", "2024-01-01", None, None),
    ]
    universe.load([{"ticker": "d"}], mode="append", effective_from="2024-02-01")
    assert len(universe.members()) == 4
    assert universe.revision == 3


def test_in_a_dated_universe_one_list_holds_from_now_on() -> None:
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in "AB"])
    dated = msc.AssetCategory.create(unique_identifier="day_by_day", dated=True)
    dated.load([{"unique_identifier": "A"}])
    (first,) = dated.members().itertuples()
    dated.load([{"unique_identifier": "B"}])
    assert pd.Timestamp(dated.created_at) < first.valid_from <= pd.Timestamp(dated.history()[0].recorded_at)
    assert dated.get_assets()[0].unique_identifier == "B"
    assert [each.unique_identifier for each in dated.get_assets(first.valid_from)] == ["A"]


def test_appending_and_continuing_keep_what_is_there(universe: msc.AssetCategory) -> None:
    universe.load(INTERVALS)
    universe.load(
        [{"unique_identifier": "B", "start": "2020-01-01", "end": "2020-07-01", "weight": 0.5}], mode="append"
    )
    assert spans(universe)[2:] == [("B", "2020-01-01", "2020-07-01", 0.5), ("B", "2020-07-01", None, None)]
    universe.load([{"unique_identifier": "C", "start": "2023-01-01"}], mode="history")
    assert spans(universe) == [
        *(("A", "2020-01-01", "2021-01-01", None), ("A", "2022-01-01", "2023-01-01", None)),
        *(("B", "2020-01-01", "2020-07-01", 0.5), ("B", "2020-07-01", "2023-01-01", None)),
        ("C", "2023-01-01", None, None),
    ]


FAULTY = """unique_identifier,start,end,weight
A,2020-01-01,2021-01-01,
A,2020-06-01,2022-01-01,
B,2020-01-01,2020-01-01,
C,2021-01-01,2020-01-01,
D,,2020-01-01,
E,2020-01-01,yesterday,
,2020-01-01,,
F,2020-01-01,,heavy
F,2020-01-01,,
G,2020-01-01,,
"""


def test_every_finding_is_reported_at_once_with_its_row(universe: msc.AssetCategory, tmp_path: Path) -> None:
    file = tmp_path / "faulty.csv"
    file.write_text(FAULTY)
    report = universe.load(file, dry_run=True)
    assert [(each.row, each.kind.value, each.identifier) for each in report.findings] == [
        *((3, "overlap", "A"), (4, "zero_length", "B"), (5, "inverted", "C"), (6, "blank_date", "D")),
        *((7, "bad_date", "E"), (8, "blank_identifier", None), (9, "bad_weight", "F"), (10, "duplicate", "F")),
        (11, "unmatched", "G"),
    ]
    assert (report.ok, report.exit_code, universe.refresh().revision) == (False, 1, 0)
    with pytest.raises(msc.ListRefusedError) as caught:
        universe.load(file)
    assert len(caught.value.context["findings"]) == len(caught.value.report.findings) == 9
    assert universe.refresh().revision == 0
    assert report.to_frame()["row"].tolist() == list(range(3, 12))
    assert "faulty.csv" in repr(report)
    assert "zero length" in report._repr_html_()


def test_faults_are_repaired_and_rows_skipped_only_where_that_is_asked(
    universe: msc.AssetCategory, tmp_path: Path
) -> None:
    file = tmp_path / "faulty.csv"
    file.write_text(FAULTY)
    for half in ({"on_faults": "repair"}, {"on_unresolved": "skip"}):
        with pytest.raises(msc.ListRefusedError):
            universe.load(file, **half)
    report = universe.load(file, on_faults="repair", on_unresolved="skip")
    assert spans(universe) == [("A", "2020-01-01", "2022-01-01", None), ("F", "2020-01-01", None, None)]
    assert len(report.findings) == 9


def test_rows_that_contradict_each_other_in_weight_cannot_be_repaired(universe: msc.AssetCategory) -> None:
    rows = [{"unique_identifier": "A", "start": "2020-01-01", "weight": weight} for weight in (0.5, 0.6)]
    with pytest.raises(msc.ListRefusedError, match=r"with weight 0\.6 instead of 0\.5"):
        universe.load(rows, on_faults="repair")
    with pytest.raises(msc.ListRefusedError, match="same asset as in row 0"):
        universe.load([{"ticker": "a"}, {"ticker": "a"}])


def test_a_dry_run_says_what_would_change_and_changes_nothing(universe: msc.AssetCategory) -> None:
    universe.load([{"ticker": "a"}, {"ticker": "b"}])
    report = universe.load([{"ticker": "b"}, {"ticker": "c"}], dry_run=True)
    assert report.effect is not None
    assert (report.effect.entering, report.effect.leaving) == (["C"], ["A"])
    assert (report.effect.members, report.effect.members_after, report.effect.revision) == (2, 2, 1)
    assert (universe.refresh().revision, report.revision, report.is_dry_run) == (1, None, True)


def test_missing_assets_are_registered_with_what_the_list_tells(universe: msc.AssetCategory) -> None:
    rows = [
        {"symbol": "nov", "company": "Novo", "isin": "US0378331005", "opt-in": "2020-01-01", "opt-out": "2021-01-01"},
        {"symbol": "a", "company": "A", "isin": None, "opt-in": "2020-01-01", "opt-out": None},
    ]
    promised = universe.load(rows, identifier="ticker", register_missing=True, dry_run=True)
    assert (promised.ok, promised.registered, msc.Asset.filter(ticker="nov")) == (True, ["nov"], [])
    universe.load(rows, identifier="ticker", register_missing=True)
    made = msc.Asset.get(ticker="nov")
    assert (made.unique_identifier, made.name, made.isin) == ("nov", "Novo", "US0378331005")
    assert len(universe.members()) == 2


def test_nothing_is_registered_for_a_list_that_is_refused(universe: msc.AssetCategory) -> None:
    rows = [{"ticker": "new", "start": "2020-01-01"}, {"ticker": "a", "start": "2021-01-01", "end": "2020-01-01"}]
    with pytest.raises(msc.ListRefusedError):
        universe.load(rows, register_missing=True)
    assert msc.Asset.filter(ticker="new") == []


def test_a_ticker_in_a_list_is_the_asset_that_had_it_then(universe: msc.AssetCategory) -> None:
    old, new = (msc.Asset.get(unique_identifier=name) for name in "AB")
    old.patch(ticker="old", effective_from="2010-01-01")
    new.patch(ticker="a", effective_from="2012-01-01")
    universe.load([{"ticker": "a", "start": "2005-01-01", "end": "2009-01-01"}, {"ticker": "a", "start": "2015-01-01"}])
    assert spans(universe) == [("A", "2005-01-01", "2009-01-01", None), ("B", "2015-01-01", None, None)]
    dated = [{"ticker": "a", "date": day} for day in ("2005-01-01", "2008-01-01", "2015-01-01", "2016-01-01")]
    universe.load(dated)
    assert spans(universe) == [("A", "2005-01-01", "2015-01-01", None), ("B", "2015-01-01", None, None)]


@pytest.mark.parametrize("weights", [[0.5, 0.5], [0.5, 0.4], [0.5, None]])
def test_weights_sum_to_what_was_asked_or_the_dates_are_named(
    universe: msc.AssetCategory, weights: list[float | None]
) -> None:
    rows = [
        {"unique_identifier": "A", "start": "2020-01-01", "end": "2021-01-01", "weight": 1.0},
        *(
            {"unique_identifier": name, "start": "2021-01-01", "weight": w}
            for name, w in zip("AB", weights, strict=True)
        ),
    ]
    if weights == [0.5, 0.5]:
        universe.load(rows, weights_sum_to=1.0)
        assert universe.check_weights()["ok"].tolist() == [True, True]
        return
    with pytest.raises(msc.ValidationError, match=r"from 2021-01-01 .*: 0\.\d, off by -0\.\d") as caught:
        universe.load(rows, weights_sum_to=1.0)
    assert len(caught.value.context["failing"]) == 1
    assert universe.refresh().revision == 0
    universe.load(rows)
    checked = universe.check_weights()
    assert checked["ok"].tolist() == [True, False]
    assert checked["members"].tolist() == [1, 2]


def test_sums_over_thousands_of_changes_keep_no_rest(universe: msc.AssetCategory) -> None:
    days = pd.date_range("2000-01-01", periods=2_000, freq="D")
    rows = [
        {"date": day, "unique_identifier": name, "weight": weight}
        for number, day in enumerate(days)
        for name, weight in zip("ABC", ((number % 7) / 10, 0.1, 0.9 - (number % 7) / 10), strict=True)
    ]
    universe.load(pd.DataFrame(rows), weights_sum_to=1.0, tolerance=1e-9)
    assert universe.check_weights(tolerance=1e-9)["ok"].all()


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        ([{"ticker": "a", "symbol": "a"}], {}, "could both be the ticker"),
        ([{"sedol": "1", "other": "2"}], {}, "No column could be the identifier"),
        ([{"ticker": "a"}], {"columns": {"who": "ticker"}}, "roles"),
        ([{"ticker": "a", "date": "2020-01-01", "start": "2020-01-01"}], {}, "both 'date' and 'start'"),
        ([{"ticker": "a", "start": "2020-01-01"}], {"effective_from": "2020-01-01"}, "without dates of its own"),
        ([{"ticker": "a"}], {"identifier": ("ticker", "exchange_code")}, "No column says the exchange"),
        ([{"ticker": "a", "start": "2020-01-01T09:30"}], {}, "no time zone"),
        ([{"ticker": "a", "start": "01/02/2020"}], {}, "not a time in ISO 8601"),
        ([], {}, "no columns|No column|no row says anything"),
    ],
)
def test_a_list_that_can_be_read_in_two_ways_is_refused(
    universe: msc.AssetCategory, rows: list[dict[str, str]], more: dict[str, Any], says: str
) -> None:
    with pytest.raises(msc.ValidationError, match=says):
        universe.load(rows, **more)


@pytest.mark.parametrize("kind", ["list", "series", "polars", "array", "json"])
def test_a_list_may_be_nothing_but_identifiers(universe: msc.AssetCategory, tmp_path: Path, kind: str) -> None:
    (tmp_path / "names.json").write_text('["a", "b"]')
    sources = {
        "list": ["a", "b"],
        "series": pd.Series(["a", "b"]),
        "polars": pl.Series(["a", "b"]),
        "array": np.array(["a", "b"]),
        "json": tmp_path / "names.json",
    }
    universe.load(sources[kind], identifier="ticker")
    assert [each.unique_identifier for each in universe.get_assets()] == ["A", "B"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_first_member_is_not_lost_as_the_name_of_a_column(
    universe: msc.AssetCategory, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"names.{ending}"
    frame = pd.DataFrame({"a": ["b"]})
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_excel(path, index=False)
    for more in ({}, {"identifier": "ticker"}):
        with pytest.raises(msc.ValidationError, match="calls its only column 'a'"):
            universe.load(path, **more)
    universe.load(path, columns={"identifier": "a"}, identifier="ticker")
    assert [each.unique_identifier for each in universe.get_assets()] == ["B"]
    if ending == "csv":
        universe.load(path, format="text", identifier="ticker")
        assert [each.unique_identifier for each in universe.get_assets()] == ["A", "B"]


def test_of_several_sheets_one_is_chosen(universe: msc.AssetCategory, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame().to_excel(book, sheet_name="Notes", index=False)
        pd.DataFrame({"ticker": ["a"]}).to_excel(book, sheet_name="Holdings", index=False)
    universe.load(path)
    assert [each.unique_identifier for each in universe.get_assets()] == ["A"]
    with pd.ExcelWriter(path) as book:
        for name, member in (("May", "a"), ("June", "b")):
            pd.DataFrame({"ticker": [member]}).to_excel(book, sheet_name=name, index=False)
    with pytest.raises(msc.ValidationError, match="several sheets that are not empty: May, June"):
        universe.load(path)
    universe.load(path, sheet="June")
    assert [each.unique_identifier for each in universe.get_assets()] == ["B"]


@pytest.mark.parametrize(("name", "says"), [("list.xlsx", "is no workbook"), ("list.xls", "does not say its format")])
def test_what_is_no_list_says_so(universe: msc.AssetCategory, tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).write_text("hello")
    with pytest.raises(msc.ValidationError, match=says):
        universe.load(tmp_path / name)


def test_roles_and_formats_can_be_said(universe: msc.AssetCategory) -> None:
    rows = [{"Sym": "a", "MIC": "US", "In": "31.01.2020", "Out": "29.02.2020"}]
    columns = {"identifier": "Sym", "exchange_code": "MIC", "start": "In", "end": "Out"}
    how = {"identifier": ("ticker", "exchange_code"), "date_format": "%d.%m.%Y", "ends": "inclusive"}
    universe.load(rows, columns=columns, **how)
    assert spans(universe) == [("A", "2020-01-31", "2020-03-01", None)]


def test_odd_identifiers_are_taken_as_they_are(tmp_path: Path) -> None:
    names = ["NA", "TRUE", "7203", "007", "nan", "None", "=1+1", "1e5", "-", 'Ä,"b"', "null"]
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": name} for name in names])
    universe = msc.AssetCategory.create(unique_identifier="odd", asset_ids=[])
    for ending in ("csv", "json", "parquet", "xlsx", "txt"):
        filled = msc.AssetCategory.create(unique_identifier=f"from_{ending}")
        universe.update_assets(msc.Asset.filter())
        universe.export(tmp_path / f"odd.{ending}", layout="snapshot", format="text" if ending == "txt" else None)
        filled.load(tmp_path / f"odd.{ending}", identifier="unique_identifier")
        assert filled.asset_ids() == universe.asset_ids()


def test_a_list_of_nobody_empties_only_where_that_is_said(universe: msc.AssetCategory, tmp_path: Path) -> None:
    universe.load([{"ticker": "a"}])
    file = tmp_path / "empty.csv"
    file.write_text("ticker\n")
    with pytest.raises(msc.ListRefusedError, match="no row says anything"):
        universe.load(file)
    universe.load(file, allow_empty=True)
    assert universe.asset_ids() == []


def test_the_revision_is_minded(universe: msc.AssetCategory) -> None:
    universe.load(INTERVALS)
    with pytest.raises(msc.StaleRevisionError):
        universe.load([{"ticker": "a"}], if_revision=0)


def test_the_guards_of_the_universe_hold_for_lists(universe: msc.AssetCategory) -> None:
    names = [{"unique_identifier": f"N{number:02}"} for number in range(30)]
    universe.load(names, register_missing=True)
    with pytest.raises(msc.ConflictError):
        universe.load(names[:5])
    assert len(universe.asset_ids()) == 30
    universe.load(names[:5], force=True)
    assert len(universe.asset_ids()) == 5


def test_a_retired_asset_may_have_a_past_but_no_future(universe: msc.AssetCategory) -> None:
    msc.Asset.get(unique_identifier="F").delete()
    universe.load([{"unique_identifier": "F", "start": "2020-01-01", "end": "2021-01-01"}])
    assert spans(universe) == [("F", "2020-01-01", "2021-01-01", None)]
    with pytest.raises(msc.UnknownAssetsError, match="retired"):
        universe.load([{"unique_identifier": "F", "start": "2020-01-01"}])


def test_a_dry_run_says_which_guard_would_refuse(universe: msc.AssetCategory) -> None:
    universe.guard(require_reason=True)
    asked = universe.load([{"ticker": "a"}], dry_run=True)
    assert asked.effect is not None
    assert (asked.ok, len(asked.effect.objections), asked.effect.entering) == (False, 1, ["A"])
    assert "would be refused" in repr(asked)
    assert universe.load([{"ticker": "a"}], dry_run=True, reason="monthly").ok
    with pytest.raises(msc.ConflictError, match="reason"):
        universe.load([{"ticker": "a"}])


def test_a_load_can_be_planned_before(universe: msc.AssetCategory) -> None:
    report = universe.load([{"ticker": "a"}, {"ticker": "b"}], dry_run=True)
    plan = universe.plan(replace=report.asset_ids)
    plan.apply(reason="as planned")
    assert universe.load([{"ticker": "a"}, {"ticker": "b"}]).revision == universe.refresh().revision == 1


def test_what_is_pinned_or_made_from_others_is_not_loaded_but_exported(
    universe: msc.AssetCategory, tmp_path: Path
) -> None:
    universe.load([{"ticker": "a"}])
    universe.load([{"ticker": "b"}])
    pinned = msc.AssetCategory.get(unique_identifier="u@1")
    made = msc.AssetCategory.from_expression("made", "u")
    for refusing in (pinned, made):
        with pytest.raises(msc.ConflictError):
            refusing.load([{"ticker": "c"}])
    assert made.load([{"ticker": "c"}], dry_run=True).ok is False
    for number, (source, name) in enumerate([(pinned, "A"), (made, "B")]):
        source.export(tmp_path / f"{number}.csv")
        assert f"\n{name},-infinity" in (tmp_path / f"{number}.csv").read_text()
    assert len(msc.AssetCategory.reconcile(["u", "u@1"])) == 2
    assert msc.AssetCategory.reconcile([universe, made]).agreement == 1.0


def test_a_dry_run_into_what_a_rule_fills_is_refused_as_the_load_is(universe: msc.AssetCategory) -> None:
    ruled = msc.AssetCategory.from_rule(
        "ruled", msc.UniverseRule(calendar="XNYS", frequency="monthly", start="2024-01-01")
    )
    with pytest.raises(msc.ConflictError, match="rule"):
        ruled.load([{"ticker": "a"}])
    assert ruled.load([{"ticker": "a"}], dry_run=True).ok is False
