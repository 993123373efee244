"""What readers of universes have stored: the stamps of portfolios, and what every series holds of each asset."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mainsequence.compute.intervals import Ints
from mainsequence.domain.series import SeriesQuery
from mainsequence.domain.times import MIN_MICROS, end_micros, from_micros, start_micros
from mainsequence.errors import UnknownFieldError
from mainsequence.platform.services.readers import Reader
from mainsequence.platform.work import Work

if TYPE_CHECKING:
    import pyarrow as pa

_NOTHING = np.empty(0, dtype=np.int64)


def _times(rows: "pa.Table") -> Ints:
    times: Ints = rows.column("time_index").cast("int64").to_numpy()
    return times


@dataclass(frozen=True, slots=True)
class Stamps:
    """When a portfolio has results.

    Parameters
    ----------
    all
        Every stored stamp, int64[T] microseconds UTC, ascending.
    trading
        Those at which it traded.
    """

    all: Ints
    trading: Ints

    def __len__(self) -> int:
        return len(self.all)


class Stored:
    """What is stored of readers; every series is looked at once.

    Parameters
    ----------
    work
        The unit of work.
    tables
        The lake's table of each series that exists.
    """

    def __init__(self, work: Work, tables: dict[str, str]) -> None:
        self.work, self.tables = work, tables
        self._stamps: dict[str, Stamps] = {}

    def stamps(self, reader: Reader) -> Stamps:
        """Give the stamps of a portfolio; none of what is no portfolio."""
        name = reader.about.values_series
        if not reader.is_portfolio or name is None or name not in self.tables:
            return Stamps(_NOTHING, _NOTHING)
        if name not in self._stamps:
            self._stamps[name] = self._read_stamps(self.tables[name])
        return self._stamps[name]

    def _read_stamps(self, table: str) -> Stamps:
        """Read the stamps of a portfolio; one that somebody else computes may not say at which it traded: at any."""
        try:
            rows = self.work.lake.read(table, SeriesQuery(columns=("last_rebalance_date",)))
        except UnknownFieldError:
            times = _times(self.work.lake.read(table, SeriesQuery(columns=())))
            return Stamps(times, times)
        times = _times(rows)
        traded = rows.column("last_rebalance_date").cast("int64").fill_null(MIN_MICROS).to_numpy()
        return Stamps(times, times[traded == times])

    def statistics(self, name: str | None) -> dict[str, Any]:
        """Give first, last and count of every asset of a series; nothing where it does not exist."""
        table = None if name is None else self.tables.get(name)
        return {} if table is None else dict(self.work.lake.statistics(table).assets)

    def first_time(self, name: str) -> int:
        """Give the first time of a series; minus infinity where it has none."""
        table = self.tables.get(name)
        return start_micros(None if table is None else self.work.lake.statistics(table).min_time)

    def needs(self, reader: Reader) -> tuple[int, int] | None:
        """Give the time for which a reader needs prices; ``None`` where that is not known."""
        about = reader.about
        start, end = start_micros(about.start_date), end_micros(about.end_date)
        stamps = self.stamps(reader)
        if not len(stamps):
            return None if about.start_date is None else (start, min(end, self.work.now))
        return max(start, int(stamps.all[0])), min(end, int(stamps.all[-1]))

    def weights_at(self, reader: Reader, time: int, names: tuple[str, ...]) -> dict[str, float]:
        """Give what a portfolio holds of some assets at a stamp, by unique identifier; what is 0 is left out.

        Nothing is known of a portfolio whose series, of somebody's own, has no ``weight_current``.
        """
        table = self.tables.get(reader.about.weights_series or "")
        if table is None:
            return {}
        at = from_micros(time)
        query = SeriesQuery(columns=("weight_current",), unique_identifiers=names, start=at)
        try:
            rows = self.work.lake.read(table, query).to_pylist()
        except UnknownFieldError:
            return {}
        return {
            row["unique_identifier"]: row["weight_current"]
            for row in rows
            if row["time_index"] == at and row["weight_current"]
        }
