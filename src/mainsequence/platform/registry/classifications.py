"""What assets were classified as over time, in SQL.

What holds now stands in the asset's own row, and began where the newest row of its past ends. So assets that never
changed, which are nearly all, have no row here, and registering costs nothing.
"""

from sqlalchemy import BigInteger, ColumnElement, Connection, Subquery, func, insert, literal, select, union_all

from mainsequence.domain.assets import CLASSIFICATION_FIELDS, AssetClassification
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, open_datetime
from mainsequence.domain.values import trusted
from mainsequence.platform.registry.tables import asset, asset_classification

_NAMES = (*CLASSIFICATION_FIELDS, "effective_from", "effective_to")


def _begins() -> ColumnElement[int]:
    """Give when that which an asset is now began."""
    newest = select(func.max(asset_classification.c.effective_to)).where(asset_classification.c.asset_id == asset.c.id)
    return func.coalesce(newest.correlate(asset).scalar_subquery(), MIN_MICROS)


def over_time() -> Subquery:
    """Give the table of what assets were and are: for each asset, rows that follow each other without a gap."""
    past = select(asset_classification.c.asset_id, *(asset_classification.c[name] for name in _NAMES))
    forever = literal(MAX_MICROS, BigInteger()).label("effective_to")
    fields = (asset.c[name] for name in CLASSIFICATION_FIELDS)
    present = select(asset.c.id, *fields, _begins().label("effective_from"), forever)
    return union_all(past, present).subquery("classified")


def history(connection: Connection, asset_id: int) -> list[AssetClassification]:
    """Give everything that an asset was classified as, oldest first."""
    rows = over_time()
    query = select(*(rows.c[name] for name in _NAMES)).where(rows.c.asset_id == asset_id)
    return [_classification(*row) for row in connection.execute(query.order_by(rows.c.effective_from))]


def _classification(*row: str | int | None) -> AssetClassification:
    fields = dict(zip(_NAMES, row, strict=True))
    ends = {name: open_datetime(int(fields[name] or 0)) for name in _NAMES[-2:]}
    return trusted(AssetClassification, fields | ends)


def beginning(connection: Connection, asset_id: int) -> int:
    """Give when that which an asset is now began."""
    return int(connection.scalars(select(_begins()).where(asset.c.id == asset_id)).one())


def close(connection: Connection, asset_id: int, effective_to: int) -> None:
    """Keep what an asset is now as what it was until a time; the caller then changes what it is."""
    fields = (asset.c[name] for name in CLASSIFICATION_FIELDS)
    present = select(asset.c.id, *fields, _begins(), literal(effective_to, BigInteger())).where(asset.c.id == asset_id)
    connection.execute(insert(asset_classification).from_select(["asset_id", *_NAMES], present))
