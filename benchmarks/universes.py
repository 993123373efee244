"""Universes over time, embedded: twenty-eight years of an index as a mask, reads from a large ledger, expressions.

The index is the S&P 500's published membership where that lies beside the repository (see tests/shared_data.py), else
one of the same shape: 1,181 assets that come and go, 1,230 spells, about 500 members at a time.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

import mainsequence.client as msc
from benchmarks.measure import Row, interleaved, report, row, row_at_most

SESSIONS = 7_126
SAMPLE = 200
"""How many of the dates are read one by one; the rest is multiplied."""

LEDGER = 1_000_000
MEMBERS = 500
EVER = 2**61
SHARED = Path(os.environ.get("MAINSEQUENCE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
Spells = list[tuple[str, str, str | None]]


def spells() -> Spells:
    """Tickers with the days on which they joined and left."""
    file = SHARED / "fja05680-sp500" / "sp500_ticker_start_end.csv"
    if not file.exists():
        return synthetic()
    with file.open() as stream:
        return [(each["ticker"], each["start_date"], each["end_date"] or None) for each in csv.DictReader(stream)]


def synthetic() -> Spells:
    """500 places; a member that leaves is followed by another, 730 times in 10,000 days."""
    rng, first = np.random.default_rng(0), date(1996, 1, 2)
    place = {number: (f"asset-{number}", first) for number in range(500)}
    found: Spells = []
    for number, day in enumerate(sorted(rng.integers(1, 10_000, 730).tolist())):
        leaving, until = int(rng.integers(500)), first + timedelta(days=day)
        name, since = place[leaving]
        if since < until:
            found.append((name, since.isoformat(), until.isoformat()))
            place[leaving] = (f"asset-{500 + number % 681}-{number // 681}", until)
    return found + [(name, since.isoformat(), None) for name, since in place.values()]


def index_universe(name: str, rows: Spells) -> msc.AssetCategory:
    tickers = sorted({ticker for ticker, _, _ in rows})
    made = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": ticker} for ticker in tickers])
    ids = {asset.unique_identifier: asset.id for asset in made}
    windows: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for ticker, start, end in rows:
        windows[start, end].append(ids[ticker])
    index = msc.AssetCategory.create(unique_identifier=name)
    for (start, end), members in windows.items():
        index.append_assets(asset_ids=members, effective_from=start, effective_to=end)
    return index


def dates() -> list[datetime]:
    """So many weekdays as there were sessions, from 1997 on."""
    first = datetime(1997, 1, 2, tzinfo=UTC)
    days = (first + timedelta(days=number) for number in range(2 * SESSIONS))
    return [day for day in days if day.weekday() < 5][:SESSIONS]


def fill(home: Path, category_id: int, ids: list[int], rows: int) -> None:
    """Write a long past behind the members of a universe: each asset comes and goes, a day in, a day out."""
    day = 86_400_000_000
    each = rows // len(ids)
    past = (
        (category_id, EVER, (2 * spell + 1) * day, asset, 2 * spell * day, 1, None)
        for spell in range(each)
        for asset in ids
    )
    with sqlite3.connect(home / "registry.db") as connection:
        connection.executemany(
            "INSERT INTO category_membership (category_id, removed_revision, valid_to, asset_id, valid_from,"
            " added_revision, weight) VALUES (?, ?, ?, ?, ?, ?, ?)",
            past,
        )


def rows(runs: int = 7) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, msc.session(folder):
        return [*masks(runs), *large_ledger(Path(folder), runs), *expressions(runs)]


def masks(runs: int) -> list[Row]:
    index, days = index_universe("index", spells()), dates()
    sample = days[:: SESSIONS // SAMPLE][:SAMPLE]

    def one_by_one() -> None:
        for day in sample:
            index.asset_ids(day)

    mask = index.mask(days)
    if [mask.loc[day].sum() for day in sample] != [len(index.asset_ids(day)) for day in sample]:
        raise ValueError("the mask says something else")
    whole, part = interleaved([lambda: index.mask(days), one_by_one], max(5, runs - 2))
    shape = f"{mask.shape[0]:,} sessions × {mask.shape[1]:,} ids"
    return [row(f"mask, {shape}", whole, "each date read by itself", part * SESSIONS / len(sample), 20)]


def large_ledger(home: Path, runs: int) -> list[Row]:
    names = [{"unique_identifier": f"member-{number}"} for number in range(MEMBERS)]
    ids = [asset.id for asset in msc.Asset.batch_get_or_register_custom_assets(names)]
    small = msc.AssetCategory.create(unique_identifier="small", asset_ids=ids)
    large = msc.AssetCategory.create(unique_identifier="large")
    large.append_assets(asset_ids=ids, effective_from="2024-01-01")
    others = msc.AssetCategory.create(unique_identifier="others")
    others.append_assets(asset_ids=ids, effective_from="2024-01-01")
    fill(home, others.id, ids, LEDGER // 2)
    fill(home, large.id, ids, LEDGER // 2)
    with tempfile.TemporaryDirectory() as folder, msc.session(folder):
        made = msc.Asset.batch_get_or_register_custom_assets(names)
        alone = msc.AssetCategory.create(unique_identifier="alone", assets=made)
        read = interleaved(
            [
                lambda: alone.asset_ids("2024-06-28"),
                lambda: large.asset_ids("2024-06-28"),
                lambda: small.asset_ids("2024-06-28"),
                lambda: large.asset_ids("1971-01-15"),
            ],
            3 * runs,
        )
    if large.asset_ids("2024-06-28") != small.asset_ids() or len(large.asset_ids("1970-01-03")) != MEMBERS:
        raise ValueError("the large ledger says something else")
    bars = "the same in an empty ledger"
    return [
        row_at_most("500 members from a ledger of 1,000,000 intervals", read[1], bars, read[0], 3),
        row_at_most("… of another universe beside them", read[2], bars, read[0], 3),
        row_at_most("… on a day in the middle of 500,000 of its own", read[3], bars, read[0], 3),
    ]


def expressions(runs: int) -> list[Row]:
    names = [{"unique_identifier": f"listed-{number}"} for number in range(6_000)]
    ids = [asset.id for asset in msc.Asset.batch_get_or_register_custom_assets(names)]
    held = {"a": ids[:5_000], "b": ids[1_000:], "c": ids[2_000:2_500]}
    a, b, c = (msc.AssetCategory.create(unique_identifier=name, asset_ids=each) for name, each in held.items())
    for level in range(20):
        below = f"level{level - 1}" if level else "a & b"
        top = msc.AssetCategory.from_expression(f"level{level}", f"({below} | a & b) - c")

    def operands() -> None:
        for universe in (a, b, c):
            universe.asset_ids()

    def as_intervals() -> None:
        for universe in (a, b, c):
            universe.members()

    if top.asset_ids() != sorted((set(held["a"]) & set(held["b"])) - set(held["c"])):
        raise ValueError("the expression holds others")
    ids_taken = interleaved([top.asset_ids, operands], runs)
    members_taken = interleaved([top.members, as_intervals], runs)
    peer = "its three operands read by themselves"
    return [
        row_at_most("an expression nested 20 deep over 5,000 members: ids", ids_taken[0], peer, ids_taken[1], 3),
        row_at_most("… and its intervals", members_taken[0], peer, members_taken[1], 3),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
