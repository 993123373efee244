"""The table of the audit log: one row for each write that changed something."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from mainsequence.platform.registry.tables import Id, metadata, text_of

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", text_of(255), nullable=False),
    Column("operation", text_of(100), nullable=False),
    Column("object_id", Id),
    Column("unique_identifier", text_of(255)),
    Column("objects", Integer, nullable=False),
    Column("revision", BigInteger),
    Column("reason", text_of(4_000)),
    Column("details", text_of(4_000)),
    Column("carrier", text_of(20), nullable=False),
    Column("client", text_of(255)),
    Column("request_id", text_of(64)),
    Column("outcome", text_of(20), nullable=False),
    Index("ix_audit_entry_organization_id_recorded_at", "organization_id", "recorded_at"),
    sqlite_autoincrement=True,
)
"""Nothing refers to what it names: a line outlives the object that it is about."""
