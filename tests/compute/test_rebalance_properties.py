"""Promises about portfolios that hold for all of them: compiled = plain, incremental = full, no look-ahead."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mainsequence.compute.rebalance import EngineState, Simulation, simulate
from mainsequence.errors import MainSequenceError
from tests.compute.strategies import Market, markets

ROWS = ("nav", "returns", "turnover", "fees", "cash", "weight_before", "weight_after", "last_rebalance")


def run(
    market: Market, part: slice = slice(None), *, jit: bool = False, state: EngineState | None = None
) -> Simulation:
    return simulate(
        market.times[part],
        market.prices[part],
        market.targets[part],
        market.rebalance[part],
        state=state,
        jit=jit,
        **market.rules,
    )


def same_bits(one: Simulation, other: Simulation, rows: slice = slice(None), of_one: slice = slice(None)) -> None:
    for name in ROWS:
        left, right = getattr(one, name)[of_one], getattr(other, name)[rows]
        assert left.tobytes() == right.tobytes(), name


def outcome(market: Market, **how: Any) -> Simulation | tuple[type, str]:
    try:
        return run(market, **how)
    except MainSequenceError as error:
        return type(error), str(error)


@settings(max_examples=400, deadline=None)
@given(market=markets())
def test_compiled_and_plain_give_the_same_bits(market: Market) -> None:
    plain, compiled = run(market), run(market, jit=True)
    same_bits(plain, compiled)
    assert plain.stale_sales == compiled.stale_sales


WRONG = [0.0, -5.0, np.inf, np.nan]


@settings(max_examples=300, deadline=None)
@given(market=markets(), data=st.data(), scale=st.sampled_from([1.0, 30.0]))
def test_compiled_and_plain_refuse_the_same_with_the_same_words(
    market: Market, data: st.DataObject, scale: float
) -> None:
    prices, targets = market.prices.copy(), market.targets * scale
    for table in (prices, targets):
        for _ in range(data.draw(st.integers(0, 2))):
            row = data.draw(st.integers(0, table.shape[0] - 1))
            table[row, data.draw(st.integers(0, table.shape[1] - 1))] = data.draw(st.sampled_from(WRONG))
    rules = market.rules | {"missing_weight": data.draw(st.sampled_from(["cash", "renormalize", "error"]))}
    broken = dataclasses.replace(market, prices=prices, targets=targets, rules=rules)
    plain, compiled = outcome(broken), outcome(broken, jit=True)
    if isinstance(plain, Simulation) and isinstance(compiled, Simulation):
        same_bits(plain, compiled)
    else:
        assert plain == compiled


@settings(max_examples=150, deadline=None)
@given(market=markets(), jit=st.booleans())
def test_resuming_at_any_stamp_equals_one_run(market: Market, jit: bool) -> None:
    whole = run(market, jit=jit)
    for cut in range(len(market.times) + 1):
        first = run(market, slice(0, cut), jit=jit)
        second = run(market, slice(cut, None), jit=jit, state=first.state)
        same_bits(first, whole, slice(0, cut))
        for name in ROWS:
            left, right = getattr(second, name), getattr(whole, name)[cut:]
            assert left.tobytes() == right.tobytes(), name
        assert first.stale_sales + second.stale_sales == whole.stale_sales


@settings(max_examples=150, deadline=None)
@given(market=markets(), where=st.floats(0, 1), jit=st.booleans())
def test_the_future_never_changes_the_past(market: Market, where: float, jit: bool) -> None:
    now = int(where * (len(market.times) - 1)) + 1
    prices, targets, rebalance = market.prices.copy(), market.targets.copy(), market.rebalance.copy()
    prices[now:] = 50.0
    targets[now:] = 0.5 / targets.shape[1]
    rebalance[now:] = ~rebalance[now:]
    other = dataclasses.replace(market, prices=prices, targets=targets, rebalance=rebalance)
    past = slice(0, now)
    same_bits(run(market, jit=jit), run(other, jit=jit), past, past)


@settings(max_examples=150, deadline=None)
@given(market=markets(), data=st.data(), jit=st.booleans())
def test_assets_that_are_never_held_change_no_bit(market: Market, data: st.DataObject, jit: bool) -> None:
    width = market.prices.shape[1]
    at = data.draw(st.lists(st.integers(0, width), min_size=1, max_size=5))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    strangers = np.where(random.random((len(market.times), 1)) < 0.3, np.nan, random.random((len(market.times), 1)) + 1)
    prices = np.insert(market.prices, at, strangers, axis=1)
    targets = np.insert(market.targets, at, 0.0, axis=1)
    wide = run(dataclasses.replace(market, prices=prices, targets=targets), jit=jit)
    own = np.insert(np.ones(width, dtype=np.bool_), at, False)
    narrow = run(market, jit=jit)
    for name in ("nav", "returns", "turnover", "fees", "cash"):
        assert getattr(wide, name).tobytes() == getattr(narrow, name).tobytes(), name
    assert np.array_equal(wide.weight_after[:, own], narrow.weight_after)
    assert not wide.weight_after[:, ~own].any()


@settings(max_examples=150, deadline=None)
@given(market=markets(), data=st.data(), jit=st.booleans())
def test_the_order_of_assets_does_not_matter(market: Market, data: st.DataObject, jit: bool) -> None:
    order = np.array(data.draw(st.permutations(range(market.prices.shape[1]))))
    shuffled = dataclasses.replace(market, prices=market.prices[:, order], targets=market.targets[:, order])
    original, other = run(market, jit=jit), run(shuffled, jit=jit)
    np.testing.assert_allclose(other.nav, original.nav, rtol=1e-12)
    np.testing.assert_allclose(other.weight_after, original.weight_after[:, order], rtol=1e-9, atol=1e-12)
    back = dataclasses.replace(
        shuffled, prices=shuffled.prices[:, np.argsort(order)], targets=shuffled.targets[:, np.argsort(order)]
    )
    same_bits(run(back, jit=jit), original)


@settings(max_examples=200, deadline=None)
@given(market=markets())
def test_the_identities_of_the_methodology_hold_in_every_row(market: Market) -> None:
    result = run(market)
    np.testing.assert_allclose(result.weight_after.sum(axis=1) + result.cash, 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        result.turnover, np.abs(result.weight_after - result.weight_before).sum(axis=1), rtol=1e-12, atol=1e-15
    )
    assert np.array_equal(np.multiply.accumulate(1.0 + result.returns), result.nav)
    assert not result.weight_after[np.isnan(market.prices)].any()
    before = np.concatenate(([1.0], result.nav[:-1]))
    gross = result.nav + result.fees
    growth = np.ones_like(market.prices)
    growth[1:] = market.prices[1:] / market.prices[:-1]
    held = np.vstack((np.zeros(market.prices.shape[1]), result.weight_after[:-1]))
    gains = np.where(held != 0.0, held * (np.nan_to_num(growth, nan=1.0) - 1.0), 0.0)
    np.testing.assert_allclose(gross, before * (1 + gains.sum(axis=1)), rtol=1e-12)
