"""Make the answers of `bt` for the 20 real stocks. Run by hand, in an environment with `bt` and `skfolio`:

    python tests/golden/make_bt.py

The code under test takes no part in it.
"""

from importlib.util import find_spec
from pathlib import Path

import bt
import pandas as pd

HERE = Path(__file__).parent


def prices() -> pd.DataFrame:
    (package,) = find_spec("skfolio").submodule_search_locations
    stored = Path(package) / "datasets" / "data" / "sp500_dataset.csv.gz"
    frame = pd.read_csv(stored, index_col=0, parse_dates=True)
    assert not frame.isna().any().any()
    return frame


def run(name: str, frame: pd.DataFrame, algos: list) -> pd.Series:
    test = bt.Backtest(
        bt.Strategy(name, algos), frame, integer_positions=False, initial_capital=1e6, progress_bar=False
    )
    return bt.run(test).prices[name]


def main() -> None:
    frame = prices()
    columns = list(frame.columns)
    fixed = {column: (rank + 1) / 210 for rank, column in enumerate(columns)}
    answers = {
        "equal_monthly": run(
            "equal_monthly",
            frame,
            [
                bt.algos.RunMonthly(run_on_first_date=True),
                bt.algos.SelectThese(columns),
                bt.algos.WeighEqually(),
                bt.algos.Rebalance(),
            ],
        ),
        "fixed_daily": run(
            "fixed_daily",
            frame,
            [bt.algos.RunDaily(run_on_first_date=True), bt.algos.WeighSpecified(**fixed), bt.algos.Rebalance()],
        ),
    }
    table = pd.DataFrame(answers)
    # bt begins with a row of 100 the day before the first price.
    table = table.loc[frame.index] / 100.0
    table.index.name = "date"
    table.to_csv(HERE / "bt_nav.csv", float_format="%.17g")


if __name__ == "__main__":
    main()
