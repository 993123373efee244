"""What assets were classified as before: their types and sector, which a change used to overwrite."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "asset_classification",
        sa.Column(
            "asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("effective_to", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.BigInteger(), nullable=False),
        sa.Column("security_type", text_of(50)),
        sa.Column("security_type_2", text_of(50)),
        sa.Column("security_market_sector", text_of(50)),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_classification_asset_id")),
        sa.PrimaryKeyConstraint("asset_id", "effective_to", name=op.f("pk_asset_classification")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("asset_classification")
