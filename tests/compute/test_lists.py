"""Algebra of whole lists against day-by-day sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainsequence.compute.intervals import Intervals, become
from mainsequence.compute.lists import LoadMode, from_lists, joined, loaded, overlap, overlapping, to_lists, weight_sums
from mainsequence.compute.reconciling import agreement, segments, usual_gap

DAYS = 12
cells = st.dictionaries(
    st.tuples(st.integers(1, 3), st.integers(0, DAYS - 1)), st.sampled_from((0.25, 0.5, None)), max_size=20
)
Cells = dict[tuple[int, int], float | None]
spells = st.lists(st.tuples(st.integers(1, 3), st.integers(0, DAYS), st.integers(0, DAYS)), max_size=8)


def intervals(held: Cells) -> Intervals:
    """Give one interval for each day, as the ledger never would: what is asked must not depend on that."""
    rows = [
        (asset, day, day + 1, np.nan if weight is None else weight) for (asset, day), weight in sorted(held.items())
    ]
    return columns(rows)


def columns(rows: list[tuple[int, int, int, float]]) -> Intervals:
    asset, start, end, weight = zip(*rows, strict=True) if rows else ((), (), (), ())
    whole = (np.array(column, dtype=np.int64) for column in (asset, start, end))
    return Intervals(*whole, np.array(weight, dtype=np.float64))


def days(rows: Intervals) -> Cells:
    found: Cells = {}
    for asset, start, end, weight in zip(rows.asset, rows.start, rows.end, rows.weight, strict=True):
        for day in range(int(start), int(end)):
            assert (int(asset), day) not in found, "intervals overlap"
            found[int(asset), day] = None if np.isnan(weight) else float(weight)
    return found


def coalesced(held: Cells) -> Intervals:
    nothing = columns([])
    return become(nothing, intervals(held)).opened


@given(cells, cells)
def test_overlap_keeps_the_time_and_weights_of_the_first(a: Cells, b: Cells) -> None:
    assert days(overlap(coalesced(a), coalesced(b))) == {key: weight for key, weight in a.items() if key in b}


@pytest.mark.parametrize("weighted", [True, False])
@given(present=cells, given_=cells, since=st.integers(0, DAYS))
def test_a_load_holds_what_its_mode_promises(present: Cells, given_: Cells, since: int, weighted: bool) -> None:
    before = {key: weight for key, weight in present.items() if key[1] < since}
    said = {
        key: weight if weighted else present.get(key) if key in present else weight for key, weight in given_.items()
    }
    appended = present | {key: w for key, w in given_.items() if w is not None or key not in present}
    late = {key: weight for key, weight in given_.items() if key[1] >= since}
    modes = {
        LoadMode.REPLACE: (given_, said),
        LoadMode.APPEND: (given_, appended),
        LoadMode.HISTORY: (late, before | {key: said[key] for key in late}),
    }
    for mode, (rows, wanted) in modes.items():
        found = loaded(coalesced(present), coalesced(rows), mode, since, weighted=weighted)
        assert days(found) == wanted, mode


@given(cells)
def test_lists_by_date_say_the_same_as_intervals(held: Cells) -> None:
    rows = coalesced(held)
    times, at, listed = to_lists(rows, never=10**6)
    assert sorted(set(times.tolist())) == times.tolist()
    back = from_lists(times, at, listed.asset, listed.weight, end=10**6)
    assert days(back) == held


@given(spells)
def test_overlaps_are_found_for_every_row_that_meets_an_earlier_one(rows: list[tuple[int, int, int]]) -> None:
    given_rows = columns([(*row, 1.0) for row in rows])
    late, early = overlapping(given_rows)
    holding = [place for place, (_, start, end) in enumerate(rows) if start < end]
    expected = set()
    for place in holding:
        asset, start, _ = rows[place]
        before = [each for each in holding if rows[each][0] == asset and (rows[each][1], each) < (start, place)]
        if any(rows[each][2] > start for each in before):
            expected.add(place)
    assert set(late.tolist()) == expected
    for row, other in zip(late.tolist(), early.tolist(), strict=True):
        assert rows[row][0] == rows[other][0]
        assert rows[other][1] <= rows[row][1] < rows[other][2]
    covered = {(asset, day) for asset, start, end in rows for day in range(start, end)}
    assert set(days(joined(given_rows))) == covered


@given(cells)
def test_weights_are_summed_day_by_day(held: Cells) -> None:
    sums = weight_sums(coalesced(held), 0, DAYS)
    for start, end, members, unweighted, total in zip(
        sums.start, sums.end, sums.members, sums.unweighted, sums.total, strict=True
    ):
        for day in range(int(start), int(end)):
            weights = [weight for (_, at), weight in held.items() if at == day]
            assert (members, unweighted) == (len(weights), weights.count(None))
            assert total == sum(weight for weight in weights if weight is not None)


@given(st.lists(cells, min_size=2, max_size=4), st.integers(0, DAYS - 1))
def test_sources_are_laid_over_each_other_day_by_day(sources: list[Cells], start: int) -> None:
    found = segments([coalesced(each) for each in sources], start, DAYS)
    told = {
        (int(asset), day): int(bits)
        for asset, begin, end, bits in zip(found.asset, found.start, found.end, found.sources, strict=True)
        for day in range(int(begin), int(end))
    }
    keys = {key for source in sources for key in source if key[1] >= start}
    assert told == {key: sum(1 << place for place, source in enumerate(sources) if key in source) for key in keys}
    everybody = (1 << len(sources)) - 1
    fraction = agreement(found, len(sources)).over(start, DAYS).fraction()
    assert fraction == pytest.approx(sum(bits == everybody for bits in told.values()) / len(told) if told else 1.0)


def test_the_weight_told_is_the_greatest_of_any_source() -> None:
    sources = [columns([(1, 0, 4, 0.25)]), columns([(1, 0, 2, 0.5), (1, 2, 4, np.nan)]), columns([(2, 1, 3, np.nan)])]
    found = segments(sources, 0, 4)
    assert found.weight.tolist()[:1] == [0.5]
    assert np.isnan(found.weight[found.asset == 2]).all()


@pytest.mark.parametrize(("moves", "gap"), [([], None), ([1], None), ([1, 5], None), ([1, 5, 7], 4.0)])
def test_the_usual_gap_needs_two_gaps(moves: list[int], gap: float | None) -> None:
    assert usual_gap(np.array(moves, dtype=np.int64), 1.0) == gap
