"""Translation tables in SQL: their rules, and the columns of assets that rules look at."""

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select, update

from mainsequence.domain.access import Actor
from mainsequence.domain.routing import AssetFilter, AssetTranslationRule, TranslationTableRecord
from mainsequence.domain.series import SeriesSchema
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry import assets
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import forget, made_by, seen_by
from mainsequence.platform.registry.tables import (
    asset,
    asset_snapshot,
    portfolio,
    series,
    translation_rule,
    translation_table,
)

COLUMNS = {name: translation_table.c[name] for name in ("id", "unique_identifier")}
"""The columns that translation tables can be filtered by."""


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    return select(*(translation_table.c[name] for name in ("id", "unique_identifier", "created_at")))


def read(connection: Connection, query: Select[Any]) -> list[TranslationTableRecord]:
    """Run a `selection` and give its records with their rules, in two statements."""
    found = connection.execute(query).all()
    rules = _rules(connection, [row.id for row in found])
    return [_record(row, rules.get(row.id, [])) for row in found]


def _record(row: Row[Any], rules: list[AssetTranslationRule]) -> TranslationTableRecord:
    fields = {"id": row.id, "unique_identifier": row.unique_identifier, "rules": rules}
    return trusted(TranslationTableRecord, fields | {"created_at": from_micros(row.created_at)})


def _rules(connection: Connection, table_ids: list[int]) -> dict[int, list[AssetTranslationRule]]:
    query = select(translation_rule).where(within(connection, translation_rule.c.translation_table_id, table_ids))
    found: dict[int, list[AssetTranslationRule]] = {}
    for row in connection.execute(query.order_by(translation_rule.c.id)):
        found.setdefault(row.translation_table_id, []).append(_rule(row))
    return found


def _rule(row: Row[Any]) -> AssetTranslationRule:
    return trusted(
        AssetTranslationRule,
        {
            "asset_filter": AssetFilter.parse(row.asset_filter),
            "markets_time_serie_unique_identifier": row.markets_time_serie_unique_identifier,
            "target_exchange_code": row.target_exchange_code,
            "default_column_name": row.default_column_name,
            "id": row.id,
        },
    )


def by_id(connection: Connection, actor: Actor, key: int) -> TranslationTableRecord:
    """Read one table that somebody may see."""
    return _one(connection, actor, translation_table.c.id == key, f"with id {key}")


def by_identifier(connection: Connection, actor: Actor, unique_identifier: str) -> TranslationTableRecord:
    """Read one table that somebody may see by its unique identifier."""
    same = translation_table.c.unique_identifier == unique_identifier
    return _one(connection, actor, same, repr(unique_identifier))


def _one(
    connection: Connection, actor: Actor, condition: ColumnElement[bool], described: str
) -> TranslationTableRecord:
    for record in read(connection, selection().where(*seen_by(actor, translation_table), condition)):
        return record
    raise NotFoundError(
        f"There is no asset translation table {described}.",
        hint="msc.AssetTranslationTable.filter() lists those that exist.",
    )


def create(connection: Connection, actor: Actor, unique_identifier: str, now: int) -> bool:
    """Insert a table without rules, owned by who makes it; answer whether its identifier was free."""
    row = {"unique_identifier": unique_identifier} | made_by(actor, now)
    return insert_or_ignore(connection, translation_table, row)


def lock(connection: Connection, table_id: int) -> None:
    """Hold a table against other writers until the transaction ends."""
    connection.execute(select(translation_table.c.id).where(translation_table.c.id == table_id).with_for_update())


def insert_rules(connection: Connection, table_id: int, rules: Sequence[AssetTranslationRule], now: int) -> None:
    """Insert rules."""
    if rules:
        common = {"translation_table_id": table_id, "created_at": now}
        connection.execute(insert(translation_rule), [_columns(rule) | common for rule in rules])


def _columns(rule: AssetTranslationRule) -> dict[str, Any]:
    return rule.model_dump(exclude={"id", "asset_filter"}) | {"asset_filter": rule.asset_filter.conditions}


def retarget_rule(connection: Connection, rule: AssetTranslationRule) -> None:
    """Let a rule, found by its id, lead where this one does."""
    targets = rule.model_dump(exclude={"id", "asset_filter"})
    connection.execute(update(translation_rule).where(translation_rule.c.id == rule.id).values(**targets))


