"""What a change of a universe means to its readers: whose results differ from when, what is held, what is missing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from mainsequence.compute.intervals import Intervals, Ints, concatenate
from mainsequence.compute.membership_changes import Reweighted
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.plans import AffectedReader, HeldWeight, UnpricedMember, UnroutedMember
from mainsequence.domain.series import SeriesQuery
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, end_micros, from_micros, open_datetime, start_micros
from mainsequence.platform.registry import categories as category_registry
from mainsequence.platform.registry import governance as registry
from mainsequence.platform.registry import routing as routing_registry
from mainsequence.platform.services import derived
from mainsequence.platform.services import readers as readers_service
from mainsequence.platform.services.derived_differences import differs_from
from mainsequence.platform.services.readers import Reader
from mainsequence.platform.services.routes_needed import Served, served
from mainsequence.platform.work import Work

PERIODIC = {"weekly", "monthly", "quarterly"}
"""How often a portfolio may trade at fixed times only."""

FOLLOWS_UNIVERSE = "EqualWeights"
"""The signal that follows from the universe alone."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How membership moves.

    Parameters
    ----------
    head
        The universe as it is.
    gained, lost, reweighted
        The time that assets gain, lose, and weigh something else.
    names
        The unique identifier of every asset concerned, by id.
    departed
        Who is left with no time at all as a member.
    """

    head: CategoryRecord
    gained: Intervals
    lost: Intervals
    reweighted: Reweighted
    names: dict[int, str]
    departed: tuple[int, ...] = ()

    @property
    def moved(self) -> Intervals:
        """The time for which membership itself changes."""
        return concatenate(self.gained, self.lost)

    @property
    def begins(self) -> int | None:
        """The first time at which anything changes; ``None`` where nothing does."""
        starts = np.concatenate([self.gained.start, self.lost.start, self.reweighted.start])
        return int(starts.min()) if len(starts) else None


@dataclass
class Impact:
    """What a change means."""

    readers: list[AffectedReader] = field(default_factory=list)
    held: list[HeldWeight] = field(default_factory=list)
    unrouted: list[UnroutedMember] = field(default_factory=list)
    unpriced: list[UnpricedMember] = field(default_factory=list)


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


def of(work: Work, shift: Shift) -> Impact:
    """Say what a change means to everything that is known to read the universe."""
    found = readers_service.of(work, shift.head)
    names = {name for each in found for name in _series_of(each)}
    tables = routing_registry.targets(work.connection, work.organization_id, names)
    view = View(work, shift, {name: table for name, (table, _) in tables.items()})
    impact = Impact()
    open_readers = [each for each in found if not each.pinned]
    spans = {(each.kind, each.identifier): view.needs(each) for each in open_readers}
    by_table: dict[str, list[tuple[int, int] | None]] = {}
    for each in open_readers:
        if each.about.translation_table is not None:
            by_table.setdefault(each.about.translation_table, []).append(spans[each.kind, each.identifier])
    for table, needed in sorted(by_table.items()):
        view.routes[table] = served(work, table, shift.gained, shift.names, [each for each in needed if each])
        impact.unrouted += view.routes[table].unrouted
        impact.unpriced += view.routes[table].unpriced
    for each in found:
        impact.readers.append(view.assessed(each))
        impact.held += view.held(each)
    return impact


def _series_of(reader: Reader) -> list[str]:
    about = reader.about
    named = (about.values_series, about.weights_series, about.signal_series, about.prices_series)
    return [each for each in (*named, reader.identifier) if each is not None]


class View:
    """A change as seen by its readers; every series is looked at once.

    Parameters
    ----------
    work
        The unit of work.
    shift
        The change.
    tables
        The lake's table of each series that exists.
    """

    def __init__(self, work: Work, shift: Shift, tables: dict[str, str]) -> None:
        self.work, self.shift, self.tables = work, shift, tables
        self.routes: dict[str, Served] = {}
        self.reading = {each for each in tables if registry.is_reader(work.connection, shift.head.id, each)}
        self._stamps: dict[str, Stamps] = {}
        gained = np.unique(shift.gained.asset)
        self.newcomers = set(gained.tolist()) - registry.ever_members(work.connection, shift.head.id, gained)
        self.departed = set(shift.departed)
        self.staying = (
            registry.members_besides(work.connection, shift.head.id, shift.departed) if self.departed else set()
        )

    # -- what is stored

    def stamps(self, reader: Reader) -> Stamps:
        """Give the stamps of a portfolio."""
        name = reader.about.values_series
        if name is None or name not in self.tables:
            return Stamps(_NOTHING, _NOTHING)
        if name not in self._stamps:
            query = SeriesQuery(columns=("last_rebalance_date",))
            rows = self.work.lake.read(self.tables[name], query)
            times = rows.column("time_index").cast("int64").to_numpy()
            traded = rows.column("last_rebalance_date").cast("int64").fill_null(MIN_MICROS).to_numpy()
            self._stamps[name] = Stamps(times, times[traded == times])
        return self._stamps[name]

    def statistics(self, name: str | None) -> dict[str, Any]:
        """Give first, last and count of every asset of a series; nothing where it does not exist."""
        table = None if name is None else self.tables.get(name)
        return {} if table is None else dict(self.work.lake.statistics(table).assets)

    def needs(self, reader: Reader) -> tuple[int, int] | None:
        """Give the time for which a reader needs prices; ``None`` where that is not known."""
        about = reader.about
        start, end = start_micros(about.start_date), end_micros(about.end_date)
        stamps = self.stamps(reader) if reader.is_portfolio else Stamps(_NOTHING, _NOTHING)
        if not len(stamps):
            return None if about.start_date is None else (start, min(end, self.work.now))
        return max(start, int(stamps.all[0])), min(end, int(stamps.all[-1]))

    # -- what it means

    def assessed(self, reader: Reader) -> AffectedReader:
        """Say what the change means to a reader."""
        begins = self.shift.begins
        if begins is None:
            return _spared(reader, "nothing changes")
        if reader.pinned:
            return _spared(reader, f"pinned to {', '.join(reader.pinned)}")
        if reader.about.role == "universe":
            return self._universe(reader, begins)
        told = self._by_role(reader, begins)
        # What the universes between make of the change is not followed to those who read them.
        return told.model_copy(update={"exact": False}) if reader.through else told

    def _by_role(self, reader: Reader, begins: int) -> AffectedReader:
        if reader.is_portfolio:
            return self._portfolio(reader)
        if reader.about.role == "prices":
            return self._prices(reader)
        first = self._first_date(reader)
        end = end_micros(reader.about.end_date)
        if begins >= end:
            return _spared(reader, "the change begins behind its last date")
        return _affected(reader, max(begins, first), "it reads the members", exact=False)

    def _universe(self, reader: Reader, begins: int) -> AffectedReader:
        """Make a universe of what it is made from, before and after; what a rule decides follows at its next date."""
        made = category_registry.by_identifier(self.work.connection, self.work.actor, reader.identifier)
        if not derived.is_derived(made):
            return _affected(reader, begins, "its rule reads the members", exact=False)
        first = differs_from(self.work, made, self.shift.head.id, self.shift.gained, self.shift.lost)
        if first is None:
            return _spared(reader, "it holds the same members")
        return _affected(reader, first, "it holds other members", exact=True)

    def _first_date(self, reader: Reader) -> int:
        start = start_micros(reader.about.start_date)
        table = self.tables.get(reader.identifier) if reader.kind == "node" else None
        first = None if table is None else self.work.lake.statistics(table).min_time
        return max(start, start_micros(first))

    def _prices(self, reader: Reader) -> AffectedReader:
        """Price nodes hold everyone who ever was a member: new ones bring rows, nobody takes any away."""
        if reader.through:
            return _affected(reader, self._first_date(reader), "prices of new members may come in", exact=False)
        if not self.newcomers:
            return _spared(reader, "it has the prices of everyone who enters")
        routes = self.routes.get(reader.about.translation_table or "")
        firsts = [] if routes is None else [routes.first[each] for each in self.newcomers if each in routes.first]
        if not firsts:
            return _spared(reader, "nobody who enters has prices")
        start = start_micros(reader.about.start_date)
        return _affected(reader, max(min(firsts), start), "prices of new members come in", exact=True)

    def _portfolio(self, reader: Reader) -> AffectedReader:
        stamps = self.stamps(reader)
        if not len(stamps):
            return _spared(reader, "it has no results yet")
        known = self._is_understood(reader)
        times = stamps.trading if reader.about.rebalances in PERIODIC else stamps.all
        rows, since = self._mattering(reader)
        found = (_first_in(times, rows, since), self._earlier(reader, stamps), self._begins_later(reader, stamps))
        first = min((each for each in found if each is not None), default=None)
        if first is not None:
            return _affected(reader, first, "its members differ at that stamp", exact=known)
        return self._later(reader, rows, stamps)

    def _is_understood(self, reader: Reader) -> bool:
        about = reader.about
        follows = about.signal == FOLLOWS_UNIVERSE or about.signal_is_stored
        return follows and about.rebalances is not None and not reader.through

    def _mattering(self, reader: Reader) -> tuple[Intervals, Ints]:
        """Give the time of those who matter to a portfolio, and from when each has a price that it could trade at.

        A signal that follows stored postings gives those whom it never named weight 0 anyway, and weight that has no
        price goes where masked weight goes.
        """
        about, rows = reader.about, self.shift.moved
        since = np.full(len(rows), MIN_MICROS)
        stored = about.signal_is_stored and about.signal_series in self.tables
        if not stored or about.signal_series in self.reading:
            return rows, since
        posted = self.statistics(about.signal_series)
        named = np.array([self.shift.names[each] in posted for each in rows.asset.tolist()], dtype=bool)
        rows = rows.take(named)
        priced = self.statistics(about.prices_series)
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
        routes = self.routes.get(reader.about.translation_table or "")
        firsts = [] if routes is None else [routes.first[each] for each in self.newcomers if each in routes.first]
        if not firsts or reader.through:
            return None
        begins = _close_after(reader.calendar, max(min(firsts), start_micros(reader.about.start_date)))
        return begins if begins < stamps.all[0] else None

    def _begins_later(self, reader: Reader, stamps: Stamps) -> int | None:
        """Give the first stamp where it falls away: those who leave for ever alone had prices so early."""
        if not self.departed or reader.through:
            return None
        priced, posted = self.statistics(reader.about.prices_series), self.statistics(reader.about.signal_series)
        firsts = [start_micros(priced[name].first) for name in self.staying | posted.keys() if name in priced]
        if not firsts:
            return int(stamps.all[0])
        begins = _close_after(reader.calendar, max(min(firsts), start_micros(reader.about.start_date)))
        return int(stamps.all[0]) if begins > stamps.all[0] else None

    def _later(self, reader: Reader, rows: Intervals, stamps: Stamps) -> AffectedReader:
        """Look behind the last stamp: a change that comes into force there, before the portfolio's own end."""
        last, end = int(stamps.all[-1]), end_micros(reader.about.end_date)
        coming = rows.take((rows.end > last + 1) & (rows.start < end))
        if not len(coming) or end <= last + 1:
            return _spared(reader, "none of its stamps lies where members differ")
        first = max(int(coming.start.min()), last + 1)
        if first >= end:
            return _spared(reader, "the change begins behind its last date")
        return _affected(reader, first, "its next stamps will have other members", exact=False)

    def held(self, reader: Reader) -> list[HeldWeight]:
        """List what a portfolio holds of those who would leave, at its last stamp."""
        table = self.tables.get(reader.about.weights_series or "")
        stamps = self.stamps(reader) if reader.is_portfolio and not reader.pinned else None
        if table is None or not stamps or not len(self.shift.lost):
            return []
        leaving = tuple(sorted({self.shift.names[each] for each in self.shift.lost.asset.tolist()}))
        last = from_micros(int(stamps.all[-1]))
        query = SeriesQuery(columns=("weight_current",), unique_identifiers=leaving, start=last)
        rows = self.work.lake.read(table, query).to_pylist()
        return [
            HeldWeight(
                portfolio=reader.identifier,
                unique_identifier=row["unique_identifier"],
                weight=row["weight_current"],
                at=last,
            )
            for row in rows
            if row["time_index"] == last and row["weight_current"]
        ]


_NOTHING = np.empty(0, dtype=np.int64)


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


def _affected(reader: Reader, first: int, why: str, *, exact: bool) -> AffectedReader:
    return _said(reader, why, affected=True, differs_from=open_datetime(first), exact=exact)


def _spared(reader: Reader, why: str) -> AffectedReader:
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
