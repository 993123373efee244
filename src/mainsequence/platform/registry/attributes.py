"""The attributes of assets as they held at the time: names from snapshots, types and sectors from their own history."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, select

from mainsequence.domain.assets import CLASSIFICATION_FIELDS
from mainsequence.domain.lookups import Condition
from mainsequence.platform.registry import assets, classifications
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.tables import asset, asset_snapshot

Span = tuple[int, int, int, int | None]
"""The id of an asset, a time ``[start, end)`` of its life, and when it retired."""

Bounds = tuple[ColumnElement[int], ColumnElement[int]]
"""From when and until when a row of some history holds."""

_NAMED: Bounds = (asset_snapshot.c.effective_from, asset_snapshot.c.effective_to)


def spans(connection: Connection, organization_id: int, lookups: Iterable[Condition]) -> list[Span]:
    """Give when assets fit all of the lookups at once; times of one asset may touch, and never overlap."""
    parsed = list(lookups)
    source, columns, histories = _side_by_side({each.field for each in parsed})
    looked = conditions(connection, parsed, columns)
    bounds = [each for history in histories for each in history]
    query = select(asset.c.id, asset.c.retired_at, *bounds).select_from(source)
    rows = connection.execute(query.where(asset.c.organization_id == organization_id, *looked))
    return [(key, max(times[::2]), min(times[1::2]), retired_at) for key, retired_at, *times in rows]


def held_at(connection: Connection, asset_id: int, names: Collection[str], time: int) -> dict[str, Any]:
    """Give attributes of an asset as they were at a time."""
    source, columns, histories = _side_by_side(names)
    then = [held for start, end in histories for held in (start <= time, end > time)]
    query = select(*(columns[name].label(name) for name in names)).select_from(source)
    return dict(connection.execute(query.where(asset.c.id == asset_id, *then)).mappings().one())


def _side_by_side(names: Collection[str]) -> tuple[FromClause, dict[str, ColumnElement[Any]], list[Bounds]]:
    """Join the histories that some attributes are kept in, row to row where they hold at the same time."""
    named = asset.join(asset_snapshot, asset_snapshot.c.asset_id == asset.c.id)
    if not set(names) & set(CLASSIFICATION_FIELDS):
        return named, assets.COLUMNS, [_NAMED]
    row = classifications.over_time().c
    meet = and_(row.asset_id == asset.c.id, row.effective_from < _NAMED[1], row.effective_to > _NAMED[0])
    columns = assets.COLUMNS | {name: row[name] for name in CLASSIFICATION_FIELDS}
    return named.join(row.asset_id.table, meet), columns, [_NAMED, (row.effective_from, row.effective_to)]
