"""Candidates for identifiers in SQL: who has, or had, an identifier, in one statement for each column."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from mainsequence.domain.resolution import Candidate, IdentifierKind
from mainsequence.domain.times import MAX_MICROS
from mainsequence.platform.registry.sets import large_join, within
from mainsequence.platform.registry.tables import asset, asset_snapshot

IDENTITY = {
    IdentifierKind.UNIQUE_IDENTIFIER: asset.c.unique_identifier,
    IdentifierKind.FIGI: asset.c.figi,
    IdentifierKind.COMPOSITE: asset.c.composite,
    IdentifierKind.SHARE_CLASS: asset.c.share_class,
    IdentifierKind.ISIN: asset.c.isin,
}
"""The kinds that an asset has for all its life, by their columns."""

NAMES = {IdentifierKind.TICKER: asset_snapshot.c.ticker, IdentifierKind.NAME: asset_snapshot.c.name}
"""The kinds that change over the life of an asset."""

_now = asset_snapshot.alias("current")


def candidates(
    connection: Connection, organization_id: int, kind: IdentifierKind, values: Iterable[str]
) -> list[tuple[str, Candidate]]:
    """Give everybody who has, or had, one of the identifiers, each with the identifier, in the order of their ids."""
    items = list(values)
    if not items:
        return []
    with large_join(connection, len(items)):
        if kind in IDENTITY:
            return _of_identity(connection, organization_id, IDENTITY[kind], items)
        return _of_names(connection, organization_id, NAMES[kind], items)


_FIELDS = (
    *(asset.c[name] for name in ("id", "unique_identifier")),
    *(_now.c[name] for name in ("name", "ticker", "exchange_code")),
    *(asset.c[name] for name in ("figi", "composite", "share_class", "isin", "retired_at")),
)
_CURRENT = and_(_now.c.asset_id == asset.c.id, _now.c.effective_to == MAX_MICROS)


def _of_identity(
    connection: Connection, organization_id: int, column: ColumnElement[Any], items: list[str]
) -> list[tuple[str, Candidate]]:
    query = select(column, *_FIELDS).select_from(asset.join(_now, _CURRENT))
    own = (asset.c.organization_id == organization_id, within(connection, column, items))
    return [(row[0], Candidate(*row[1:])) for row in connection.execute(query.where(*own).order_by(asset.c.id))]


def _of_names(
    connection: Connection, organization_id: int, column: ColumnElement[Any], items: list[str]
) -> list[tuple[str, Candidate]]:
    then = asset_snapshot
    joined = then.join(asset, asset.c.id == then.c.asset_id).join(_now, _CURRENT)
    query = select(column, then.c.exchange_code, then.c.effective_from, then.c.effective_to, *_FIELDS)
    own = (asset.c.organization_id == organization_id, within(connection, column, items))
    rows = connection.execute(query.select_from(joined).where(*own).order_by(asset.c.id, then.c.effective_from))
    return [(value, _held(Candidate(*fields), *then)) for value, *then, fields in map(_split, rows)]


def _split(row: Row[Any]) -> tuple[Any, ...]:
    return (*row[:4], row[4:])


def _held(candidate: Candidate, exchange_code: str | None, held_from: int, held_to: int) -> Candidate:
    """Give a candidate with the exchange that it was on while it had the name."""
    return replace(candidate, exchange_code=exchange_code, held_from=held_from, held_to=held_to)


def known(connection: Connection, organization_id: int, kind: IdentifierKind) -> list[str]:
    """Give every identifier of a kind that an asset which is not retired has now."""
    column = IDENTITY[kind] if kind in IDENTITY else _now.c[kind.value]
    query = select(column).distinct().select_from(asset.join(_now, _CURRENT))
    own = (asset.c.organization_id == organization_id, asset.c.retired_at.is_(None), column.is_not(None))
    return list(connection.scalars(query.where(*own).order_by(column)))


def retirement(connection: Connection, organization_id: int, ids: list[int]) -> dict[int, int]:
    """Give when each of the assets that exist was retired; plus infinity for those that are not."""
    own = (asset.c.organization_id == organization_id, within(connection, asset.c.id, ids))
    query = select(asset.c.id, func.coalesce(asset.c.retired_at, MAX_MICROS)).where(*own)
    return dict(connection.execute(query).all())
