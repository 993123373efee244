"""Interval sets against plain sets of points."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mainsequence.compute.intervals import Intervals, become, coalesce, subtract

SPELLS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(1, 6), st.sampled_from([None, 0.0, 1.0])), max_size=12
)


def made(drawn: list[tuple[int, int, int, float | None]]) -> Intervals:
    """Make valid intervals: of one asset, later ones that would overlap are left out."""
    rows: list[tuple[int, int, int, float]] = []
    for asset, start, length, weight in drawn:
        end = start + length
        if all(other != asset or end <= begin or start >= until for other, begin, until, _ in rows):
            rows.append((asset, start, end, np.nan if weight is None else weight))
    columns = np.array(rows, dtype=np.float64).reshape(-1, 4)
    assets, starts, ends = (columns[:, at].astype(np.int64) for at in range(3))
    return coalesce(Intervals(assets, starts, ends, columns[:, 3]))


def points(rows: Intervals) -> dict[tuple[int, int], str]:
    spells = zip(*(column.tolist() for column in (rows.asset, rows.start, rows.end, rows.weight)), strict=True)
    return {(asset, time): repr(weight) for asset, start, end, weight in spells for time in range(start, end)}


@given(SPELLS, SPELLS)
def test_what_is_subtracted_is_what_only_the_first_set_covers(first: list[object], second: list[object]) -> None:
    a, b = made(first), made(second)  # type: ignore[arg-type]
    assert points(subtract(a, b)) == {at: weight for at, weight in points(a).items() if at not in points(b)}


@given(SPELLS, SPELLS)
def test_a_universe_becomes_exactly_what_is_wanted(first: list[object], second: list[object]) -> None:
    a, b = made(first), made(second)  # type: ignore[arg-type]
    change = become(a, b)
    kept = {key for key in rows_of(a) if key not in rows_of(change.closed)}
    assert kept | rows_of(change.opened) == rows_of(b)
    assert kept & rows_of(change.opened) == set()
    before, after = points(a).keys(), points(b).keys()
    assert change.gained.tolist() == sorted({asset for asset, _ in after - before})
    assert change.lost.tolist() == sorted({asset for asset, _ in before - after})


def rows_of(rows: Intervals) -> set[tuple[int, int, int, str]]:
    spells = zip(*(column.tolist() for column in (rows.asset, rows.start, rows.end, rows.weight)), strict=True)
    return {(asset, start, end, repr(weight)) for asset, start, end, weight in spells}
