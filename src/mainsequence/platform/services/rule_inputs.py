"""What rules look at, gathered whole: attributes, universes and numbers, up to the close before each effective date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from mainsequence.compute.intervals import Floats, Intervals, Ints, coalesce
from mainsequence.compute.ranking import by_session
from mainsequence.compute.schedules import period_numbers
from mainsequence.compute.sessions import Schedule, schedule
from mainsequence.domain.series import SeriesSchema, WideQuery
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, start_micros, to_micros
from mainsequence.domain.universe_rules import Measure, UniverseRule
from mainsequence.errors import NotFoundError, ValidationError
from mainsequence.platform.registry import attributes, ledger
from mainsequence.platform.registry import routing as routing_registry
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services import coverage, definitions
from mainsequence.platform.work import Work

# -- dates


@dataclass(frozen=True, slots=True)
class Dates:
    """Effective dates, and for each the position of the session whose close ends its data; int64[D] each."""

    effective: Ints
    cut: Ints
    sessions: Schedule

    def __len__(self) -> int:
        return len(self.effective)

    def first(self, number: int) -> "Dates":
        """Give the first of them."""
        return Dates(self.effective[:number], self.cut[:number], self.sessions)

    def reached(self, times: Iterable[int]) -> int:
        """Count the dates, from the first, for which several series have come to the session that ends their data."""
        sessions = self.sessions.position_of(np.array([*times], dtype=np.int64))
        return len(self) if not len(sessions) else int(np.searchsorted(self.cut, sessions.min(), side="right"))


def dates_of(rule: UniverseRule, first: int, last: int) -> Dates:
    """Give the effective dates of a rule in ``[first, last]``, microseconds UTC."""
    sessions = schedule(rule.calendar)
    labels = _labels(rule, sessions)
    cut = np.searchsorted(sessions.dates, labels) - rule.lag
    labels, cut = labels[cut >= 0], cut[cut >= 0]
    effective = np.maximum(labels, sessions.closes[cut])
    inside = (effective >= max(first, to_micros(rule.start))) & (effective <= last)
    return Dates(effective[inside], cut[inside], sessions)


def _labels(rule: UniverseRule, sessions: Schedule) -> Ints:
    if rule.dates is not None:
        return np.array([to_micros(each) for each in rule.dates], dtype=np.int64)
    if rule.frequency is None or rule.frequency == "daily":
        return sessions.dates
    periods = period_numbers(sessions.dates, rule.frequency)
    begins: Ints = sessions.dates[1:][periods[1:] != periods[:-1]]
    return begins


def last_effective(rule: UniverseRule, first: int, last: int) -> int:
    """Give the last effective date in a range."""
    return int(dates_of(rule, first, last).effective[-1])


# -- what is looked at


@dataclass(slots=True)
class Gathered:
    """Everything that a rule looks at, for N assets in the order of their ids.

    Parameters
    ----------
    ids
        int64[N], sorted.
    ends
        int64[N]: when each retired, or never.
    attributes
        When each fits the lookups.
    universes
        For each expression that the rule reads, its intervals.
    first_session
        Position of the first session of the numbers.
    numbers
        For each measure, float64[S, N] by session.
    versions
        The version of each series that was read.
    reaches
        The last time of each series that was read, in that version; the beginning of time where it is empty.
    """

    ids: Ints
    ends: Ints
    attributes: Intervals
    universes: list[Intervals]
    first_session: int = 0
    numbers: dict[Measure, Floats] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)


def gather(
    work: Work,
    rule: UniverseRule,
    dates: Dates,
    *,
    known: int | None = None,
    versions: Mapping[str, int] | None = None,
    also: Iterable[int] = (),
) -> Gathered:
    """Read what a rule looks at for some dates: a few statements, and each column of each series once."""
    known_at = None if known is None else from_micros(known)
    fitting, ends = _attributes(work, rule)
    universes = [definitions.evaluated(work, text, known_at) for text in rule.universes]
    intervals = [each.intervals(MIN_MICROS, MAX_MICROS) for each in universes]
    ids = np.unique(fitting.asset)
    if rule.base is not None:
        ids = ids[np.isin(ids, intervals[0].asset)]
    ids = np.union1d(ids, np.array([*also], dtype=np.int64))
    whole = Gathered(ids, np.array([ends.get(key, MAX_MICROS) for key in ids.tolist()]), fitting, intervals)
    if rule.measures and len(ids) and len(dates):
        _read_numbers(work, rule, dates, whole, versions or {})
    return whole


def _attributes(work: Work, rule: UniverseRule) -> tuple[Intervals, dict[int, int]]:
    """Give when assets fit the lookups, and when those that retired did: one statement."""
    rows = attributes.spans(work.connection, work.organization_id, rule.conditions)
    columns = tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())
    ids, start, end = (np.array(each, dtype=np.int64) for each in columns[:3])
    ends = {key: at for key, at in zip(columns[0], columns[3], strict=True) if at is not None}
    return coalesce(Intervals(ids, start, end, np.full(len(ids), np.nan))), ends


def _read_numbers(work: Work, rule: UniverseRule, dates: Dates, whole: Gathered, versions: Mapping[str, int]) -> None:
    longest = max(each.window for each in rule.measures)
    first, last = max(int(dates.cut[0]) - longest + 1, 0), int(dates.cut[-1])
    whole.first_session = first
    closes = dates.sessions.closes
    start = int(closes[first - 1]) + 1 if first else MIN_MICROS
    span = (max(start, 0), int(closes[last]) + 1)
    whole.numbers = {each: np.full((last - first + 1, len(whole.ids)), np.nan) for each in rule.measures}
    for name, positions, stored_as in _sources(work, rule, whole.ids):
        table, schema = _series(work, name)
        reach = MIN_MICROS
        for measure in rule.measures:
            read = _Reading(work, table, schema, name, stored_as, span, versions.get(name))
            times, values, version = read.measured(measure)
            whole.versions[name] = version
            reach = max(reach, *times[-1:].tolist(), MIN_MICROS)
            session = dates.sessions.position_of(times) - first
            gathered = by_session(values, session, last - first + 1, sums=measure.sums_sessions)
            whole.numbers[measure][:, positions] = gathered
        if dates.sessions.position_of(np.array([reach]))[0] < last:
            reach = start_micros(work.lake.statistics(table, whole.versions[name]).max_time)
        whole.reaches[name] = reach


@dataclass(frozen=True, slots=True)
class _Reading:
    work: Work
    table: str
    schema: SeriesSchema
    name: str
    stored_as: list[str]
    span: tuple[int, int]
    version: int | None

    def measured(self, measure: Measure) -> tuple[Ints, Floats, int]:
        times, values, version = self._column(measure.column, self.version)
        if measure.times is None:
            return times, values, version
        again, others, _ = self._column(measure.times, version)
        return again, values * others, version

    def _column(self, column: str, version: int | None) -> tuple[Ints, Floats, int]:
        start, end = (from_micros(each) for each in self.span)
        names = tuple(self.stored_as)
        query = WideQuery(column=column, unique_identifiers=names, version=version, start=start, end=end)
        matrix = self.work.lake.wide(self.table, query)
        return matrix.times, matrix.values, matrix.version


def _sources(work: Work, rule: UniverseRule, ids: Ints) -> list[tuple[str, Ints, list[str]]]:
    """Give the series that numbers come from, each with the positions of its assets and how it stores them."""
    if rule.series is not None:
        names = ledger.identifiers(work.connection, ids)
        return [(rule.series, np.arange(len(ids)), [names[key] for key in ids.tolist()])]
    table = routing_registry.by_identifier(work.connection, work.actor, rule.translation_table or "")
    routing = coverage.evaluate(work, table.rules, [within(work.connection, asset.c.id, ids.tolist())])
    coverage.find_listings(work, routing)
    places = np.searchsorted(ids, np.array(routing.columns["id"], dtype=np.int64))
    by_series: dict[str, list[int]] = {}
    for position in routing.routed().tolist():
        target = routing.rules[routing.matches.rule[position]].markets_time_serie_unique_identifier
        by_series.setdefault(target, []).append(position)
    return [
        (name, places[positions], [routing.stored_as[each] or "" for each in positions])
        for name, positions in sorted(by_series.items())
    ]


def _series(work: Work, name: str) -> tuple[str, SeriesSchema]:
    found = routing_registry.targets(work.connection, work.organization_id, [name])
    if name not in found:
        raise NotFoundError(f"There is no series {name!r}.", hint="msc.Series.filter() lists those that exist.")
    return found[name]


def check_sources(work: Work, rule: UniverseRule) -> None:
    """Refuse a rule whose calendar, series, columns or table do not exist.

    Raises
    ------
    UnknownCalendarError, NotFoundError, UnknownFieldError, ValidationError
        What it names does not exist.
    """
    schedule(rule.calendar)
    if rule.translation_table is not None:
        routing_registry.by_identifier(work.connection, work.actor, rule.translation_table)
    if rule.series is None:
        return
    _, schema = _series(work, rule.series)
    if not schema.by_asset:
        raise ValidationError(f"The series {rule.series!r} has no assets.", hint="Name a series by asset.")
    for measure in rule.measures:
        for column in (measure.column, measure.times):
            if column is not None:
                schema.column(column)
