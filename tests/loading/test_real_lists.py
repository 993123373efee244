"""Lists that others publish, with the faults that they really have, counted here by other means than the platform's."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pandas as pd
import pytest

import mainsequence.client as msc
from tests.shared_data import shared_data

INDICES = ("sp500", "nasdaq100", "dow30", "csi300", "csi500")
PUBLISHED = {"2015-06-30": 499, "2020-06-30": 505, "2024-06-28": 503}


def rows_of(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Give the rows of a file with their lines."""
    with path.open(encoding="utf-8-sig") as file:
        return list(enumerate(csv.DictReader(file), start=2))


def counted_by_hand(path: Path) -> set[tuple[int, str]]:
    """Look at every pair of rows of one symbol: those that begin later and before another ends overlap."""
    found, spells = set(), defaultdict(list)
    for line, row in rows_of(path):
        start, end = row["opt-in"], row["opt-out"] or "9999-12-31"
        if not start:
            found.add((line, "blank_date"))
        elif start >= end:
            found.add((line, "zero_length" if start == end else "inverted"))
        else:
            spells[row["symbol"]].append((start, line, end))
    for each in spells.values():
        each.sort()
        for place, (start, line, _) in enumerate(each):
            if any(start < end for _, _, end in each[:place]):
                found.add((line, "overlap"))
    return found


def test_the_published_history_of_the_sp500_loads_without_a_finding(tmp_path: Path) -> None:
    file = shared_data("fja05680-sp500", "sp500_ticker_start_end.csv")
    universe = msc.AssetCategory.create(unique_identifier="sp500_constituents")
    report = universe.load(file, register_missing=True, reason="fja05680")
    assert (report.counts, len(report.registered), len(universe.members()), universe.revision) == ({}, 1181, 1230, 1)
    assert {day: len(universe.asset_ids(day)) for day in PUBLISHED} == PUBLISHED
    assert universe.load(file).revision == 1, "nothing is new"
    assert universe.freshness("2025-08-01").is_stale is False
    assert universe.freshness("2026-11-22").is_stale is True


@pytest.mark.slow
def test_the_published_history_comes_back_through_every_format(tmp_path: Path) -> None:
    universe = msc.AssetCategory.create(unique_identifier="sp500_constituents")
    universe.load(shared_data("fja05680-sp500", "sp500_ticker_start_end.csv"), register_missing=True)
    expected = universe.members()
    for name in ("list.csv", "list.json", "list.parquet", "list.xlsx", "list.txt", "lists.parquet"):
        universe.export(tmp_path / name, layout="snapshots" if name.startswith("lists") else "intervals")
        back = msc.AssetCategory.create(unique_identifier=name)
        back.load(tmp_path / name, identifier="unique_identifier")
        pd.testing.assert_frame_equal(back.members(), expected, obj=name)


FAULTS = {
    "sp500": {"overlap": 4, "zero_length": 3},
    "nasdaq100": {"overlap": 1},
    "dow30": {},
    "csi300": {"blank_date": 4},
    "csi500": {},
}
"""Counted in the files: AGN, AN, SUN and T overlap in the S&P 500 and MNST in the Nasdaq-100, each of them two
companies of one ticker; AYE, GAS and HNG hold no time; four members of the CSI 300 have no first day."""


@pytest.mark.parametrize("name", INDICES)
def test_faulty_histories_are_told_fault_by_fault(name: str) -> None:
    file = shared_data("index-constitution", f"history_{name}.csv")
    universe = msc.AssetCategory.create(unique_identifier=name)
    report = universe.load(file, register_missing=True, dry_run=True)
    assert {(each.row, each.kind.value) for each in report.findings} == counted_by_hand(file)
    assert dict(Counter(each.kind.value for each in report.findings)) == FAULTS[name]
    assert report.ok is (not FAULTS[name])
    universe.load(file, register_missing=True, on_faults="repair")
    today = {row["symbol"] for _, row in rows_of(file) if row["opt-in"] and row["opt-out"] in ("", *_later(file))}
    assert {each.unique_identifier for each in universe.get_assets("2026-06-01")} == {
        symbol for symbol in today if _is_in(file, symbol, "2026-06-01")
    }


def _later(file: Path) -> set[str]:
    return {row["opt-out"] for _, row in rows_of(file) if row["opt-out"] > "2026-06-01"}


def _is_in(file: Path, symbol: str, day: str) -> bool:
    return any(
        row["symbol"] == symbol and row["opt-in"] and row["opt-in"] <= day < (row["opt-out"] or "9999")
        for _, row in rows_of(file)
    )


