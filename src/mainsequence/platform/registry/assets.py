"""Assets in SQL: reading records, registering many at once, and their snapshots."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)

from mainsequence.domain.assets import AssetRecord, AssetRegistration, AssetSnapshot, PricingDetail, SnapshotFields
from mainsequence.domain.lookups import Condition, Lookup
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, from_micros, open_datetime
from mainsequence.domain.values import trusted
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset, asset_pricing, asset_snapshot

IDENTITY = (
    "unique_identifier",
    "figi",
    "composite",
    "share_class",
    "isin",
    "security_type",
    "security_type_2",
    "security_market_sector",
    "is_tradable",
    "is_custom_by_organization",
    "calendar_name",
)
SNAPSHOT = ("name", "ticker", "exchange_code", "asset_ticker_group_id", "venue_specific_properties")

COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": asset.c.id,
    **{name: asset.c[name] for name in IDENTITY},
    **{name: asset_snapshot.c[name] for name in SNAPSHOT[:4]},
}
"""The columns that assets can be filtered by."""

CURRENT: FromClause = asset.join(
    asset_snapshot, and_(asset_snapshot.c.asset_id == asset.c.id, asset_snapshot.c.effective_to == MAX_MICROS)
)
_WITH_PRICING = CURRENT.outerjoin(asset_pricing, asset_pricing.c.asset_id == asset.c.id)


def selection() -> Select[Any]:
    """Give the query whose rows `read` turns into records; add conditions and an order."""
    return select(
        *(asset.c[name] for name in IDENTITY),
        asset.c.id,
        asset.c.retired_at,
        *(asset_snapshot.c[name] for name in SNAPSHOT),
        asset_snapshot.c.effective_from,
        asset_pricing.c.instrument_dump,
        asset_pricing.c.pricing_details_date,
    ).select_from(_WITH_PRICING)


def is_of(connection: Connection, organization_id: int, parsed: Iterable[Condition]) -> ColumnElement[bool]:
    """Give the condition that assets are of an organization, for a page of them that fit some lookups.

    SQLite takes a condition on an index for one that few rows fit: unless told otherwise it reads and sorts all assets
    for every page. Identifiers alone are found in that index.
    """
    condition = asset.c.organization_id == organization_id
    named = any(each.field == "unique_identifier" and each.lookup in (Lookup.EXACT, Lookup.IN) for each in parsed)
    return condition if named or connection.dialect.name == "postgresql" else func.likely(condition)


def read(connection: Connection, query: Select[Any]) -> list[AssetRecord]:
    """Run a `selection` and give its records."""
    return [_record(row) for row in connection.execute(query)]


_SNAPSHOT_AT = len(IDENTITY) + 2


def _record(row: Row[Any]) -> AssetRecord:
    values = tuple(row)
    fields = dict(zip(IDENTITY, values, strict=False))
    retired_at = values[_SNAPSHOT_AT - 1]
    *names, effective_from, dump, priced_at = values[_SNAPSHOT_AT:]
    fields["id"] = values[_SNAPSHOT_AT - 2]
    fields["retired_at"] = None if retired_at is None else from_micros(retired_at)
    fields["current_snapshot"] = _snapshot(names, effective_from, MAX_MICROS)
    fields["current_pricing_detail"] = None if dump is None else _pricing(dump, priced_at)
    return trusted(AssetRecord, fields)


def _snapshot(names: Sequence[Any], effective_from: int, effective_to: int) -> AssetSnapshot:
    fields = dict(zip(SNAPSHOT, names, strict=True))
    fields["effective_from"] = open_datetime(effective_from)
    fields["effective_to"] = open_datetime(effective_to)
    return trusted(AssetSnapshot, fields)


def _pricing(dump: dict[str, Any], priced_at: int) -> PricingDetail:
    return trusted(PricingDetail, {"instrument_dump": dump, "pricing_details_date": from_micros(priced_at)})


def ids_by_identifier(connection: Connection, organization_id: int, identifiers: Iterable[str]) -> dict[str, int]:
    """Give the ids of the identifiers that are registered, retired ones too."""
    query = select(asset.c.unique_identifier, asset.c.id).where(
        asset.c.organization_id == organization_id, within(connection, asset.c.unique_identifier, identifiers)
    )
    return dict(connection.execute(query).all())


REGISTERING_LOCK = 1_297_305_922
"""The class of the advisory locks of PostgreSQL that let one writer at a time register assets in an organization."""


def hold_registration(connection: Connection, organization_id: int) -> None:
    """Wait for others who register assets: batches that name the same ones in other orders would block each other."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(REGISTERING_LOCK, cast(organization_id, Integer))))


