"""What a change of the universe that a reader reads means to it: a portfolio, a price node, any other node."""

from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from mainsequence.compute.intervals import Intervals, Ints
from mainsequence.domain.plans import AffectedReader, HeldWeight
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, end_micros, from_micros, open_datetime, start_micros
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.services.readers import Reader
from mainsequence.platform.services.routes_needed import Served, served
from mainsequence.platform.services.shifts import Shift, others_ever
from mainsequence.platform.services.stored_results import Stamps, Stored
from mainsequence.platform.work import Work

PERIODIC = {"weekly", "monthly", "quarterly"}
"""How often a portfolio may trade at fixed times only."""

FOLLOWS_UNIVERSE = "EqualWeights"
"""The signal that follows from the universe alone."""


class View:
    """A change as seen by those who read one universe that moves.

    Parameters
    ----------
    work
        The unit of work.
    shift
        How that universe moves.
    stored
        What is stored of readers.
    """

    def __init__(self, work: Work, shift: Shift, stored: Stored) -> None:
        self.work, self.shift, self.stored = work, shift, stored
        self.routes: dict[str, Served] = {}

    def find_routes(self, readers: list[Reader]) -> None:
        """Find how the tables of some readers serve those who enter, for the time that each reader needs."""
        needed: dict[str, list[tuple[int, int]]] = {}
        for each in readers:
            if each.about.translation_table is not None:
                span = self.stored.needs(each)
                needed.setdefault(each.about.translation_table, []).extend([span] if span is not None else [])
        for table, spans in sorted(needed.items()):
            self.routes[table] = served(self.work, table, self.shift.gained, self.shift.names, spans)

    @cached_property
    def _staying(self) -> set[str]:
        return others_ever(self.work, self.shift) if self.shift.departed else set()

    def _reads(self, series: str) -> bool:
        return registry.is_reader(self.work.connection, self.shift.head.id, series)

    # -- what it means

    def assessed(self, reader: Reader) -> AffectedReader:
        """Say what the change means to a reader that is not pinned."""
        if reader.is_portfolio:
            return self._portfolio(reader)
        if reader.about.role == "prices":
            return self._prices(reader)
        return self._from(reader, self.shift.begins or MIN_MICROS, "it reads the members")

    def behind_rule(self, reader: Reader, first: int) -> AffectedReader:
        """Say what it means that a rule, from which the universe is made, may decide otherwise from a time on."""
        stamps = self.stored.stamps(reader)
        if reader.is_portfolio and not len(stamps):
            return spared(reader, "it has no results yet")
        return self._from(reader, first, "what a rule decides may differ")

    def _from(self, reader: Reader, first: int, why: str) -> AffectedReader:
        about = reader.about
        if first >= end_micros(about.end_date):
            return spared(reader, "the change begins behind its last date")
        begins = start_micros(about.start_date)
        if reader.kind == "node":
            begins = max(begins, self.stored.first_time(reader.identifier))
        return affected(reader, max(first, begins), why, exact=False)

    def _prices(self, reader: Reader) -> AffectedReader:
        """Price nodes hold everyone who ever was a member: new ones bring rows, nobody takes any away."""
        if not self.shift.newcomers:
            return spared(reader, "it has the prices of everyone who enters")
        firsts = self._first_prices(reader)
        if not firsts:
            return spared(reader, "nobody who enters has prices")
        start = start_micros(reader.about.start_date)
        return affected(reader, max(min(firsts), start), "prices of new members come in", exact=True)

    def _first_prices(self, reader: Reader) -> list[int]:
        """Give the first prices of those who never were members before."""
        routes = self.routes.get(reader.about.translation_table or "")
        return [] if routes is None else [routes.first[each] for each in self.shift.newcomers if each in routes.first]

    def _portfolio(self, reader: Reader) -> AffectedReader:
        stamps = self.stored.stamps(reader)
        if not len(stamps):
            return spared(reader, "it has no results yet")
        times = stamps.trading if reader.about.rebalances in PERIODIC else stamps.all
        rows, since = self._mattering(reader)
        found = (_first_in(times, rows, since), self._earlier(reader, stamps), self._begins_later(reader, stamps))
        first = min((each for each in found if each is not None), default=None)
        if first is not None:
            return affected(reader, first, "its members differ at that stamp", exact=_is_understood(reader))
        return _later(reader, rows, stamps)

    def _mattering(self, reader: Reader) -> tuple[Intervals, Ints]:
        """Give the time of those who matter to a portfolio, and from when each has a price that it could trade at.

        A signal that follows stored postings gives those whom it never named weight 0 anyway, and weight that has no
        price goes where masked weight goes.
        """
        about, rows = reader.about, self.shift.moved
        since = np.full(len(rows), MIN_MICROS)
        series = about.signal_series
        if not about.signal_is_stored or series is None or series not in self.stored.tables or self._reads(series):
            return rows, since
        posted = self.stored.statistics(series)
        named = np.array([self.shift.names[each] in posted for each in rows.asset.tolist()], dtype=bool)
        rows = rows.take(named)
        priced = self.stored.statistics(about.prices_series)
        routes = self.routes.get(about.translation_table or "")
        since = np.array([self._priced_from(each, priced, routes) for each in rows.asset.tolist()], dtype=np.int64)
        return rows, since

    def _priced_from(self, asset: int, priced: dict[str, Any], routes: Served | None) -> int:
        held = priced.get(self.shift.names[asset])
        if held is not None:
            return start_micros(held.first)
        return MAX_MICROS if routes is None else routes.first.get(asset, MAX_MICROS)

    def _earlier(self, reader: Reader, stamps: Stamps) -> int | None:
        """Give the stamp before all others that prices of new members bring to a portfolio which begins with prices."""
        firsts = self._first_prices(reader)
        if not firsts:
            return None
        begins = _close_after(reader.calendar, max(min(firsts), start_micros(reader.about.start_date)))
        return begins if begins < stamps.all[0] else None

    def _begins_later(self, reader: Reader, stamps: Stamps) -> int | None:
        """Give the first stamp where it falls away: those who leave for ever alone had prices so early."""
        if not self.shift.departed:
            return None
        about = reader.about
        priced, posted = self.stored.statistics(about.prices_series), self.stored.statistics(about.signal_series)
        firsts = [start_micros(priced[name].first) for name in self._staying | posted.keys() if name in priced]
        if not firsts:
            return int(stamps.all[0])
        begins = _close_after(reader.calendar, max(min(firsts), start_micros(about.start_date)))
        return int(stamps.all[0]) if begins > stamps.all[0] else None

    def held(self, reader: Reader) -> list[HeldWeight]:
        """List what a portfolio holds of those who would leave, at its last stamp."""
        stamps = self.stored.stamps(reader)
        if reader.pinned or not len(stamps) or not len(self.shift.lost):
            return []
        leaving = tuple(sorted({self.shift.names[each] for each in self.shift.lost.asset.tolist()}))
        last = int(stamps.all[-1])
        held = self.stored.weights_at(reader, last, leaving)
        at, portfolio = from_micros(last), reader.identifier
        return [
            HeldWeight(portfolio=portfolio, unique_identifier=name, weight=weight, at=at)
            for name, weight in held.items()
        ]