def test_two_published_histories_of_one_index_are_reconciled_day_by_day() -> None:
    files = {
        "fja": shared_data("fja05680-sp500", "sp500_ticker_start_end.csv"),
        "ic": shared_data("index-constitution", "history_sp500.csv"),
    }
    for name, file in files.items():
        msc.AssetCategory.create(unique_identifier=name).load(file, register_missing=True, on_faults="repair")
    report = msc.AssetCategory.reconcile(["fja", "ic"], "2020-01-01", "2024-01-01")
    held = {
        "fja": [(r["ticker"], r["start_date"], r["end_date"] or "9999") for _, r in rows_of(files["fja"])],
        "ic": [(r["symbol"], r["opt-in"], r["opt-out"] or "9999") for _, r in rows_of(files["ic"]) if r["opt-in"]],
    }
    frame = report.to_frame()
    for day in ("2020-01-01", "2021-07-04", "2023-12-31"):
        sides = {name: {who for who, start, end in rows if start <= day < end} for name, rows in held.items()}
        then = frame[(frame["start"] <= f"{day}T00:00:00Z") & (frame["end"] > f"{day}T00:00:00Z")]
        assert set(then["unique_identifier"]) == sides["fja"] ^ sides["ic"]
        row = report.by_time().loc[: f"{day}T00:00:00Z"].iloc[-1]
        assert (row["union"], row["agreed"]) == (len(sides["fja"] | sides["ic"]), len(sides["fja"] & sides["ic"]))


@pytest.mark.slow
def test_six_thousand_real_listings_register_in_one_call_and_are_found_by_what_they_have() -> None:
    file = shared_data("identity", "financedatabase", "equities_8_exchanges_no_cusip.csv.gz")
    listings = pd.read_csv(file, dtype=str, keep_default_na=False)
    padded = listings["symbol"] != listings["symbol"].str.strip()
    assert (len(listings), padded.sum()) == (6053, 2), "two symbols have blanks behind them, and are refused with these"
    listings["symbol"] = listings["symbol"].str.strip()
    columns = {"isin": "isin", "figi": "figi", "composite": "composite_figi", "share_class": "shareclass_figi"}
    fields = [
        {
            "unique_identifier": row["symbol"],
            "is_tradable": row["delisted"] != "True",
            **{field: row[column] for field, column in columns.items() if row[column]},
            "name": row["name"] or row["symbol"],
            "ticker": row["symbol"].split(".")[0],
            "exchange_code": row["mic"],
        }
        for row in listings.to_dict("records")
    ]
    registered = msc.Asset.batch_get_or_register_custom_assets(fields)
    assert (len(registered), sum(each.figi is not None for each in registered)) == (6053, 1876)
    for kind, column in columns.items():
        holders = Counter(value for value in listings[column] if value)
        report = msc.Asset.resolve(list(holders), kind)
        assert report.counts.get("matched", 0) == sum(count == 1 for count in holders.values())
        assert report.counts.get("ambiguous", 0) == sum(count > 1 for count in holders.values())
        for row in report.unresolved:
            assert len(row["candidates"]) == holders[row["identifier"]]
    pairs = [(each["ticker"], each["exchange_code"]) for each in fields]
    alone = {pair for pair, count in Counter(pairs).items() if count == 1}
    report = msc.Asset.resolve([pair for pair in pairs if pair in alone], "ticker")
    assert (report.ok, len(report)) == (True, len(alone))
    milan = msc.ListingPolicy(preferred_exchanges=("XMIL",))
    chosen = msc.Asset.resolve(
        [name for name, n in Counter(listings["isin"]).items() if name and n > 1], "isin", policy=milan
    )
    assert all(row["outcome"] in ("matched", "ambiguous") for row in chosen.rows())


def test_the_indices_of_a_package_load_by_name() -> None:
    pytest.importorskip("pytickersymbols")
    report = msc.AssetCategory.load_index("s&p 500", register_missing=True)
    universe = msc.AssetCategory.get(unique_identifier="s_p_500")
    assert 500 <= len(universe.asset_ids()) == len(report.resolution) <= 510
    apple = msc.Asset.get(isin="US0378331005")
    assert (apple.unique_identifier, apple.ticker, apple.exchange_code) == ("US0378331005", "AAPL", "US")
    assert apple.id in universe.asset_ids()
    assert {"S&P 500", "DAX", "NIKKEI 225"} <= set(msc.AssetCategory.available_indices())
    with pytest.raises(msc.NotFoundError, match=r"Did you mean .*NIKKEI 225"):
        msc.AssetCategory.load_index("Nikkei 25")
    with pytest.raises(msc.ListRefusedError, match="unmatched"):
        msc.AssetCategory.load_index("DAX")
    assert msc.AssetCategory.get_or_none(unique_identifier="dax") is None


def test_a_symbol_abroad_is_not_taken_for_a_member() -> None:
    pytest.importorskip("pytickersymbols")
    msc.Asset.get_or_register_custom_asset(unique_identifier="swedish", ticker="EQT", exchange_code="SS", name="EQT AB")
    report = msc.AssetCategory.load_index("S&P 500", dry_run=True)
    assert "swedish" not in report.resolution.to_frame()["unique_identifier"].tolist()
