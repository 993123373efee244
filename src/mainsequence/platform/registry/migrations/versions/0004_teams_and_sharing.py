"""Teams, what is shared with whom, and who owns what can be shared."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SHAREABLE = ("category", "translation_table", "portfolio")


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    for table in SHAREABLE:
        op.add_column(table, sa.Column("owner", text_of(255), nullable=True))
        op.add_column(table, sa.Column("is_private", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "team",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", text_of(128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_team_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_team_organization_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["platform_user.id"], name=op.f("fk_team_member_user_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_user_id", "team_member", ["user_id"], unique=False)
    op.create_table(
        "sharing_grant",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", text_of(50), nullable=False),
        sa.Column("object_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("rights", sa.Integer(), nullable=False),
        sa.Column("granted_by", text_of(255), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (team_id IS NULL)", name=op.f("ck_sharing_grant_one_grantee")),
        sa.ForeignKeyConstraint(["user_id"], ["platform_user.id"], name=op.f("fk_sharing_grant_user_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_sharing_grant_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_grant")),
        sa.UniqueConstraint("kind", "object_id", "team_id", name=op.f("uq_sharing_grant_kind_object_id_team_id")),
        sa.UniqueConstraint("kind", "object_id", "user_id", name=op.f("uq_sharing_grant_kind_object_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sharing_grant_team_id", "sharing_grant", ["team_id"], unique=False)
    op.create_index("ix_sharing_grant_user_id", "sharing_grant", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("sharing_grant")
    op.drop_table("team_member")
    op.drop_table("team")
    for table in SHAREABLE:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("is_private")
            batch.drop_column("owner")
