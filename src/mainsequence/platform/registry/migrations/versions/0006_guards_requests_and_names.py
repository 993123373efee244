"""Guards, change requests, deprecation and former names of universes; what readers tell of themselves."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


COLUMNS: dict[str, dict[str, Any]] = {
    "category": {"deprecated_at": sa.BigInteger(), "deprecation_reason": text_of(4_000), "successor": text_of(255)},
    "category_revision": {"approved_by": text_of(255)},
    "category_reference": {"about": sa.JSON()},
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "category_guard",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", text_of(255), nullable=False),
        sa.Column("reason", text_of(4_000), nullable=True),
        sa.Column("guards", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_guard_category_id")),
        sa.PrimaryKeyConstraint("category_id", "number", name=op.f("pk_category_guard")),
    )
    op.create_table(
        "change_request",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("category_id", ID, nullable=False),
        sa.Column("author", text_of(255), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", text_of(64), nullable=False),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("enters", sa.Integer(), nullable=False),
        sa.Column("leaves", sa.Integer(), nullable=False),
        sa.Column("reason", text_of(4_000), nullable=True),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("status", text_of(20), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", text_of(255), nullable=True),
        sa.Column("comment", text_of(4_000), nullable=True),
        sa.Column("applied_revision", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_change_request_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_request")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_request_category_id_status", "change_request", ["category_id", "status"], unique=False)
    op.create_table(
        "category_alias",
        sa.Column("organization_id", ID, autoincrement=False, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("category_id", ID, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", text_of(255), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_alias_category_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_category_alias_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "unique_identifier", name=op.f("pk_category_alias")),
    )
    op.create_index("ix_category_alias_category_id", "category_alias", ["category_id"], unique=False)


def downgrade() -> None:
    op.drop_table("category_alias")
    op.drop_table("change_request")
    op.drop_table("category_guard")
    for table, columns in reversed(COLUMNS.items()):
        with op.batch_alter_table(table) as batch:
            for name in columns:
                batch.drop_column(name)
