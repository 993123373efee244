"""The tables of the change feed and of the webhooks that carry it elsewhere."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text

from mainsequence.platform.registry.tables import Id, metadata, text_of

change_feed = Table(
    "change_feed",
    metadata,
    Column("organization_id", ForeignKey("organization.id"), primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False, server_default="0"),
)
"""How far the feed of each organization reaches, and the newest time that was given to a revision there. Its row is
held from the moment a position is taken until the transaction ends, so that positions and times appear in the order in
which they were given, positions without gaps."""

category_change = Table(
    "category_change",
    metadata,
    Column("organization_id", Id, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", text_of(50), nullable=False),
    Column("category_id", Id, nullable=False, index=True),
    Column("unique_identifier", text_of(255), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", text_of(255), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("operation", text_of(50)),
    Column("reason", text_of(4_000)),
    Column("added", Integer),
    Column("removed", Integer),
    Column("content_hash", text_of(64)),
    Column("is_private", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""What happened to universes. Nothing refers to what it names: an event outlives the universe that it is about."""

webhook = Table(
    "webhook",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False, index=True),
    Column("url", text_of(2_000), nullable=False),
    Column("secret", text_of(255), nullable=False),
    Column("description", text_of(4_000)),
    Column("kinds", JSON, nullable=False),
    Column("category_ids", JSON(none_as_null=True)),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", text_of(255), nullable=False),
    Column("status", text_of(20), nullable=False),
    Column("status_reason", Text),
    Column("position", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", BigInteger),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("last_delivery_at", BigInteger),
    Column("last_error", Text),
    Column("lease", text_of(64)),
    Column("leased_until", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""Who is told of changes: ``position`` is how far of the feed each has received."""
