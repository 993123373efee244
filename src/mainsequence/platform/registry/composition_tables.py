"""The tables of universes made from others, and from rules: definitions, what they read, and runs of rules."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from mainsequence.platform.registry.tables import Id, metadata, text_of

category_definition = Table(
    "category_definition",
    metadata,
    Column("category_id", ForeignKey("category.id"), primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What a universe is made by: an expression or a rule, in force from a revision to the next one that has a row here."""

category_operand = Table(
    "category_operand",
    metadata,
    Column("category_id", ForeignKey("category.id"), primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("operand_id", ForeignKey("category.id"), nullable=False, index=True),
    Column("pinned_revision", BigInteger),
    Column("pinned_at", BigInteger),
    sqlite_with_rowid=False,
)
"""The universes that a definition names, by id, in the order named."""

rule_run = Table(
    "rule_run",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("category_id", ForeignKey("category.id"), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("rule_hash", text_of(64), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("inputs", Text, nullable=False),
    Index("ix_rule_run_category_id_last", "category_id", "last"),
    sqlite_autoincrement=True,
)
"""Which effective dates of a rule were decided when, and from what."""
