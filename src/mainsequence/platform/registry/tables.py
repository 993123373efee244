"""The registry's tables. Times are whole microseconds since 1970 UTC; infinities are sentinels (`domain.times`).

Migrations in ``migrations/`` bring a database to this shape; a test compares the two.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from mainsequence.domain.times import MAX_MICROS

SCHEMA_HEAD = "0017"
"""The migration that a database must be at."""

NEVER = MAX_MICROS
"""The revision that removed a membership row that still holds."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


Id = BigInteger().with_variant(Integer, "sqlite")
"""Ids have 64 bits; SQLite's INTEGER has, and only under that name counts up by itself."""


def text_of(length: int) -> String:
    """Declare text of a length; it is compared and sorted by code point on every database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _organization() -> Column[int]:
    return Column("organization_id", ForeignKey("organization.id"), nullable=False)


def _unique_identifier() -> Column[str]:
    return Column("unique_identifier", text_of(255), nullable=False)


def _shareable() -> tuple[Column[Any], ...]:
    """Declare the columns of what can be shared: who made it, and whether it is theirs alone until it is shared."""
    return (
        Column("owner", text_of(255)),
        Column("is_private", Boolean, nullable=False, server_default=false()),
    )


def _noun(name: str, *columns: Column[object] | Index) -> Table:
    """Declare a table of things that belong to an organization and have a unique identifier there."""
    return Table(
        name,
        metadata,
        _id(),
        _organization(),
        _unique_identifier(),
        Column("created_at", BigInteger, nullable=False),
        *columns,
        UniqueConstraint("organization_id", "unique_identifier"),
        sqlite_autoincrement=True,
    )


organization = Table("organization", metadata, _id(), Column("name", text_of(255), nullable=False, unique=True))

asset = _noun(
    "asset",
    Column("figi", text_of(12), index=True),
    Column("composite", text_of(12), index=True),
    Column("share_class", text_of(12), index=True),
    Column("isin", text_of(12), index=True),
    Column("security_type", text_of(50)),
    Column("security_type_2", text_of(50)),
    Column("security_market_sector", text_of(50)),
    Column("is_tradable", Boolean, nullable=False),
    Column("is_custom_by_organization", Boolean, nullable=False),
    Column("calendar_name", text_of(50)),
    Column("retired_at", BigInteger),
)

asset_snapshot = Table(
    "asset_snapshot",
    metadata,
    Column("asset_id", ForeignKey("asset.id"), primary_key=True, autoincrement=False),
    Column("effective_to", BigInteger, primary_key=True, autoincrement=False),
    Column("effective_from", BigInteger, nullable=False),
    Column("name", text_of(255), nullable=False, index=True),
    Column("ticker", text_of(50), index=True),
    Column("exchange_code", text_of(50), index=True),
    Column("asset_ticker_group_id", text_of(12), index=True),
    Column("venue_specific_properties", JSON, nullable=False),
    sqlite_with_rowid=False,
)

asset_classification = Table(
    "asset_classification",
    metadata,
    Column("asset_id", ForeignKey("asset.id"), primary_key=True, autoincrement=False),
    Column("effective_to", BigInteger, primary_key=True, autoincrement=False),
    Column("effective_from", BigInteger, nullable=False),
    Column("security_type", text_of(50)),
    Column("security_type_2", text_of(50)),
    Column("security_market_sector", text_of(50)),
    sqlite_with_rowid=False,
)
"""What assets were classified as before; what they are stands in ``asset``, since the newest row here ends."""

asset_pricing = Table(
    "asset_pricing",
    metadata,
    Column("asset_id", ForeignKey("asset.id"), primary_key=True, autoincrement=False),
    Column("instrument_dump", JSON, nullable=False),
    Column("pricing_details_date", BigInteger, nullable=False),
)

category = _noun(
    "category",
    Column("display_name", text_of(255), nullable=False),
    Column("description", text_of(4_000)),
    Column("dated", Boolean, nullable=False),
    Column("head_revision", Integer, nullable=False),
    Column("first_revision", Integer, nullable=False, server_default="0"),
    Column("kind", text_of(20), nullable=False, server_default="members"),
    Column("deprecated_at", BigInteger),
    Column("deprecation_reason", text_of(4_000)),
    Column("successor", text_of(255)),
    *_shareable(),
)

former_category = Table(
    "former_category",
    metadata,
    Column("organization_id", ForeignKey("organization.id"), primary_key=True, autoincrement=False),
    Column("unique_identifier", text_of(255), primary_key=True),
    Column("last_revision", Integer, nullable=False),
)
"""Identifiers of universes that were deleted, each with the last revision that a pin of that name may mean."""

category_revision = Table(
    "category_revision",
    metadata,
    Column("category_id", ForeignKey("category.id"), primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", text_of(255), nullable=False),
    Column("operation", text_of(50), nullable=False),
    Column("reason", text_of(4_000)),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("content_hash", text_of(64), nullable=False),
    Column("approved_by", text_of(255)),
    Column("announced", Integer),
    sqlite_with_rowid=False,
)

category_membership = Table(
    "category_membership",
    metadata,
    Column("category_id", Id, primary_key=True, autoincrement=False),
    Column("removed_revision", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_to", BigInteger, primary_key=True, autoincrement=False),
    Column("asset_id", Id, primary_key=True, autoincrement=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("added_revision", Integer, nullable=False),
    Column("weight", Float),
    Index("ix_category_membership_asset_id", "asset_id", "category_id"),
    sqlite_with_rowid=False,
)
"""Validity intervals. At one revision an asset has at most one row that ends at a given time, hence the key."""

category_reference = Table(
    "category_reference",
    metadata,
    Column("category_id", ForeignKey("category.id"), primary_key=True, autoincrement=False),
    Column("referrer_kind", text_of(50), primary_key=True),
    Column("referrer", text_of(255), primary_key=True),
    Column("registered_at", BigInteger, nullable=False),
    Column("about", JSON),
)

translation_table = _noun("translation_table", *_shareable())

translation_rule = Table(
    "translation_rule",
    metadata,
    _id(),
    Column("translation_table_id", ForeignKey("translation_table.id"), nullable=False, index=True),
    Column("asset_filter", JSON, nullable=False),
    Column("markets_time_serie_unique_identifier", text_of(255), nullable=False),
    Column("target_exchange_code", text_of(50)),
    Column("default_column_name", text_of(255)),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

series = _noun(
    "series",
    Column("storage_name", text_of(255), nullable=False, unique=True),
    Column("schema_json", JSON, nullable=False),
    Column("frequency", text_of(50)),
    Column("description", text_of(4_000)),
    Column("metadata_json", JSON, nullable=False),
)

portfolio = _noun(
    "portfolio",
    Column("display_name", text_of(255), nullable=False),
    Column("description", text_of(4_000)),
    Column("index_asset_id", ForeignKey("asset.id"), nullable=False),
    Column("calendar_name", text_of(50)),
    Column("values_series", text_of(255)),
    Column("weights_series", text_of(255)),
    Column("signal_series", text_of(255)),
    Column("backtest_table_price_column_name", text_of(255), nullable=False),
    Column("builds_from_target_weights", Boolean, nullable=False),
    Column("builds_from_target_positions", Boolean, nullable=False),
    Column("about", JSON, nullable=False),
    Column("configuration", JSON, nullable=False),
    Column("manifest", JSON, nullable=False),
    *_shareable(),
)

portfolio_venue = Table(
    "portfolio_venue",
    metadata,
    Column("portfolio_id", ForeignKey("portfolio.id"), primary_key=True, autoincrement=False),
    Column("venue_id", Id, primary_key=True, autoincrement=False),
)

portfolio_group = _noun(
    "portfolio_group",
    Column("display_name", text_of(255), nullable=False),
    Column("source", text_of(255), nullable=False),
    Column("description", text_of(4_000)),
)

portfolio_group_member = Table(
    "portfolio_group_member",
    metadata,
    Column("portfolio_group_id", ForeignKey("portfolio_group.id"), primary_key=True, autoincrement=False),
    Column("portfolio_id", ForeignKey("portfolio.id"), primary_key=True, autoincrement=False),
)

user = Table(
    "platform_user",
    metadata,
    _id(),
    _organization(),
    Column("name", text_of(128), nullable=False, unique=True),
    Column("role", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

access_token = Table(
    "access_token",
    metadata,
    _id(),
    Column("user_id", ForeignKey("platform_user.id"), nullable=False, index=True),
    Column("secret_hash", text_of(64), nullable=False, unique=True),
    Column("label", text_of(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)
"""Tokens, by the SHA-256 of their secrets, which hold 256 bits of chance each."""

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("organization_id", Id, primary_key=True, autoincrement=False),
    Column("actor", text_of(128), primary_key=True),
    Column("key", text_of(255), primary_key=True),
    Column("fingerprint", text_of(64), nullable=False),
    Column("recorded_at", BigInteger, nullable=False, index=True),
    Column("answer", Text),
)
"""Writes that were carried out under a key, and what they answered."""

Index(
    "ix_asset_snapshot_current",
    asset_snapshot.c.asset_id,
    unique=True,
    sqlite_where=text(f"effective_to = {MAX_MICROS}"),
    postgresql_where=text(f"effective_to = {MAX_MICROS}"),
)
