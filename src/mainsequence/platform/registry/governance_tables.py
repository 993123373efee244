"""The tables of governed universes: their guards, changes that wait for approval, and the names they once had."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table

from mainsequence.platform.registry.tables import Id, metadata, text_of

category_guard = Table(
    "category_guard",
    metadata,
    Column("category_id", ForeignKey("category.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", text_of(255), nullable=False),
    Column("reason", text_of(4_000)),
    Column("guards", JSON, nullable=False),
)
"""The guards of a universe after each change of them; the last one holds."""

change_request = Table(
    "change_request",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("author", text_of(255), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content_hash", text_of(64), nullable=False),
    Column("change", JSON, nullable=False),
    Column("enters", Integer, nullable=False),
    Column("leaves", Integer, nullable=False),
    Column("announcements", Integer, nullable=False, server_default="0"),
    Column("decided", JSON(none_as_null=True)),
    Column("defined", JSON(none_as_null=True)),
    Column("reason", text_of(4_000)),
    Column("force", Boolean, nullable=False),
    Column("status", text_of(20), nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", text_of(255)),
    Column("comment", text_of(4_000)),
    Column("applied_revision", Integer),
    Index("ix_change_request_category_id_status", "category_id", "status"),
    sqlite_autoincrement=True,
)
"""Changes of universes that wait for somebody else's approval, and what became of them. ``change`` is all that is asked
for; ``announcements``, ``decided`` and ``defined`` say in short what of it is more than rows."""

category_alias = Table(
    "category_alias",
    metadata,
    Column("organization_id", ForeignKey("organization.id"), primary_key=True, autoincrement=False),
    Column("unique_identifier", text_of(255), primary_key=True),
    Column("category_id", ForeignKey("category.id"), nullable=False, index=True),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", text_of(255), nullable=False),
)
"""Names that a universe had before it was renamed; they lead to it and cannot be taken."""
