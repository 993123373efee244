"""When a change of membership was announced."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "category_announcement",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("asset_id", ID, autoincrement=False, nullable=False),
        sa.Column("effective_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("announced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "category_id", "asset_id", "effective_at", "recorded_at", name=op.f("pk_category_announcement")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("category_announcement")
