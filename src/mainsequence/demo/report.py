"""The table of the main job: growth, risk and trading of each portfolio, and what hindsight adds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mainsequence.compute.metrics import Performance, performance

MICROSECONDS = "datetime64[us]"


@dataclass(frozen=True, slots=True)
class Measured:
    """A portfolio's name, its net asset value over time, and its measures."""

    label: str
    nav: pd.Series
    measures: Performance

    @classmethod
    def from_values(cls, label: str, values: pd.DataFrame) -> "Measured":
        """Measure a series of portfolio values: index ``time_index``, columns ``close, return, turnover``."""
        times = pd.DatetimeIndex(values.index).tz_convert("UTC").tz_localize(None).to_numpy(MICROSECONDS)
        measures = performance(
            values["return"].to_numpy(np.float64), values["turnover"].to_numpy(np.float64), times.astype(np.int64)
        )
        return cls(label, values["close"], measures)

    @classmethod
    def from_prices(cls, label: str, prices: pd.Series) -> "Measured":
        """Measure prices that were held and never traded, such as an index; NAV is 1 at the first."""
        values = pd.DataFrame({"close": prices / prices.iloc[0], "return": prices.pct_change().fillna(0.0)})
        return cls.from_values(label, values.assign(turnover=0.0))


def measures_table(measured: Sequence[Measured]) -> Table:
    """Lay the measures out, a row each."""
    first, last = measured[0].nav.index[0], measured[0].nav.index[-1]
    title = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}, after fees; turnover is per year"
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, padding=(0, 0))
    table.add_column("portfolio", no_wrap=True)
    for heading in ("CAGR", "volatility", "Sharpe", "drawdown", "turnover", "1 became"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in measured:
        table.add_row(each.label, *_cells(each))
    return table


def _cells(each: Measured) -> tuple[str, ...]:
    found = each.measures
    return (
        f"{found.cagr:.2%}",
        f"{found.volatility:.2%}",
        f"{found.sharpe:.2f}",
        f"{found.max_drawdown:.1%}",
        f"{found.turnover:.2f}" if found.turnover else "–",
        f"{each.nav.iloc[-1]:,.1f}",
    )


def hindsight(as_they_were: Measured, todays: Measured) -> str:
    """Say what ignoring membership dates would have added."""
    points = 100 * (todays.measures.cagr - as_they_were.measures.cagr)
    return (
        f"Ignoring membership dates would have {'added' if points >= 0 else 'taken'} {abs(points):.2f} points a year: "
        f"1 would have become {todays.nav.iloc[-1]:,.1f} instead of {as_they_were.nav.iloc[-1]:,.1f}."
    )
