"""The audit log: who changed what, when, why and from where."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", text_of(255), nullable=False),
        sa.Column("operation", text_of(100), nullable=False),
        sa.Column("object_id", ID, nullable=True),
        sa.Column("unique_identifier", text_of(255), nullable=True),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("reason", text_of(4_000), nullable=True),
        sa.Column("carrier", text_of(20), nullable=False),
        sa.Column("client", text_of(255), nullable=True),
        sa.Column("request_id", text_of(64), nullable=True),
        sa.Column("outcome", text_of(20), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_audit_entry_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_audit_entry_organization_id_recorded_at", "audit_entry", ["organization_id", "recorded_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("audit_entry")
