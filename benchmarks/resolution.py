"""Resolving 10,000 mixed identifiers of a list, one in twenty of them wrong, among 100,000 assets."""

from __future__ import annotations

import random
import sys
import tempfile

import mainsequence.client as msc
from benchmarks.measure import Row, interleaved, report, row_at_most
from mainsequence.domain.identifiers import isin_check_digit

ASSETS, ASKED = 100_000, 10_000
RESOLVING_SECONDS = 2.0
EXCHANGES = ("US", "LN", "GR", "JP")


def isin(number: int) -> str:
    body = f"US{number:09}"
    return f"{body}{isin_check_digit(body)}"


def fields(number: int) -> dict[str, str]:
    """One share: two thirds have an ISIN, and every fiftieth ticker is another's too."""
    told = {
        "unique_identifier": f"ASSET_{number:06}",
        "name": f"Company {number}",
        "exchange_code": EXCHANGES[number % 4],
    }
    ticker = number - 1 if number % 50 == 1 else number
    return told | {"ticker": f"T{ticker:06}"} | ({"isin": isin(number)} if number % 3 else {})


def asked() -> list[str]:
    """Tickers, ISINs and unique identifiers, one in twenty with a letter too many."""
    draw = random.Random(17)
    names = []
    for number in draw.sample(range(ASSETS), ASKED):
        kinds = [f"ASSET_{number:06}", f"T{number:06}", *([isin(number)] if number % 3 else [])]
        names.append(draw.choice(kinds) + ("X" if draw.random() < 0.05 else ""))
    return names


def rows(assets: int = ASSETS) -> list[Row]:
    with tempfile.TemporaryDirectory() as home, msc.session(home):
        for start in range(0, assets, 10_000):
            msc.Asset.batch_get_or_register_custom_assets(map(fields, range(start, start + 10_000)))
        names = asked()
        tickers = [name[:7] for name in names if name.startswith("T")]
        alone = msc.ListingPolicy(preferred_exchanges=EXCHANGES)
        mixed, plain = interleaved(
            [
                lambda: msc.Asset.resolve(names, policy=alone),
                lambda: msc.Asset.resolve([(name, "US") for name in tickers], "ticker"),
            ],
            runs=5,
        )
    allowed = RESOLVING_SECONDS
    return [
        row_at_most(f"resolving {ASKED:,} mixed identifiers of {assets:,}", mixed, "the time allowed", allowed, 1.0),
        row_at_most(f"resolving {len(tickers):,} tickers with exchanges", plain, "the time allowed", allowed, 1.0),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
