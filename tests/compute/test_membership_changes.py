"""What a change of membership means, against plain counting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mainsequence.compute.membership_changes import members_over_time
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS

BOUNDS = st.tuples(st.integers(0, 12) | st.just(MIN_MICROS), st.integers(1, 6) | st.just(MAX_MICROS))


@given(st.lists(BOUNDS, max_size=12))
def test_members_over_time_are_counted(drawn: list[tuple[int, int]]) -> None:
    spells = [(start, end if end == MAX_MICROS else max(start, 0) + end) for start, end in drawn]
    start, end = (np.array([each[side] for each in spells], dtype=np.int64) for side in (0, 1))
    at, count = members_over_time(start, end)
    assert at.tolist() == sorted({*start.tolist(), *end.tolist()})
    for time, members in zip(at.tolist(), count.tolist(), strict=True):
        assert members == sum(begin <= time < until for begin, until in spells)
