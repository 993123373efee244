"""Whether those who would enter a universe have routes and prices for what its readers need."""

from dataclasses import dataclass, field

import numpy as np

from mainsequence.compute.intervals import Intervals
from mainsequence.contract.routing import routings_of
from mainsequence.domain.plans import UnpricedMember, UnroutedMember
from mainsequence.domain.routing import AssetRouting, RouteStatus, TranslationTableRecord
from mainsequence.domain.routing_failures import routing_error
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry import routing as registry
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services.coverage import evaluate, find_listings, look_into_series, to_table
from mainsequence.platform.work import Work


@dataclass
class Served:
    """How a table serves assets.

    Parameters
    ----------
    first
        The first observation of each that has one, by id, microseconds UTC.
    unrouted, unpriced
        Who has no route, and who has not all prices that are needed.
    """

    first: dict[int, int] = field(default_factory=dict)
    unrouted: list[UnroutedMember] = field(default_factory=list)
    unpriced: list[UnpricedMember] = field(default_factory=list)


def served(work: Work, table: str, gained: Intervals, names: dict[int, str], needed: list[tuple[int, int]]) -> Served:
    """Say how a translation table serves those who enter.

    Parameters
    ----------
    work
        The unit of work.
    table
        The identifier of the table.
    gained
        The time that they gain.
    names
        Their unique identifiers, by id.
    needed
        The spans of time for which readers need prices.
    """
    found = Served()
    ids = np.unique(gained.asset).tolist()
    if not ids:
        return found
    try:
        record = registry.by_identifier(work.connection, work.actor, table)
    except NotFoundError:
        found.unrouted = [_without_table(names[each], table) for each in ids]
        return found
    for each in _routings(work, record, ids):
        _note(found, each, record, _asked(gained, each.asset_id, needed))
    return found


def _routings(work: Work, table: TranslationTableRecord, ids: list[int]) -> list[AssetRouting]:
    routing = evaluate(work, table.rules, [within(work.connection, asset.c.id, ids)])
    find_listings(work, routing)
    look_into_series(work, routing)
    return list(routings_of(to_table(routing)))


def _note(found: Served, each: AssetRouting, table: TranslationTableRecord, asked: tuple[int, int] | None) -> None:
    if each.first is not None:
        found.first[each.asset_id] = to_micros(each.first)
    if each.status not in (RouteStatus.ROUTED, RouteStatus.MISSING_ASSET):
        reason = routing_error(each, table).message
        told = {"unique_identifier": each.unique_identifier, "table": table.unique_identifier}
        found.unrouted.append(UnroutedMember(**told, status=each.status.value, reason=reason))
    elif asked is not None and each.route is not None and not _covers(each, *asked):
        found.unpriced.append(
            UnpricedMember(
                unique_identifier=each.unique_identifier,
                table=table.unique_identifier,
                series=each.route.markets_time_serie_unique_identifier,
                needed_from=from_micros(asked[0]),
                needed_to=from_micros(asked[1]),
                first=each.first,
                last=each.last,
            )
        )


def _asked(gained: Intervals, asset_id: int, needed: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Give the time for which an asset needs prices: where it would be a member and a reader has dates."""
    own = gained.take(gained.asset == asset_id)
    spans = [
        (max(start, since), min(end, until))
        for start, end in zip(own.start.tolist(), own.end.tolist(), strict=True)
        for since, until in needed
        if max(start, since) <= min(end - 1, until)
    ]
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None


def _covers(each: AssetRouting, start: int, end: int) -> bool:
    """Compare days: a daily bar may be stamped at any time of its day."""
    if each.first is None or each.last is None:
        return False
    return each.first.date() <= from_micros(start).date() and each.last.date() >= from_micros(end).date()


def _without_table(name: str, table: str) -> UnroutedMember:
    reason = f"There is no translation table {table!r}."
    return UnroutedMember(unique_identifier=name, table=table, status="no_table", reason=reason)
