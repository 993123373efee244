"""The newest time given to a revision of an organization: the next one is later, whoever writes it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change_feed", sa.Column("recorded_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE change_feed SET recorded_at = COALESCE((SELECT MAX(category_revision.recorded_at)"
        " FROM category_revision JOIN category ON category.id = category_revision.category_id"
        " WHERE category.organization_id = change_feed.organization_id), 0)"
    )


def downgrade() -> None:
    with op.batch_alter_table("change_feed") as batch:
        batch.drop_column("recorded_at")
