"""Routing many assets at once: rules on coded columns, then listings, then what the routed series really hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement

from mainsequence.compute.routing import Bools, Codes, Ints, Matches, Rulebook
from mainsequence.contract.routing import coverage_schema
from mainsequence.domain.routing import AssetTranslationRule, RouteStatus
from mainsequence.domain.series import AssetStatistics, SeriesSchema
from mainsequence.platform.registry import routing as registry
from mainsequence.platform.work import Work

if TYPE_CHECKING:
    import pyarrow as pa

_STATUSES = tuple(RouteStatus)
_CODE = {status: code for code, status in enumerate(_STATUSES)}
_LISTING_FIELDS = ("exchange_code", "asset_ticker_group_id")


@dataclass(slots=True)
class Routing:
    """What became of N assets, in the order of their ids.

    Parameters
    ----------
    rules
        The rules of the table; arrays refer to them by position.
    columns
        What was read of the assets: ``id``, ``unique_identifier``, and what the rules look at.
    book, codes, matches
        The rules and assets as codes, and how they match.
    status
        Positions in `RouteStatus`, int8, shape (N,).
    stored_as
        The identifier under which the series stores each asset; ``None`` without a route.
    listings
        Where one listing was needed and several were found: which, by position.
    """

    rules: Sequence[AssetTranslationRule]
    columns: dict[str, list[Any]]
    book: Rulebook
    codes: dict[str, Codes]
    matches: Matches
    status: npt.NDArray[np.int8]
    stored_as: list[str | None]
    listings: dict[int, list[str]] = field(default_factory=dict)
    held: dict[int, AssetStatistics] = field(default_factory=dict)
    series: dict[str, int | None] = field(default_factory=dict)

    @property
    def identifiers(self) -> list[str]:
        """The unique identifiers of the assets."""
        return self.columns["unique_identifier"]

    @property
    def several(self) -> Ints:
        """The positions of the assets that several rules match."""
        return np.flatnonzero(self.matches.count > 1)

    def matched_by_several(self) -> Bools:
        """Say which rules match those; shape (R, how many)."""
        return self.book.table(self.codes, self.several)

    def routed(self) -> Ints:
        """Give the positions of the assets that have a route."""
        return np.flatnonzero(self.status == _CODE[RouteStatus.ROUTED])

    def fail(self, position: int, status: RouteStatus) -> None:
        """Note why an asset is not served."""
        self.status[position] = _CODE[status]


def evaluate(work: Work, rules: Sequence[AssetTranslationRule], whom: Sequence[ColumnElement[bool]]) -> Routing:
    """Match rules against assets, found by conditions on the table ``asset``: one statement, then arrays."""
    book = Rulebook.of(rule.asset_filter.conditions for rule in rules)
    targeted = any(rule.target_exchange_code is not None for rule in rules)
    fields = ("unique_identifier", *book.fields, *(_LISTING_FIELDS if targeted else ()))
    columns = registry.attributes(work.connection, fields, whom)
    codes = book.encode(columns)
    matches = book.evaluate(codes, len(columns["id"]))
    status = np.full(len(columns["id"]), _CODE[RouteStatus.AMBIGUOUS], np.int8)
    status[matches.count == 0] = _CODE[RouteStatus.NO_ROUTE]
    status[matches.count == 1] = _CODE[RouteStatus.ROUTED]
    return Routing(rules, columns, book, codes, matches, status, [None] * len(status))


def find_listings(work: Work, routing: Routing) -> None:
    """Find under which identifier the series of each routed asset stores it."""
    identifiers = routing.identifiers
    wanted = [rule.target_exchange_code for rule in routing.rules]
    elsewhere: list[tuple[int, str]] = []
    routed = routing.routed()
    for position, place in zip(routed.tolist(), routing.matches.rule[routed].tolist(), strict=True):
        exchange = wanted[place]
        if exchange is None or routing.columns["exchange_code"][position] == exchange:
            routing.stored_as[position] = identifiers[position]
        else:
            elsewhere.append((position, exchange))
    if elsewhere:
        _find_elsewhere(work, routing, elsewhere)


def _find_elsewhere(work: Work, routing: Routing, elsewhere: list[tuple[int, str]]) -> None:
    groups = routing.columns["asset_ticker_group_id"]
    asked = {groups[position] for position, _ in elsewhere} - {None}
    known = registry.listings(work.connection, work.organization_id, {each for _, each in elsewhere}, asked)
    for position, exchange in elsewhere:
        found = known.get((groups[position], exchange), [])
        if len(found) == 1:
            routing.stored_as[position] = found[0]
            continue
        routing.fail(position, RouteStatus.SEVERAL_LISTINGS if found else RouteStatus.NO_LISTING)
        routing.listings[position] = found


def look_into_series(work: Work, routing: Routing) -> None:
    """See what the routed series really hold of each routed asset: each series is looked at once."""
    routed = routing.routed()
    by_rule = routing.matches.rule[routed]
    used = [routing.rules[place] for place in np.unique(by_rule).tolist()]
    names = sorted({rule.markets_time_serie_unique_identifier for rule in used})
    known = registry.targets(work.connection, work.organization_id, names)
    for name in names:
        places = [place for place, rule in enumerate(routing.rules) if rule.target[0] == name]
        positions = routed[np.isin(by_rule, places)].tolist()
        routing.series[name] = _look_into(work, routing, known.get(name), positions)


def _look_into(
    work: Work, routing: Routing, target: tuple[str, SeriesSchema] | None, positions: list[int]
) -> int | None:
    """Note what one series holds of some assets; give its version, or ``None`` where it does not exist."""
    if target is None:
        for position in positions:
            routing.fail(position, RouteStatus.MISSING_SERIES)
        return None
    table, schema = target
    statistics = work.lake.statistics(table)
    for position in positions:
        column = routing.rules[routing.matches.rule[position]].default_column_name
        held = statistics.assets.get(routing.stored_as[position] or "")
        if column not in schema.value_names:
            routing.fail(position, RouteStatus.MISSING_COLUMN)
        elif held is None:
            routing.fail(position, RouteStatus.MISSING_ASSET)
        else:
            routing.held[position] = held
    return statistics.version


# -- as columns


def to_table(routing: Routing) -> "pa.Table":
    """Give what became of the assets as the columns of a coverage report."""
    import pyarrow as pa

    rules, place = routing.rules, routing.matches.rule
    size = len(routing.status)
    arrays = [
        pa.array(routing.columns["id"], pa.int64()),
        pa.array(routing.identifiers, pa.string()),
        pa.DictionaryArray.from_arrays(routing.status.astype(np.int32), pa.array([str(each) for each in _STATUSES])),
        _matching(routing),
        _of_rules([rule.target[0] for rule in rules], place),
        pa.array(routing.stored_as, pa.string()),
        _of_rules([rule.target[1] for rule in rules], place),
        _of_rules([rule.target[2] for rule in rules], place),
        pa.array([routing.listings.get(position) for position in range(size)], pa.list_(pa.string())),
        *_dates(routing),
    ]
    return pa.Table.from_arrays(arrays, schema=coverage_schema())


def _matching(routing: Routing) -> "pa.ListArray":
    """Give the ids of every rule that matches, asset by asset."""
    import pyarrow as pa

    count, place = routing.matches.count, routing.matches.rule
    ids = np.array([rule.id for rule in routing.rules], np.int64)
    flat = np.empty(int(count.sum()), np.int64)
    of_several = np.repeat(count > 1, count)
    flat[~of_several] = ids[place[place >= 0]]
    flat[of_several] = ids[np.nonzero(routing.matched_by_several().T)[1]]
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat))


def _of_rules(values: list[str | None], place: npt.NDArray[np.int32]) -> "pa.DictionaryArray":
    """Give for each asset what its one rule says; null without one."""
    import pyarrow as pa

    names = sorted({value for value in values if value is not None})
    codes = np.array([-1 if value is None else names.index(value) for value in values] or [-1], np.int32)
    chosen = np.where(place >= 0, codes[place], -1).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(chosen, mask=chosen < 0), pa.array(names, pa.string()))


def _dates(routing: Routing) -> "list[pa.Array]":
    import pyarrow as pa

    stamp = pa.timestamp("us", "UTC")
    held = [routing.held.get(position) for position in range(len(routing.status))]
    first = pa.array([None if each is None else each.first for each in held], stamp)
    last = pa.array([None if each is None else each.last for each in held], stamp)
    return [first, last, pa.array([None if each is None else each.count for each in held], pa.int64())]