def register(
    connection: Connection, organization_id: int, registrations: Sequence[AssetRegistration], now: int
) -> dict[str, int]:
    """Insert new assets with their first snapshots; gives their ids by their identifiers."""
    if not registrations:
        return {}
    common = {"organization_id": organization_id, "created_at": now}
    rows = [common | {name: getattr(each, name) for name in IDENTITY} for each in registrations]
    connection.execute(insert(asset), rows)
    ids = ids_by_identifier(connection, organization_id, [each.unique_identifier for each in registrations])
    snapshots = [
        _snapshot_row(ids[each.unique_identifier], each.snapshot or SnapshotFields(name=each.unique_identifier))
        for each in registrations
    ]
    connection.execute(insert(asset_snapshot), snapshots)
    return ids


def _snapshot_row(asset_id: int, snapshot: SnapshotFields, effective_from: int = MIN_MICROS) -> dict[str, Any]:
    fields = {name: getattr(snapshot, name) for name in SNAPSHOT}
    return fields | {"asset_id": asset_id, "effective_from": effective_from, "effective_to": MAX_MICROS}


def snapshots(connection: Connection, asset_id: int) -> list[AssetSnapshot]:
    """Give every snapshot of an asset, oldest first."""
    columns = [*(asset_snapshot.c[name] for name in SNAPSHOT), asset_snapshot.c.effective_from]
    query = select(*columns, asset_snapshot.c.effective_to).where(asset_snapshot.c.asset_id == asset_id)
    rows = connection.execute(query.order_by(asset_snapshot.c.effective_from))
    return [_snapshot(row[:-2], row[-2], row[-1]) for row in rows]


def open_snapshot(connection: Connection, asset_id: int, snapshot: SnapshotFields, effective_from: int) -> None:
    """Close the current snapshot at a time and open a new one there."""
    current = (asset_snapshot.c.asset_id == asset_id, asset_snapshot.c.effective_to == MAX_MICROS)
    connection.execute(update(asset_snapshot).where(*current).values(effective_to=effective_from))
    connection.execute(insert(asset_snapshot), _snapshot_row(asset_id, snapshot, effective_from))


def lock(connection: Connection, asset_id: int) -> None:
    """Hold an asset against other writers until the transaction ends."""
    connection.execute(select(asset.c.id).where(asset.c.id == asset_id).with_for_update())


def change(connection: Connection, asset_id: int, fields: dict[str, Any]) -> None:
    """Change columns of one asset."""
    if fields:
        connection.execute(update(asset).where(asset.c.id == asset_id).values(**fields))


def revive(connection: Connection, ids: Iterable[int]) -> None:
    """Take back the retirement of assets."""
    retired = (asset.c.retired_at.is_not(None), within(connection, asset.c.id, ids))
    connection.execute(update(asset).where(*retired).values(retired_at=None))


def set_pricing(connection: Connection, asset_id: int, detail: PricingDetail, priced_at: int) -> None:
    """Store the pricing terms of one asset in place of those before."""
    clear_pricing(connection, asset_id)
    row = {"asset_id": asset_id, "instrument_dump": detail.instrument_dump, "pricing_details_date": priced_at}
    connection.execute(insert(asset_pricing), row)


def clear_pricing(connection: Connection, asset_id: int) -> None:
    """Drop the pricing terms of one asset."""
    connection.execute(delete(asset_pricing).where(asset_pricing.c.asset_id == asset_id))
