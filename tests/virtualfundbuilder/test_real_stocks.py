"""The 20 real stocks, through the whole pipeline, against what an independent package computed (tests/golden)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mainsequence.client as msc
from tests.virtualfundbuilder.market import SERIES, UNIVERSE, play, register, routes

datasets = pytest.importorskip("skfolio.datasets")
GOLDEN = Path(__file__).parent.parent / "golden" / "bt_nav.csv"

pytestmark = pytest.mark.slow


@pytest.fixture
def columns() -> list[str]:
    closes = (
        datasets.load_sp500_dataset().tz_localize("UTC").rename_axis(index="time_index", columns="unique_identifier")
    )
    assets = register(closes.columns)
    msc.Series.create(SERIES, {"close": "float64"}).append(closes.stack().to_frame("close"))
    msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=assets)
    routes()
    return list(closes.columns)


def test_without_fees_the_pipeline_equals_bt(columns: list[str]):
    golden = pd.read_csv(GOLDEN, index_col="date")
    weights = [{"unique_identifier": name, "weight": (rank + 1) / 210} for rank, name in enumerate(columns)]
    fixed = play("FixedWeights", signal_configuration={"asset_unique_identifier_weights": weights}, universe=None)
    equal = play(rebalance="monthly")
    for node, name in ((equal, "equal_monthly"), (fixed, "fixed_daily")):
        values = node.values()
        assert [str(day) for day in values["session"]] == list(golden.index)
        np.testing.assert_allclose(values["close"], golden[name], rtol=1e-9)
    invested = equal.weights()["weight_current"].groupby(level=0).sum()
    np.testing.assert_allclose(invested + equal.values()["cash"], 1.0, atol=1e-12)