def erase_rules(connection: Connection, ids: Iterable[int | None]) -> None:
    """Delete rules."""
    connection.execute(delete(translation_rule).where(within(connection, translation_rule.c.id, ids)))


def erase(connection: Connection, table_id: int) -> None:
    """Delete a table with its rules."""
    forget(connection, "translation_table", table_id)
    connection.execute(delete(translation_rule).where(translation_rule.c.translation_table_id == table_id))
    connection.execute(delete(translation_table).where(translation_table.c.id == table_id))


def portfolios_routed_by(connection: Connection, actor: Actor, unique_identifier: str) -> list[str]:
    """Give the unique identifiers of the portfolios whose manifests name a table, of those that somebody may see."""
    named = portfolio.c.manifest["translation_table"].as_string() == unique_identifier
    query = select(portfolio.c.unique_identifier).where(*seen_by(actor, portfolio), named)
    return list(connection.scalars(query.order_by(portfolio.c.unique_identifier)))


def attributes(
    connection: Connection, fields: Iterable[str], conditions: Sequence[ColumnElement[bool]]
) -> dict[str, list[Any]]:
    """Read columns of assets whole, in one statement, in the order of their ids.

    Parameters
    ----------
    connection
        The registry.
    fields
        Columns of assets or of their current snapshots; ``id`` always comes along.
    conditions
        On the table ``asset``.

    Returns
    -------
    dict
        One list for each column, all of equal length.
    """
    names = tuple(dict.fromkeys(("id", *fields)))
    source = assets.CURRENT if set(names) & set(assets.SNAPSHOT) else asset
    columns = [assets.COLUMNS[name].label(name) for name in names]
    query = select(*columns).select_from(source).where(*conditions)
    found = _packed(connection, query) if connection.dialect.name == "sqlite" else _unpacked(connection, query)
    return _by_id(dict(zip(names, found, strict=True)))


def _packed(connection: Connection, query: Select[Any]) -> list[list[Any]]:
    """Read one JSON text for each column: a third of the time that rows take through the driver."""
    rows = query.subquery()
    texts = connection.execute(select(*(func.json_group_array(column) for column in rows.c))).one()
    return [orjson.loads(text) for text in texts]


def _unpacked(connection: Connection, query: Select[Any]) -> list[list[Any]]:
    rows = connection.execute(query).all()
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in query.selected_columns]


def _by_id(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Put rows into the order of their ids: cheaper here than where the database would have to leave its index."""
    ids = np.array(columns["id"], np.int64)
    if (np.diff(ids) > 0).all():
        return columns
    chosen = itemgetter(*np.argsort(ids).tolist())
    return {name: list(chosen(column)) for name, column in columns.items()}


def registered(organization_id: int) -> list[ColumnElement[bool]]:
    """Give the conditions of the assets of an organization that are not retired."""
    return [asset.c.organization_id == organization_id, asset.c.retired_at.is_(None)]


def listings(
    connection: Connection, organization_id: int, exchange_codes: Collection[str], group_ids: Collection[str]
) -> dict[tuple[str, str], list[str]]:
    """Find the listings of share classes on exchanges: unique identifiers by (asset_ticker_group_id, exchange_code)."""
    group, exchange = asset_snapshot.c.asset_ticker_group_id, asset_snapshot.c.exchange_code
    query = select(group, exchange, asset.c.unique_identifier).select_from(assets.CURRENT)
    there = (within(connection, exchange, exchange_codes), within(connection, group, group_ids))
    found: dict[tuple[str, str], list[str]] = {}
    rows = connection.execute(query.where(*registered(organization_id), *there).order_by(asset.c.unique_identifier))
    for group_id, exchange_code, identifier in rows:
        found.setdefault((group_id, exchange_code), []).append(identifier)
    return found


def targets(
    connection: Connection, organization_id: int, identifiers: Iterable[str]
) -> dict[str, tuple[str, SeriesSchema]]:
    """Give the lake's table and the schema of the series that exist, by unique identifier."""
    query = select(series.c.unique_identifier, series.c.storage_name, series.c.schema_json).where(
        series.c.organization_id == organization_id, within(connection, series.c.unique_identifier, identifiers)
    )
    rows = connection.execute(query)
    return {identifier: (table, SeriesSchema.parse(declared)) for identifier, table, declared in rows}
