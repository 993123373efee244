"""The venues that a portfolio is traded on."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "portfolio_venue",
        sa.Column("portfolio_id", ID, autoincrement=False, nullable=False),
        sa.Column("venue_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["portfolio_id"], ["portfolio.id"], name=op.f("fk_portfolio_venue_portfolio_id")),
        sa.PrimaryKeyConstraint("portfolio_id", "venue_id", name=op.f("pk_portfolio_venue")),
    )


def downgrade() -> None:
    op.drop_table("portfolio_venue")
