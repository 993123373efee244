import pandas as pd
import pytest
from rich.console import Console

from mainsequence.demo.report import Measured, hindsight, measures_table


def values(*nav: float) -> pd.DataFrame:
    """Portfolio values a year of 365.25 days apart, as a portfolio stores them."""
    close = pd.Series(nav, pd.date_range("2001-01-01", periods=len(nav), freq="8766h", tz="UTC"), dtype=float)
    return pd.DataFrame({"close": close, "return": close / close.shift(fill_value=1.0) - 1, "turnover": 0.5})


def test_growth_is_per_year_and_hindsight_is_a_difference_of_growths():
    then, now = (
        Measured.from_values("then", values(1.0, 1.1, 1.21)),
        Measured.from_values("now", values(1.0, 1.2, 1.44)),
    )
    assert then.measures.cagr == pytest.approx(0.10)
    assert then.measures.turnover == pytest.approx(0.5)
    assert hindsight(then, now) == (
        "Ignoring membership dates would have added 10.00 points a year: 1 would have become 1.4 instead of 1.2."
    )
    assert "taken 10.00 points" in hindsight(now, then)


def test_the_table_has_a_row_each_and_the_years_covered():
    index = Measured.from_prices("index", pd.Series([50.0, 25.0, 75.0], values(1, 1, 1).index))
    console = Console(width=120, record=True, file=None)
    with console.capture() as captured:
        console.print(measures_table([index]))
    shown = captured.get()
    assert "2001-01-01 to 2003-01-01" in shown
    assert "-50.0%" in shown
    assert "22.47%" in shown  # √1.5 - 1
