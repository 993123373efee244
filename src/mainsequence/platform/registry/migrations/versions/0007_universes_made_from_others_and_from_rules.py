"""Universes made from others and from rules: definitions, what they read, and runs of rules."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("category", sa.Column("kind", text_of(20), nullable=False, server_default="members"))
    op.create_table(
        "category_definition",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_definition_category_id")),
        sa.PrimaryKeyConstraint("category_id", "revision", name=op.f("pk_category_definition")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "category_operand",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("operand_id", ID, nullable=False),
        sa.Column("pinned_revision", sa.BigInteger(), nullable=True),
        sa.Column("pinned_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_operand_category_id")),
        sa.ForeignKeyConstraint(["operand_id"], ["category.id"], name=op.f("fk_category_operand_operand_id")),
        sa.PrimaryKeyConstraint("category_id", "revision", "position", name=op.f("pk_category_operand")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_category_operand_operand_id"), "category_operand", ["operand_id"], unique=False)
    op.create_table(
        "rule_run",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("category_id", ID, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("rule_hash", text_of(64), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_rule_run_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_run")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rule_run_category_id_last", "rule_run", ["category_id", "last"], unique=False)


def downgrade() -> None:
    for table in ("rule_run", "category_operand", "category_definition"):
        op.drop_table(table)
    op.drop_column("category", "kind")
