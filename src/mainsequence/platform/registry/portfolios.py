"""Portfolios in SQL, each with the asset that stands for it."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, select, update

from mainsequence.domain.access import Actor
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.portfolios import PortfolioAbout, PortfolioCreation, PortfolioRecord
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry import assets as asset_registry
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import forget, made_by, seen_by
from mainsequence.platform.registry.tables import asset, portfolio, portfolio_venue

COLUMNS = {
    name: portfolio.c[name]
    for name in (
        *("id", "unique_identifier", "display_name", "description", "calendar_name"),
        *("values_series", "weights_series", "signal_series"),
    )
}
"""The columns that portfolios can be filtered by."""

venue = portfolio_venue.c
_KEPT_INSIDE = {"organization_id", "owner", "is_private"}


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    return select(*(column for column in portfolio.c if column.name not in _KEPT_INSIDE))


def read(connection: Connection, query: Select[Any]) -> list[PortfolioRecord]:
    """Run a `selection` and give its records, with their index assets."""
    rows = connection.execute(query).fetchall()
    assets = _index_assets(connection, [row.index_asset_id for row in rows])
    venues = _venues(connection, [row.id for row in rows])
    return [_record(row, assets[row.index_asset_id], venues[row.id]) for row in rows]


def _index_assets(connection: Connection, ids: list[int]) -> dict[int, AssetRecord]:
    found = asset_registry.selection().where(within(connection, asset.c.id, ids))
    return {record.id: record for record in asset_registry.read(connection, found)}


def _venues(connection: Connection, ids: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {each: [] for each in ids}
    query = select(venue.portfolio_id, venue.venue_id).where(within(connection, venue.portfolio_id, ids))
    for portfolio_id, venue_id in connection.execute(query.order_by(venue.venue_id)):
        found[portfolio_id].append(venue_id)
    return found


def _record(row: Row[Any], index_asset: AssetRecord, venue_ids: list[int]) -> PortfolioRecord:
    fields = dict(row._mapping)  # noqa: SLF001
    del fields["index_asset_id"]
    fields["index_asset"] = index_asset
    fields["venue_ids"] = venue_ids
    fields["about"] = PortfolioAbout.parse(fields["about"])
    fields["created_at"] = from_micros(fields["created_at"])
    return trusted(PortfolioRecord, fields)


def by_id(connection: Connection, actor: Actor, key: int) -> PortfolioRecord:
    """Read one portfolio that somebody may see."""
    return _one(connection, actor, portfolio.c.id == key, f"with id {key}")


def by_identifier(connection: Connection, actor: Actor, unique_identifier: str) -> PortfolioRecord:
    """Read one portfolio that somebody may see by its unique identifier."""
    return _one(connection, actor, portfolio.c.unique_identifier == unique_identifier, repr(unique_identifier))


def exists(connection: Connection, organization_id: int, unique_identifier: str) -> bool:
    """Tell whether a portfolio with this identifier is registered."""
    same = (portfolio.c.organization_id == organization_id, portfolio.c.unique_identifier == unique_identifier)
    return connection.scalar(select(portfolio.c.id).where(*same)) is not None


def _one(connection: Connection, actor: Actor, condition: ColumnElement[bool], described: str) -> PortfolioRecord:
    for record in read(connection, selection().where(*seen_by(actor, portfolio), condition)):
        return record
    raise NotFoundError(f"There is no portfolio {described}.", hint="msc.Portfolio.filter() lists those that exist.")


def create(connection: Connection, actor: Actor, body: PortfolioCreation, index_asset_id: int, now: int) -> bool:
    """Insert a portfolio, owned by who makes it; answer whether its identifier was free."""
    row = body.model_dump(mode="json", exclude={"universe", "reader"})
    row |= {"index_asset_id": index_asset_id} | made_by(actor, now)
    return insert_or_ignore(connection, portfolio, row)


def change(connection: Connection, key: int, fields: dict[str, Any]) -> None:
    """Change columns of one portfolio."""
    if fields:
        connection.execute(update(portfolio).where(portfolio.c.id == key).values(**fields))


def add_venue(connection: Connection, key: int, venue_id: int) -> None:
    """Name a venue of one portfolio; one that it has stays."""
    insert_or_ignore(connection, portfolio_venue, {"portfolio_id": key, "venue_id": venue_id})


def remove_venue(connection: Connection, key: int, venue_id: int) -> None:
    """Take a venue from one portfolio; one that it does not have is left alone."""
    connection.execute(delete(portfolio_venue).where(venue.portfolio_id == key, venue.venue_id == venue_id))


def erase(connection: Connection, key: int) -> None:
    """Delete the description of one portfolio."""
    forget(connection, "portfolio", key)
    connection.execute(delete(portfolio_venue).where(venue.portfolio_id == key))
    connection.execute(delete(portfolio).where(portfolio.c.id == key))
