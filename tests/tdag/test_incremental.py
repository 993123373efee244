"""One run over N days equals N runs over one day each, bit for bit."""

import math
from collections.abc import Iterator
from itertools import count

import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mainsequence.tdag import DataNode, DataNodeConfiguration
from mainsequence.tdag.reading import ReadableNode
from tests.tdag.nodes import DAY, START, day, frame

NAMES = ("a", "b", "c")
DAYS = 8
_spaces = count()


class Noise(DataNodeConfiguration):
    seed: int
    holes: dict[str, list[int]]


class Prices(DataNode):
    """A price for each asset on each day that is no hole: some fixed function of the day."""

    config: Noise

    def update(self) -> pd.DataFrame | None:
        today = (self.now - START) // DAY
        rows = {(day(n), name): self.price(n, name) for name in NAMES for n in self._new(name, today)}
        return frame(rows) if rows else None

    def _new(self, name: str, today: int) -> Iterator[int]:
        last = self.update_statistics.last_of(name, START - DAY)
        return (n for n in range((last - START) // DAY + 1, today + 1) if n not in self.config.holes[name])

    def price(self, number: int, name: str) -> float:
        return 100.0 + math.sin(self.config.seed + 1.7 * number + ord(name))


class Average(DataNode):
    """An exponential average per asset, which needs its own last value to go on."""

    def __init__(self, prices: Prices, weight: float, hash_namespace: str) -> None:
        super().__init__(hash_namespace=hash_namespace)
        self.prices, self.weight = prices, weight

    def dependencies(self) -> dict[str, ReadableNode]:
        return {"prices": self.prices}

    def update(self) -> pd.DataFrame | None:
        ranges = self.update_statistics.range_descriptor()
        ranges |= {name: {} for name in NAMES if name not in ranges}
        ranges = {name: each | {"end_date": self.now} for name, each in ranges.items()}
        new = self.prices.get_ranged_data_per_asset(ranges, columns=["close"])["close"]
        state = self.get_last_observation(columns=["average"])["average"].droplevel("time_index").to_dict()
        rows = {}
        for (time, name), price in new.items():
            before = state.get(name, price)
            state[name] = rows[time, name] = (1.0 - self.weight) * before + self.weight * price
        return frame(rows, "average") if rows else None


holes = st.fixed_dictionaries({name: st.lists(st.integers(0, DAYS - 1), unique=True) for name in NAMES})
cuts = st.sets(st.integers(0, DAYS - 2), max_size=DAYS)


@settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # shrinking would take minutes
@given(seed=st.integers(0, 10**6), holes=holes, cuts=cuts, weight=st.floats(0.0, 1.0))
def test_one_run_over_many_days_equals_many_runs(seed: int, holes: dict[str, list[int]], cuts: set[int], weight: float):
    def tree() -> Average:
        space = f"trial{next(_spaces)}"
        return Average(Prices(seed=seed, holes=holes, hash_namespace=space), weight, space)

    once, often, daily = tree(), tree(), tree()
    once.run(now=day(DAYS - 1))
    for number in (*sorted(cuts), DAYS - 1):
        often.run(now=day(number))
    for number in range(DAYS):
        daily.run(now=day(number))
    for each in (often, daily):
        assert each.read_arrow().equals(once.read_arrow())
        assert each.prices.read_arrow().equals(once.prices.read_arrow())
    before = once.read_arrow()
    once.run(now=day(DAYS - 1), force_update=True)
    assert once.read_arrow().equals(before)
