"""METHODOLOGY section 7, through the whole pipeline: stored bars, routing, prices, signal, portfolio."""

from collections.abc import Iterable
from datetime import timedelta

import pandas as pd
import pytest

from mainsequence.client import Asset
from mainsequence.virtualfundbuilder import WeightsBase
from tests.virtualfundbuilder.market import SESSIONS, UNIVERSE, market, play, same_bytes, store

PRICES = {"A": [100, 110, 99, 100], "B": [50, 50, 55, 44]}
TARGETS = [(0.5, 0.5), (0.5, 0.5), (1.0, 0.0), (0.0, 1.0)]

# Worked out by hand: see METHODOLOGY section 7. Fractions stand for the digits printed there.
TURNOVER = [1.0, 2 * (0.55 / 1.05 - 0.5), 1.1, 2.0]
RETURNS = [
    -0.001,
    1.05 * (1 - 0.001 * 2 * (0.55 / 1.05 - 0.5)) - 1,
    -0.0011,
    (100 / 99) * (1 - 0.001 * 2.0) - 1,
]
DRIFTED = [(0.0, 0.0), (0.55 / 1.05, 0.50 / 1.05), (0.45, 0.55), (1.0, 0.0)]


class FourPostings(WeightsBase):
    """The targets of the worked example, posted an hour before each close."""

    def __init__(self) -> None:
        super().__init__()

    def maximum_forward_fill(self) -> timedelta:
        return timedelta(hours=2)

    def get_asset_list(self) -> list[Asset]:
        return Asset.filter(unique_identifier__in=["A", "B"])

    def update(self) -> pd.DataFrame:
        stamps = [pd.Timestamp(f"{day}T20:00Z") for day in SESSIONS[:4]]
        rows = [
            (at, name, each)
            for at, pair in zip(stamps, TARGETS, strict=True)
            for name, each in zip("AB", pair, strict=True)
        ]
        frame = pd.DataFrame(rows, columns=["time_index", "unique_identifier", "signal_weight"])
        return frame.set_index(["time_index", "unique_identifier"])


def close_to(found: Iterable[float], wanted: Iterable[float]) -> bool:
    return list(found) == pytest.approx(list(wanted), abs=1e-12)


@pytest.mark.parametrize("universe", [UNIVERSE, None])
def test_the_worked_example_comes_out_of_the_pipeline(universe: str | None):
    market(PRICES)
    node = play(FourPostings(), universe=universe, fee=0.001)
    values = node.values()
    assert close_to(values["turnover"], TURNOVER)
    assert close_to(values["return"], RETURNS)
    nav = [1 + RETURNS[0]]
    for each in RETURNS[1:]:
        nav.append(nav[-1] * (1 + each))
    assert close_to(values["close"], nav)
    assert close_to(values["cash"], [0.0] * 4)
    assert [str(day) for day in values["session"]] == SESSIONS[:4]
    assert [f"{stamp:%H:%M}" for stamp in values.index] == ["21:00"] * 4
    assert list(values["last_rebalance_date"]) == list(values.index)


def test_weights_and_prices_are_stored_before_and_after_each_trade():
    market(PRICES)
    weights = play(FourPostings(), fee=0.001).weights()
    stamps = sorted(set(weights.index.get_level_values(0)))
    for row, stamp in enumerate(stamps):
        for column, name in enumerate("AB"):
            if not DRIFTED[row][column] and not TARGETS[row][column]:
                assert (stamp, name) not in weights.index
                continue
            found = weights.loc[(stamp, name)]
            assert found["weight_before"] == pytest.approx(DRIFTED[row][column], abs=1e-12)
            assert found["weight_current"] == TARGETS[row][column]
            assert found["price_current"] == PRICES[name][row]
            if row:
                assert found["price_before"] == PRICES[name][row - 1]


def test_compounding_the_returns_gives_the_values():
    market(PRICES)
    values = play(FourPostings(), fee=0.001).values()
    assert list((1 + values["return"]).cumprod()) == pytest.approx(list(values["close"]), abs=1e-15)


def test_a_day_at_a_time_gives_the_same_bits():
    market({name: column[:1] for name, column in PRICES.items()})
    node = play(FourPostings(), fee=0.001)
    for row in range(1, 4):
        store({name: [column[row]] for name, column in PRICES.items()}, SESSIONS[row : row + 1])
        node = play(FourPostings(), fee=0.001)
    assert len(node.values()) == 4
    assert same_bytes(node, play(FourPostings(), fee=0.001, namespace="all at once"))
