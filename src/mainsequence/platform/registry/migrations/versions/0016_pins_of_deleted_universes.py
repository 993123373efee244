"""Identifiers of universes that were deleted: a later universe of that name goes on counting behind their revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

REMEMBER = """
INSERT INTO former_category (organization_id, unique_identifier, last_revision)
SELECT organization_id, unique_identifier, MAX(revision) FROM category_change
WHERE kind = 'deleted' GROUP BY organization_id, unique_identifier HAVING MAX(revision) > 0
"""


def upgrade() -> None:
    op.create_table(
        "former_category",
        sa.Column("organization_id", ID, autoincrement=False, nullable=False),
        sa.Column("unique_identifier", sa.String(255), nullable=False),
        sa.Column("last_revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_former_category_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "unique_identifier", name=op.f("pk_former_category")),
    )
    op.add_column("category", sa.Column("first_revision", sa.Integer(), server_default="0", nullable=False))
    op.execute(REMEMBER)


def downgrade() -> None:
    with op.batch_alter_table("category") as batch:
        batch.drop_column("first_revision")
    op.drop_table("former_category")
