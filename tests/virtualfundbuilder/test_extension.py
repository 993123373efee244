"""Users' own signals and rebalance strategies, by subclassing and by name."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import InvalidWeightsError, ValidationError
from mainsequence.tdag import DataNodeConfiguration
from mainsequence.virtualfundbuilder import (
    InterpolatedPrices,
    Moments,
    PricesConfiguration,
    RebalanceStrategyBase,
    WeightsBase,
)
from tests.virtualfundbuilder.market import SESSIONS, TABLE, closes, held, market, play, portfolio, same_bytes, store


class MomentumConfiguration(DataNodeConfiguration):
    assets: tuple[str, ...]
    lookback: int = 1


class Momentum(WeightsBase):
    """All into the best performer of the last sessions."""

    config: MomentumConfiguration

    def maximum_forward_fill(self) -> timedelta:
        return timedelta(days=7)

    def get_asset_list(self) -> list[msc.Asset]:
        return msc.Asset.filter(unique_identifier__in=list(self.config.assets))

    def dependencies(self) -> dict[str, InterpolatedPrices]:
        rules = PricesConfiguration(translation_table_unique_id=TABLE)
        return {"prices": InterpolatedPrices(prices_configuration=rules, asset_unique_identifiers=self.config.assets)}

    def update(self) -> pd.DataFrame:
        prices = self.dependencies()["prices"].get_df_between_dates()["close"].unstack()
        best = prices.pct_change(self.config.lookback).iloc[self.config.lookback :].idxmax(axis=1)
        index = pd.MultiIndex.from_arrays([best.index, best.to_numpy()], names=["time_index", "unique_identifier"])
        frame = pd.DataFrame({"signal_weight": 1.0}, index=index)
        last = self.update_statistics.max_time_index_value
        return frame if last is None else frame[frame.index.get_level_values(0) > last]


class Fridays(RebalanceStrategyBase):
    """Trade on one day of the week, and at the start."""

    weekday: int = 4

    def rebalance_times(self, moments: Moments) -> np.ndarray:
        days = moments.grid.sessions // 86_400_000_000
        chosen = (days + 3) % 7 == self.weekday
        if moments.previous_session is None:
            chosen[0] = True
        return chosen


RISING = {"A": [10, 11, 12, 12, 12, 12], "B": [10, 10, 10, 12, 14, 16]}


@pytest.mark.parametrize("by_name", [True, False])
def test_a_signal_of_ones_own_runs_before_the_portfolio(by_name: bool):
    market(RISING)
    own: dict[str, Any] = {"assets": ["A", "B"]}
    node = play("Momentum", signal_configuration=own) if by_name else play(Momentum(**own))
    weights = held(node)
    assert weights["A"].tolist() == [1, 1, 0, 0, 0]
    assert weights["B"].tolist() == [0, 0, 1, 1, 1]
    assert [round(each, 6) for each in node.values()["cash"]] == [1, 0, 0, 0, 0, 0]
    # In A from the 3rd to the 5th: 12/11; in B from then on: 16/12.
    assert closes(node)[-1] == pytest.approx(12 / 11 * 16 / 12)


def test_a_signal_of_ones_own_defines_the_universe_and_resumes():
    market({name: column[:4] for name, column in RISING.items()})
    play(Momentum(assets=["A", "B"]), universe=None)
    store({name: column[4:] for name, column in RISING.items()}, SESSIONS[4:6])
    node = play(Momentum(assets=["A", "B"]), universe=None)
    assert len(node.values()) == 6
    assert same_bytes(node, play(Momentum(assets=["A", "B"]), universe=None, namespace="all at once"))


def test_a_strategy_of_ones_own_decides_when():
    market({"A": [10, 11, 12, 13, 14, 15], "B": [10, 10, 10, 10, 10, 10]})
    turnover = play(rebalance=Fridays()).values()["turnover"]
    assert [bool(each) for each in turnover] == [True, False, False, True, False, False]
    assert play(rebalance=Fridays(weekday=1)).identifier != portfolio(rebalance=Fridays()).identifier


def test_a_strategy_of_ones_own_resumes():
    prices = {"A": [10, 11, 12, 13, 14, 15], "B": [10, 10, 10, 10, 10, 10]}
    market({name: column[:2] for name, column in prices.items()})
    play(rebalance=Fridays())
    store({name: column[2:] for name, column in prices.items()}, SESSIONS[2:6])
    assert same_bytes(play(rebalance=Fridays()), play(rebalance=Fridays(), namespace="all at once"))


class Wrong(RebalanceStrategyBase):
    def rebalance_times(self, moments: Moments) -> np.ndarray:
        return np.ones(len(moments) + 1, dtype=np.bool_)


def test_a_strategy_that_answers_nonsense_is_named():
    market(RISING)
    with pytest.raises(ValidationError, match=r"Wrong\.rebalance_times"):
        portfolio(rebalance=Wrong()).run(show_progress=False)


class Posting(WeightsBase):
    def __init__(self, *, weights: dict[str, float | None], listed: list[str] | None = None) -> None:
        super().__init__()
        self.given, self.listed = weights, listed

    def maximum_forward_fill(self) -> None:
        return None

    def get_asset_list(self) -> list[msc.Asset] | None:
        return None if self.listed is None else msc.Asset.filter(unique_identifier__in=self.listed)

    def update(self) -> pd.DataFrame:
        rows = {"time_index": pd.Timestamp("2024-01-01", tz="UTC"), "unique_identifier": list(self.given)}
        return pd.DataFrame(rows | {"signal_weight": list(self.given.values())})


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ({"A": float("nan"), "B": 1.0}, "'A'"),
        ({"A": None, "B": 1.0}, "'A'"),
        ({"A": float("-inf"), "B": 1.0}, "-inf"),
        ({"A": 0.5, "nobody": 0.5}, "nobody"),
    ],
)
def test_bad_postings_are_refused_by_name_before_they_are_stored(weights: dict[str, float | None], match: str):
    market(RISING)
    signal = Posting(weights=weights)
    with pytest.raises(InvalidWeightsError, match=match):
        portfolio(signal).run(show_progress=False)
    assert signal.series is None or not signal.series.statistics().count


def test_a_posting_outside_of_the_signals_own_list_is_refused():
    market(RISING)
    with pytest.raises(InvalidWeightsError, match=r"get_asset_list\(\): B"):
        portfolio(Posting(weights={"A": 0.5, "B": 0.5}, listed=["A"]), universe=None).run(show_progress=False)


def test_a_posting_outside_of_the_category_is_masked():
    universe = market(RISING)
    universe.remove_assets([msc.Asset.get(unique_identifier="B")])
    assert held(play(Posting(weights={"A": 0.5, "B": 0.5}))).columns.tolist() == ["A"]
    renormalized = held(play(Posting(weights={"A": 0.5, "B": 0.5}), masked_weight="renormalize"))
    assert renormalized["A"].tolist() == [1.0] * 6


def test_explanations_come_from_docstrings():
    assert Momentum(assets=["A"]).get_explanation() == "All into the best performer of the last sessions."
    assert Fridays().get_explanation() == "Trade on one day of the week, and at the start."


def test_a_signal_must_say_how_long_it_counts():
    class Silent(WeightsBase):
        def update(self) -> None: ...

    with pytest.raises(TypeError, match="maximum_forward_fill"):
        Silent()
