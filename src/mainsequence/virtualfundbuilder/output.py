"""A portfolio's two series, and the state in them from which a run goes on (METHODOLOGY section 5)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mainsequence.compute.rebalance import NEVER, EngineState, Simulation
from mainsequence.domain.series import TIME_INDEX, ColumnSpec, DType
from mainsequence.domain.times import MICROS_PER_DAY
from mainsequence.virtualfundbuilder.columns import by_asset, labelled, micros, nullable, positions, stamps

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

VALUES_COLUMNS = (
    ColumnSpec(name="close", nullable=False, description="Net asset value; 1 before the first trade"),
    ColumnSpec(name="return", nullable=False, description="Net return; compounding it gives close"),
    ColumnSpec(name="turnover", nullable=False, description="Σ |executed weight - drifted weight|"),
    ColumnSpec(name="fees", nullable=False, description="Commission paid, in units of the first net asset value"),
    ColumnSpec(name="cash", nullable=False, description="1 - Σ executed weights"),
    ColumnSpec(name="session", dtype=DType.DATE, nullable=False, description="Date of the stamp's session"),
    ColumnSpec(name="last_rebalance_date", dtype=DType.TIMESTAMP, description="The last rebalance time"),
)
"""The columns of ``portfolio values``, one row for each stamp."""

WEIGHTS_COLUMNS = (
    ColumnSpec(name="weight_before", nullable=False, description="Drifted weight, just before the trade"),
    ColumnSpec(name="weight_current", nullable=False, description="Executed weight, just after it"),
    ColumnSpec(name="price_before", description="Price at the stamp before"),
    ColumnSpec(name="price_current", description="Price at the stamp; null where the asset was sold as stale"),
    ColumnSpec(name="volume_current", description="Volume of the bar behind the price"),
)
"""The columns of ``portfolio weights``, one row for each stamp and asset that is or was held."""


@dataclass(frozen=True, eq=False)
class Resume:
    """Where a portfolio's output ends.

    Parameters
    ----------
    time, session
        The last stamp, and the date of its session, microseconds UTC.
    nav
        Net asset value there.
    last_rebalance
        The last rebalance time; `NEVER` if there was none.
    names, weights, prices
        What is held: identifiers, executed weights, prices; nothing else is needed to go on.
    """

    time: int
    session: int
    nav: float
    last_rebalance: int
    names: tuple[str, ...]
    weights: Floats
    prices: Floats

    def state(self, columns: tuple[str, ...]) -> EngineState:
        """Give the state of the engine for columns that hold every name."""
        at = positions(self.names, columns)
        weights, prices = np.zeros(len(columns)), np.full(len(columns), np.nan)
        weights[at], prices[at] = self.weights, self.prices
        return EngineState(weights, prices, self.nav, self.time, self.last_rebalance)


def resume_from(values: "pa.Table", weights: "pa.Table") -> Resume | None:
    """Read the state from the last row of the values and the weights at that stamp; ``None`` from nothing."""
    if not values.num_rows:
        return None
    last = values.slice(values.num_rows - 1)
    time = int(micros(last.column(TIME_INDEX))[0])
    rebalanced = last.column("last_rebalance_date")
    session = int(last.column("session").combine_chunks().cast("int32").to_numpy()[0]) * MICROS_PER_DAY
    rows = labelled(weights)
    held = (rows.times == time) & (rows.floats("weight_current") != 0.0)
    return Resume(
        time,
        session,
        float(last.column("close")[0].as_py()),
        NEVER if rebalanced.null_count else int(micros(rebalanced)[0]),
        tuple(rows.labels[code] for code in rows.codes[held]),
        rows.floats("weight_current")[held],
        rows.floats("price_current")[held],
    )


def values_table(done: Simulation, sessions: Integers) -> "pa.Table":
    """Give the rows of ``portfolio values``."""
    import pyarrow as pa

    days = pa.array((sessions // MICROS_PER_DAY).astype(np.int32)).view(pa.date32())
    never = done.last_rebalance == NEVER
    rebalanced = pa.array(done.last_rebalance, mask=never).cast(pa.timestamp("us", "UTC"))
    columns = [done.nav, done.returns, done.turnover, done.fees, done.cash]
    named = {spec.name: column for spec, column in zip(VALUES_COLUMNS, columns, strict=False)}
    return pa.table({TIME_INDEX: stamps(done.times), **named, "session": days, "last_rebalance_date": rebalanced})


def weights_table(
    done: Simulation, columns: tuple[str, ...], prices: Floats, before: Floats, volumes: Floats
) -> "pa.Table":
    """Give the rows of ``portfolio weights``: of each stamp those assets that were held before it or are after it.

    Parameters
    ----------
    done
        What the portfolio did, T stamps.
    columns
        N unique identifiers.
    prices, volumes
        float64[T, N].
    before
        float64[N], prices at the stamp before the first.
    """
    drifted, executed = done.weight_before, done.weight_after
    row, column = np.nonzero((drifted != 0.0) | (executed != 0.0))
    earlier = np.where(row > 0, prices[np.maximum(row - 1, 0), column], before[column])
    values = {
        "weight_before": drifted[row, column],
        "weight_current": executed[row, column],
        "price_before": nullable(earlier),
        "price_current": nullable(prices[row, column]),
        "volume_current": nullable(volumes[row, column]),
    }
    return by_asset(done.times[row], column, columns, values)
