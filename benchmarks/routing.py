"""Routing: 20 rules for 100,000 assets against a loop over assets; coverage of 5,000 assets with their series."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pandas as pd

import mainsequence.client as msc
from benchmarks.measure import Row, interleaved, report, row, row_at_most
from mainsequence.compute.routing import Matches, Rulebook
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry import routing as registry
from mainsequence.platform.work import Work
from mainsequence.settings import Settings

ASSETS, COVERED, SESSIONS = 100_000, 5_000, 250
TYPES = [f"Security Type {number}" for number in range(10)]
SECTORS = ["Equity", "Corp"]
FILTERS = [{"security_type": kind, "security_market_sector": sector} for kind in TYPES for sector in SECTORS]
COVERAGE_SECONDS = 0.2


def fields_of_assets() -> list[dict[str, str]]:
    """Assets of which one in twenty fits no rule."""
    draw = random.Random(3)
    return [
        {
            "unique_identifier": f"ASSET_{number:06}",
            "security_type": draw.choice(TYPES),
            "security_market_sector": draw.choice(SECTORS) if draw.random() < 0.95 else "Muni",
        }
        for number in range(ASSETS)
    ]


def one_by_one(assets: list[Any]) -> Callable[[], list[int]]:
    """Ask every rule about every asset; the attributes are in memory already."""

    def matches(asset: Any, conditions: dict[str, str]) -> bool:
        return all(getattr(asset, field) == value for field, value in conditions.items())

    def loop() -> list[int]:
        found = []
        for asset in assets:
            matching = [place for place, conditions in enumerate(FILTERS) if matches(asset, conditions)]
            found.append(matching[0] if len(matching) == 1 else -1)
        return found

    return loop


def read_and_match(work: Work, book: Rulebook) -> Matches:
    """Read the attributes from the registry, code them, and match every rule."""
    columns = registry.attributes(work.connection, book.fields, registry.registered(work.organization_id))
    return book.evaluate(book.encode(columns), len(columns["id"]))


@contextmanager
def registered(given: list[dict[str, str]]) -> Iterator[str]:
    """Register assets in a home of their own."""
    with TemporaryDirectory() as home, msc.session(home):
        for start in range(0, len(given), 10_000):
            msc.Asset.batch_get_or_register_custom_assets(given[start : start + 10_000])
        yield home


def evaluation_rows(home: str, given: list[dict[str, str]]) -> list[Row]:
    platform = Platform.embedded(Settings(home=Path(home)))
    book = Rulebook.of(FILTERS)
    loop = one_by_one([SimpleNamespace(**each) for each in given])
    with platform.work(platform.actor, writes=False) as work:
        columns = registry.attributes(work.connection, book.fields, registry.registered(work.organization_id))
        codes = book.encode(columns)
        if book.evaluate(codes, ASSETS).rule.tolist() != loop():
            raise RuntimeError("the loop and the coded columns disagree")
        alone, whole, peer = interleaved(
            [lambda: book.evaluate(codes, ASSETS), lambda: read_and_match(work, book), loop], runs=5
        )
    platform.close()
    name = f"routing, {ASSETS:,} assets × {len(FILTERS)} rules"
    against = "loop over assets in memory"
    return [
        row(f"{name}: evaluation", alone, against, peer, 80.0),
        row(f"{name}: read from the registry too", whole, against, peer, 5.0),
    ]


def coverage_rows() -> list[Row]:
    table = msc.AssetTranslationTable.get_or_create(
        "prices",
        [{"asset_filter": each, "markets_time_serie_unique_identifier": f"bars_{n}"} for n, each in enumerate(FILTERS)],
    )
    universe = msc.AssetCategory.get_or_create(unique_identifier="covered", asset_ids=range(1, COVERED + 1))
    routes = table.coverage(universe, check_series=False).routes()
    for number in range(len(FILTERS)):
        served = [
            name for name, route in routes.items() if route.markets_time_serie_unique_identifier == f"bars_{number}"
        ]
        msc.Series.get_or_create(f"bars_{number}", {"close": "float64"}).append(closes(served))
    (ours,) = interleaved([lambda: table.coverage(universe)], runs=9)
    name = f"routing coverage, {COVERED:,} assets × {len(FILTERS)} rules × {len(FILTERS)} series"
    return [row_at_most(name, ours, "the time allowed", COVERAGE_SECONDS, 1.0)]


def closes(identifiers: list[str]) -> pd.DataFrame:
    sessions = pd.bdate_range("2024-01-02", periods=SESSIONS, tz="UTC")
    index = pd.MultiIndex.from_product([sessions, identifiers], names=["time_index", "unique_identifier"])
    return pd.DataFrame({"close": 100.0}, index=index)


def rows() -> list[Row]:
    given = fields_of_assets()
    with registered(given) as home:
        return [*evaluation_rows(home, given), *coverage_rows()]


if __name__ == "__main__":
    sys.exit(report(rows()))
