"""Many runs give the bits of one; nothing new writes nothing; the future and other assets change nothing."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mainsequence.client as msc
from mainsequence.client.connection import connect
from mainsequence.virtualfundbuilder import AUIDWeight, FixedWeights, ImmediateSignal, PortfolioStrategy
from tests.virtualfundbuilder.market import SESSIONS, UNIVERSE, market, play, portfolio, same_bytes, store

NAMES = ("A", "B", "C")
Columns = Mapping[str, Sequence[float | None]]


def walk(seed: int, gaps: float = 0.0) -> dict[str, list[float | None]]:
    """Random walks with missing bars, the first of each kept."""
    random = np.random.default_rng(seed)
    steps = np.exp(random.normal(0.0, 0.03, (len(SESSIONS), len(NAMES))).cumsum(axis=0)) * 100
    missing = random.random(steps.shape) < gaps
    missing[0] = False
    return {
        name: [None if missing[row, at] else float(steps[row, at]) for row in range(len(SESSIONS))]
        for at, name in enumerate(NAMES)
    }


def part(prices: Columns, start: int, end: int) -> tuple[dict[str, Sequence[float | None]], list[str]]:
    return {name: column[start:end] for name, column in prices.items()}, SESSIONS[start:end]


def dated(universe: msc.AssetCategory) -> None:
    b = msc.Asset.get(unique_identifier="B")
    universe.remove_assets([b], effective_from=SESSIONS[3], effective_to=SESSIONS[5])


@pytest.mark.embedded  # makes platforms of its own
@pytest.mark.slow
@pytest.mark.parametrize("rebalance", ["every_stamp", "on_signal", "weekly"])
@settings(max_examples=4)
@given(seed=st.integers(0, 1_000), cuts=st.lists(st.integers(1, 7), min_size=1, max_size=3, unique=True))
def test_many_runs_give_the_bits_of_one(
    tmp_path_factory: pytest.TempPathFactory, rebalance: str, seed: int, cuts: list[int]
):
    connect(str(tmp_path_factory.mktemp("home")))
    prices = walk(seed, gaps=0.2)
    edges = [0, *sorted(cuts), len(SESSIONS)]
    dated(market(*part(prices, 0, edges[1])))
    settled = ImmediateSignal(rebalance_frequency=rebalance, tolerance=0.01)
    node = play(rebalance=settled, fee=0.002)
    for start, end in pairwise(edges[1:]):
        store(*part(prices, start, end))
        node = play(rebalance=settled, fee=0.002)
    assert same_bytes(node, play(rebalance=settled, fee=0.002, namespace="all at once"))
    assert node.manifest is not None
    assert {each.universe for each in node.manifest.segments} == {f"{UNIVERSE}@2"}
    # A bar that is missing where a run ends is filled by the next run: that adds a row to a time already read.
    if all(column[edge - 1] is not None for column in prices.values() for edge in edges[1:-1]):
        assert len(node.manifest.segments) == 1
    assert len(node.values()) > 1


def counts(node: PortfolioStrategy) -> list[int]:
    assert node.last_run is not None
    return [each.rows_written for each in node.last_run]


def test_nothing_new_writes_nothing():
    market(walk(1))
    node = play()
    versions = [each.statistics().version for each in msc.Series.filter()]
    again = portfolio()
    result = again.run(show_progress=False)
    assert not result.changed
    assert counts(again) == [0, 0, 0]
    assert [each.statistics().version for each in msc.Series.filter()] == versions
    assert again.report is not None
    assert (again.report.rows, again.manifest) == (0, node.manifest)


def test_one_new_day_writes_one_row():
    prices = walk(2)
    market(*part(prices, 0, 7))
    play()
    store(*part(prices, 7, 8))
    node = play()
    assert node.last_run is not None
    assert node.last_run[node.identifier].rows_written == 1
    assert node.report is not None
    assert (node.report.rows, f"{node.report.last:%Y-%m-%d}") == (1, SESSIONS[7])


def test_beginning_anew_replaces_what_was_stored():
    market(walk(3))
    node = play()
    series = node.series
    assert series is not None
    before = series.read_arrow()
    node.run(show_progress=False, force_update=True)
    assert series.read_arrow().equals(before)
    msc.AssetCategory.get(unique_identifier=UNIVERSE).update_assets([msc.Asset.get(unique_identifier="A")])
    node.run(show_progress=False, force_update=True)
    assert set(node.weights().index.get_level_values("unique_identifier")) == {"A"}
    assert node.manifest is not None
    assert [each.universe for each in node.manifest.segments] == [f"{UNIVERSE}@2"]


@pytest.mark.embedded  # makes platforms of its own
@pytest.mark.slow
@settings(max_examples=6)
@given(seed=st.integers(0, 1_000), cut=st.integers(2, 7))
def test_the_future_never_changes_the_past(tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int):
    """Two markets that agree until a session give the same rows until then."""
    rows = []
    for future in (0, 1):
        connect(str(tmp_path_factory.mktemp("home")))
        past, other = walk(seed), walk(seed + 5_000 + future)
        joined = {name: past[name][:cut] + other[name][cut:] for name in NAMES}
        universe = market(joined)
        c = msc.Asset.get(unique_identifier="C")
        if future:
            universe.remove_assets([c], effective_from=SESSIONS[cut])
        node = play(rebalance="weekly", fee=0.001)
        rows.append((node.values().iloc[:cut], node.weights().loc[: node.values().index[cut - 1]]))
    pd.testing.assert_frame_equal(rows[0][0], rows[1][0], check_exact=True)
    pd.testing.assert_frame_equal(rows[0][1], rows[1][1], check_exact=True)


@pytest.mark.embedded  # makes platforms of its own
def test_the_order_in_which_assets_were_registered_changes_no_bit():
    tables = []
    for home, order in (("one", NAMES), ("two", NAMES[::-1])):
        connect(home_of(home))
        prices = walk(4, gaps=0.3)
        for name in order:
            msc.Asset.create(unique_identifier=name, name=name, exchange_code="US")
        market({name: prices[name] for name in order})
        node = play(fee=0.001)
        assert node.series is not None
        assert node.weights_series is not None
        tables.append((node.series.read_arrow(), node.weights_series.read_arrow()))
    assert tables[0][0].equals(tables[1][0])
    assert tables[0][1].equals(tables[1][1])


def home_of(name: str) -> str:
    import os

    return f"{os.environ['MAINSEQUENCE_HOME']}-{name}"


def test_other_assets_in_the_universe_that_are_not_held_change_no_bit():
    prices = walk(5)
    weights = [AUIDWeight(unique_identifier="B", weight=0.4), AUIDWeight(unique_identifier="C", weight=0.7)]
    market(prices)
    fixed = FixedWeights(asset_unique_identifier_weights=weights)
    assert same_bytes(play(fixed, fee=0.001), play(fixed, fee=0.001, universe=None))


def test_a_signal_counts_no_longer_than_it_says_also_across_runs():
    class OncePosted(FixedWeights):
        def maximum_forward_fill(self) -> timedelta:
            return timedelta(days=3)

        def update(self) -> pd.DataFrame | None:  # type: ignore[override]
            if not self.update_statistics.is_empty:
                return None
            at = pd.Timestamp("2024-01-03T12:00Z")
            return pd.DataFrame({"time_index": [at], "unique_identifier": ["A"], "signal_weight": [1.0]})

    prices = walk(6)
    market(*part(prices, 0, 4))
    signal = OncePosted(asset_unique_identifier_weights=[{"unique_identifier": "A", "weight": 1.0}])
    play(signal)
    store(*part(prices, 4, 8))
    node = play(signal)
    assert [round(each) for each in node.values()["cash"]] == [1, 0, 0, 0, 1, 1, 1, 1]
    assert same_bytes(node, play(signal, namespace="all at once"))
    assert node.manifest is not None
    assert "cash" in [each.code for each in node.manifest.flags]


def test_prices_read_as_rows_or_as_a_matrix_give_the_same_bits(monkeypatch: pytest.MonkeyPatch):
    dated(market(walk(8, gaps=0.3)))
    node = play(fee=0.001)
    monkeypatch.setattr("mainsequence.virtualfundbuilder.pricing.NARROW", 0)
    assert same_bytes(node, play(fee=0.001, namespace="matrix"))


def test_a_run_that_was_killed_before_it_stored_the_values_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch):
    prices = walk(7)
    market(*part(prices, 0, 4))
    play()
    store(*part(prices, 4, 8))
    killed = portfolio()
    with monkeypatch.context() as patched:
        patched.setattr("mainsequence.virtualfundbuilder.portfolio_nodes.values_table", _die)
        with pytest.raises(KeyboardInterrupt):
            killed.run(show_progress=False)
    msc.AssetCategory.get(unique_identifier=UNIVERSE).remove_assets([msc.Asset.get(unique_identifier="C")])
    node = play()
    after = node.weights().loc[pd.Timestamp(SESSIONS[5], tz="UTC") :]
    assert set(after.index.get_level_values("unique_identifier")) == {"A", "B"}
    assert len(node.values()) == 8


def _die(*given: object) -> None:
    raise KeyboardInterrupt
