"""Where a portfolio ends, and what a resumed run makes of assets that are late, came back or were taken out."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.tdag import DataNodeConfiguration
from mainsequence.virtualfundbuilder import FixedWeights, WeightsBase
from tests.virtualfundbuilder.market import SESSIONS, UNIVERSE, held, play, register, routes, store


def universe(*names: str) -> msc.AssetCategory:
    assets = register(names)
    routes()
    return msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=assets)


def asset(name: str) -> msc.Asset:
    return msc.Asset.get(unique_identifier=name)


def fixed(**weights: float) -> FixedWeights:
    named = [{"unique_identifier": name, "weight": weight} for name, weight in weights.items()]
    return FixedWeights(asset_unique_identifier_weights=named)


class LateMember:
    """B has prices to the second session and becomes a member at the sixth; A is priced throughout."""

    def __init__(self) -> None:
        self.category = universe("A", "B").remove_assets([asset("B")], effective_to=SESSIONS[5])
        self.a, self.b = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0], [50.0, 51.0]


def test_a_late_asset_ends_a_resumed_run_where_it_ends_a_whole_one() -> None:
    made = LateMember()
    store({"A": made.a[:4], "B": made.b}, SESSIONS[:4])
    play()
    store({"A": made.a[4:]}, SESSIONS[4:7])
    resumed = play()
    assert len(resumed.values()) == 5, "B is wanted at the sixth stamp, and neither priced nor stale there"
    assert resumed.values()["cash"].tolist() == [0.0] * 5
    assert len(play(namespace="whole").values()) == 5
    store({"B": [52.0, 53.0, 54.0, 55.0, 56.0]}, SESSIONS[2:7])
    after = play()
    assert after.values()["cash"].tolist() == [0.0] * 7
    assert (held(after)["B"].fillna(0.0) > 0.0).tolist() == [False] * 5 + [True] * 2


def test_a_late_asset_ends_a_portfolio_that_starts_behind_its_prices() -> None:
    made = LateMember()
    store({"A": made.a, "B": made.b}, SESSIONS[:7])
    assert len(play(start_date=SESSIONS[3]).values()) == 2


def test_a_second_run_with_nothing_new_writes_nothing_where_an_asset_is_late() -> None:
    made = LateMember()
    store({"A": made.a, "B": made.b}, SESSIONS[:7])
    play()
    again = play()
    assert again.last_run is not None
    assert not again.last_run.changed
    assert len(again.values()) == 5


def test_an_asset_that_was_sold_as_stale_holds_nothing_up_when_it_comes_back() -> None:
    universe("A", "C")
    store({"A": [100.0] * 8, "C": [50.0, 51.0, None, None, None, 52.0, None, None]}, SESSIONS)
    rules: dict[str, Any] = {"rebalance": "monthly", "prices": {"staleness_limit": 2}}
    first = play(fixed(A=0.5, C=0.5), **rules)
    assert len(first.values()) == 8
    assert first.values()["cash"].round(3).tolist() == [0.0] * 4 + [0.505] * 4
    again = play(fixed(A=0.5, C=0.5), **rules)
    assert again.last_run is not None
    assert not again.last_run.changed


def test_an_edit_that_takes_out_what_is_held_is_a_signal_to_trade() -> None:
    category = universe("A", "B", "C")
    prices = {"A": [100.0] * 8, "B": [50.0] * 8, "C": [10.0] * 8}
    store({name: values[:4] for name, values in prices.items()}, SESSIONS[:4])
    play(rebalance="on_signal")
    category.remove_assets([asset("C")])
    store({name: values[4:] for name, values in prices.items()}, SESSIONS[4:8])
    weights = held(play(rebalance="on_signal"))
    assert weights["C"].iloc[3] > 0.0
    assert weights["C"].iloc[4:].fillna(0.0).tolist() == [0.0] * 4
    assert weights["A"].iloc[4:].tolist() == [0.5] * 4


class OncePosted(DataNodeConfiguration):
    """When the one posting was made."""

    at: str


class LongAgo(WeightsBase):
    """One posting, long before the prices begin, in force for five days."""

    config: OncePosted

    def maximum_forward_fill(self) -> timedelta:
        return timedelta(days=5)

    def get_asset_list(self) -> list[msc.Asset]:
        return [asset("A")]

    def update(self) -> pd.DataFrame:
        return pd.DataFrame(
            {"time_index": [pd.Timestamp(self.config.at)], "unique_identifier": ["A"], "signal_weight": [1.0]}
        )


def test_a_posting_that_is_never_in_force_leaves_cash_and_says_so_though_an_asset_is_late() -> None:
    universe("A", "B")
    store({"A": [100.0] * 8, "B": [50.0] * 6}, SESSIONS[:8])
    node = play(LongAgo(at="2000-01-03T00:00:00Z"))
    assert node.values()["cash"].tolist() == [1.0] * 8
    assert "cash" in {flag.code for flag in node.report.flags}


def test_prices_with_gaps_cannot_make_a_portfolio() -> None:
    universe("A")
    store({"A": [100.0, None, 101.0]}, SESSIONS[:3])
    with pytest.raises(msc.ValidationError, match="gaps"):
        play(prices={"intraday_bar_interpolation_rule": "none"})


def test_other_assets_in_the_same_price_table_do_not_matter() -> None:
    register(["A", "Z"])
    routes()
    for name in ("A", "Z"):
        msc.AssetCategory.get_or_create(unique_identifier=f"only {name}", assets=[asset(name)])
    store({"A": [100.0, 101.0, 102.0], "Z": [50.0] * 8}, SESSIONS)
    rules = {"staleness_limit": 2}
    alone = play(fixed(A=1.0), universe="only A", name="A", prices=rules)
    play(fixed(Z=1.0), universe="only Z", name="Z", prices=rules)
    both = msc.AssetCategory.get_or_create(unique_identifier="both", assets=[asset("A"), asset("Z")])
    play(fixed(Z=1.0), universe=both.unique_identifier, name="both", prices=rules)
    assert len(alone.values()) == 3
    again = play(fixed(A=1.0), universe="only A", name="A", prices=rules)
    assert again.last_run is not None
    assert len(again.values()) == 3
    assert again.values()["cash"].tolist() == [0.0] * 3
