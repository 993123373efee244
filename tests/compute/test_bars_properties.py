"""Promises about bars that hold for all bars: compiled = plain, incremental = full, no look-ahead."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mainsequence.compute.bar_columns import Bars
from mainsequence.compute.bars import BarState, Interpolation, interpolate
from mainsequence.compute.sessions import Grid
from tests.compute.strategies import RawBars, raw_bars

COLUMNS = [field.name for field in dataclasses.fields(Bars)]


def run(raw: RawBars, *, jit: bool = False, grid: Grid | None = None, state: BarState | None = None) -> Interpolation:
    return interpolate(raw.bars, grid or raw.grid, asset_count=raw.asset_count, state=state, jit=jit, **raw.rules)


def same_bits(one: Bars, other: Bars) -> None:
    for name in COLUMNS:
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None), name
        if left is not None:
            assert left.dtype == right.dtype, name
            assert left.tobytes() == right.tobytes(), name


def same_state(one: BarState, other: BarState) -> None:
    assert one.closes.tobytes() == other.closes.tobytes()
    known = ~np.isnan(one.closes)
    assert one.ordinals[known].tolist() == other.ordinals[known].tolist()


@settings(max_examples=300, deadline=None)
@given(raw=raw_bars())
def test_compiled_and_plain_give_the_same_bits(raw: RawBars) -> None:
    plain, compiled = run(raw), run(raw, jit=True)
    same_bits(plain.bars, compiled.bars)
    same_state(plain.state, compiled.state)


@settings(max_examples=150, deadline=None)
@given(raw=raw_bars(), where=st.floats(0, 1), jit=st.booleans())
def test_two_runs_over_parts_equal_one_run_over_all(raw: RawBars, where: float, jit: bool) -> None:
    whole = run(raw, jit=jit)
    cut = int(where * (len(raw.grid) - 1)) + 1
    boundary, end = int(raw.grid.stamps[cut - 1]) + 1, int(raw.grid.stamps[-1]) + 1
    first = run(raw, jit=jit, grid=raw.grid.between(0, boundary))
    rest = raw.grid.between(boundary, end) if boundary < end else None
    if rest is None:
        same_bits(first.bars, whole.bars)
        return
    second = run(raw, jit=jit, grid=rest, state=first.state)
    same_state(second.state, whole.state)
    for part, rows in ((first.bars, whole.bars.time < boundary), (second.bars, whole.bars.time >= boundary)):
        same_bits(part, whole.bars.take(rows))


@settings(max_examples=150, deadline=None)
@given(raw=raw_bars(), where=st.floats(0, 1), jit=st.booleans())
def test_the_future_never_changes_the_past(raw: RawBars, where: float, jit: bool) -> None:
    now = int(raw.grid.stamps[int(where * (len(raw.grid) - 1))])
    before = run(raw, jit=jit).bars
    future = raw.bars.time > now
    changed = dataclasses.replace(
        raw.bars, close=np.where(future, 3.25, raw.bars.close), open=np.where(future, np.nan, raw.bars.open)
    )
    after = run(dataclasses.replace(raw, bars=changed), jit=jit).bars
    same_bits(before.take(before.time <= now), after.take(after.time <= now))


@settings(max_examples=100, deadline=None)
@given(raw=raw_bars(), data=st.data())
def test_the_order_of_assets_does_not_matter(raw: RawBars, data: st.DataObject) -> None:
    new_code = np.array(data.draw(st.permutations(range(raw.asset_count))), dtype=np.int32)
    renamed = dataclasses.replace(raw.bars, asset=new_code[raw.bars.asset])
    order = np.lexsort((renamed.time, renamed.asset))
    shuffled = run(dataclasses.replace(raw, bars=renamed.take(order))).bars
    original = run(raw).bars
    for code in range(raw.asset_count):
        one = original.take(original.asset == code)
        other = shuffled.take(shuffled.asset == new_code[code])
        same_bits(one, dataclasses.replace(other, asset=one.asset))


@settings(max_examples=100, deadline=None)
@given(raw=raw_bars())
def test_what_is_carried_is_never_older_than_the_limit(raw: RawBars) -> None:
    rows = run(raw).bars
    bars, grid = raw.bars, raw.grid
    for row in range(len(rows)):
        on_grid = (bars.asset == rows.asset[row]) & (bars.time > grid.origin) & (bars.time <= rows.time[row])
        observed = np.flatnonzero(on_grid & ~np.isnan(bars.close))
        slots = np.searchsorted(grid.stamps, bars.time[observed])
        slot = int(np.searchsorted(grid.stamps, rows.time[row]))
        if (slots == slot).any():
            assert rows.close[row] == bars.close[observed[-1]]
        elif bars.interpolated is None:
            age = grid.ordinals[slot] - grid.ordinals[slots[-1]]
            carried = raw.rules["fill"] == "ffill" and age <= raw.rules["staleness_limit"]
            expected = bars.close[observed[-1]] if carried else np.nan
            np.testing.assert_equal(rows.close[row], expected)


@settings(max_examples=100, deadline=None)
@given(raw=raw_bars(), factor=st.integers(2, 5))
def test_aggregating_in_two_steps_equals_aggregating_at_once(raw: RawBars, factor: int) -> None:
    whole = dataclasses.replace(raw.bars, vwap=np.where(np.isnan(raw.bars.close), np.nan, 2.5), interpolated=None)
    coarse_slots = np.arange(factor - 1, len(raw.grid), factor)
    if not len(coarse_slots):
        return
    fine = raw.grid
    coarse = Grid(fine.stamps[coarse_slots], fine.sessions[coarse_slots], fine.ordinals[coarse_slots], fine.origin)
    rule = {"asset_count": raw.asset_count, "staleness_limit": 0, "fill": "none"}
    at_once = interpolate(whole, coarse, **rule).bars
    steps = interpolate(interpolate(whole, fine, **rule).bars, coarse, **rule).bars
    for name in ("asset", "time", "open", "high", "low", "close", "volume", "trade_count"):
        one, other = getattr(at_once, name), getattr(steps, name)
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-12, err_msg=name)
