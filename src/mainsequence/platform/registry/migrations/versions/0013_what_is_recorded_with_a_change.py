"""What is recorded with a change of members: announcements, and in requests what a rule decided."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("category_revision", sa.Column("announced", sa.Integer(), nullable=True))
    op.add_column("change_request", sa.Column("announcements", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("change_request", sa.Column("decided", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("change_request") as batch:
        batch.drop_column("decided")
        batch.drop_column("announcements")
    op.drop_column("category_revision", "announced")
