"""The table of announcements: when a change of membership became known outside the platform."""

from sqlalchemy import BigInteger, Column, Table

from mainsequence.platform.registry.tables import Id, metadata

category_announcement = Table(
    "category_announcement",
    metadata,
    Column("category_id", Id, primary_key=True, autoincrement=False),
    Column("asset_id", Id, primary_key=True, autoincrement=False),
    Column("effective_at", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, primary_key=True, autoincrement=False),
    Column("announced_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A fact beside the ledger: an asset's membership begins, ends or changes weight at ``effective_at``, and that was
announced at ``announced_at``. Nothing is overwritten: of several the one recorded last counts."""
