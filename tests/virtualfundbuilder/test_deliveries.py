"""Prices do not depend on how their bars were delivered: asset by asset, in batches, late."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mainsequence.client as msc
from mainsequence.client.connection import connect
from mainsequence.virtualfundbuilder import InterpolatedPrices, PricesConfiguration
from tests.virtualfundbuilder.market import SERIES, TABLE, bars, register, routes

pytestmark = pytest.mark.slow

DAYS = [f"2024-01-{day:02}" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16, 17, 18, 19, 22, 23, 24, 25, 26)]
NAMES = ("A", "B", "C")


def node(limit: int, rule: str, namespace: str | None = None) -> InterpolatedPrices:
    rules = PricesConfiguration(
        translation_table_unique_id=TABLE, staleness_limit=limit, intraday_bar_interpolation_rule=rule
    )
    return InterpolatedPrices(prices_configuration=rules, asset_unique_identifiers=NAMES, hash_namespace=namespace)


@pytest.mark.embedded  # makes platforms of its own
@pytest.mark.parametrize("rule", ["ffill", "none"])
@settings(max_examples=5)
@given(
    seed=st.integers(0, 10_000),
    gaps=st.sampled_from([0.0, 0.3, 0.7]),
    limit=st.integers(0, 3),
    runs=st.integers(2, 5),
)
def test_deliveries_in_any_batches_give_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, rule: str, seed: int, gaps: float, limit: int, runs: int
):
    connect(str(tmp_path_factory.mktemp("home")))
    random = np.random.default_rng(seed)
    register(NAMES)
    routes()
    raw = msc.Series.create(SERIES, {"close": "float64"})
    closes = random.uniform(10, 20, (len(DAYS), len(NAMES)))
    closes[random.random(closes.shape) < gaps] = np.nan
    closes[random.integers(0, 3), :] = 15.0  # everyone is seen at least once
    edges = np.sort(random.integers(0, len(DAYS) + 1, (runs, len(NAMES))), axis=0)
    edges[-1] = len(DAYS)
    for start, end in zip(np.vstack(([0, 0, 0], edges[:-1])), edges, strict=True):
        batch = {
            name: [
                None if np.isnan(each) or not start[at] <= row < end[at] else each
                for row, each in enumerate(closes[:, at])
            ]
            for at, name in enumerate(NAMES)
        }
        frame = bars(batch, DAYS)
        if len(frame):
            raw.append(frame)
            node(limit, rule).run(show_progress=False)
    whole = node(limit, rule, "all at once")
    whole.run(show_progress=False)
    assert node(limit, rule).read_arrow().equals(whole.read_arrow())
    assert whole.read_arrow().num_rows