def _is_understood(reader: Reader) -> bool:
    about = reader.about
    return (about.signal == FOLLOWS_UNIVERSE or about.signal_is_stored) and about.rebalances is not None


def _later(reader: Reader, rows: Intervals, stamps: Stamps) -> AffectedReader:
    """Look behind the last stamp: a change that comes into force there, before the portfolio's own end."""
    last, end = int(stamps.all[-1]), end_micros(reader.about.end_date)
    coming = rows.take((rows.end > last + 1) & (rows.start < end))
    if not len(coming) or end <= last + 1:
        return spared(reader, "none of its stamps lies where members differ")
    first = max(int(coming.start.min()), last + 1)
    if first >= end:
        return spared(reader, "the change begins behind its last date")
    return affected(reader, first, "its next stamps will have other members", exact=False)


def _first_in(times: Ints, rows: Intervals, since: Ints) -> int | None:
    """Give the first of some times that lies inside an interval, and not before what goes with it."""
    at = times.searchsorted(np.maximum(rows.start, since))
    inside = at < len(times)
    found = times[at[inside]]
    found = found[found < rows.end[inside]]
    return int(found.min()) if len(found) else None


def _close_after(calendar: str | None, time: int) -> int:
    """Give the first close of a calendar at or after a time; the time itself where the calendar is not known."""
    if calendar is None:
        return time
    from mainsequence.compute.sessions import schedule

    closes = schedule(calendar).closes
    at = int(closes.searchsorted(time))
    return int(closes[at]) if at < len(closes) else time


def affected(reader: Reader, first: int, why: str, *, exact: bool) -> AffectedReader:
    """Say that a reader differs, and from when."""
    return _said(reader, why, affected=True, differs_from=open_datetime(first), exact=exact)


def spared(reader: Reader, why: str) -> AffectedReader:
    """Say that a reader does not differ."""
    return _said(reader, why, affected=False, differs_from=None, exact=True)


def _said(reader: Reader, why: str, *, affected: bool, differs_from: datetime | None, exact: bool) -> AffectedReader:
    return AffectedReader(
        kind=reader.kind,
        identifier=reader.identifier,
        role=reader.about.role,
        names=reader.about.names,
        through=reader.through,
        affected=affected,
        differs_from=differs_from,
        exact=exact,
        why=why,
    )
