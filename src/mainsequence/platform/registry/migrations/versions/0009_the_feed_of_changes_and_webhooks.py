"""The feed of changes, and webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "change_feed",
        sa.Column("organization_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_change_feed_organization_id")),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_change_feed")),
    )
    op.create_table(
        "category_change",
        sa.Column("organization_id", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", text_of(50), nullable=False),
        sa.Column("category_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", text_of(255), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("operation", text_of(50), nullable=True),
        sa.Column("reason", text_of(4_000), nullable=True),
        sa.Column("added", sa.Integer(), nullable=True),
        sa.Column("removed", sa.Integer(), nullable=True),
        sa.Column("content_hash", text_of(64), nullable=True),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "position", name=op.f("pk_category_change")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_category_change_category_id", "category_change", ["category_id"], unique=False)
    op.create_table(
        "webhook",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("url", text_of(2_000), nullable=False),
        sa.Column("secret", text_of(255), nullable=False),
        sa.Column("description", text_of(4_000), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("category_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", text_of(255), nullable=False),
        sa.Column("status", text_of(20), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("last_delivery_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("lease", text_of(64), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_webhook_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_organization_id", "webhook", ["organization_id"], unique=False)
    _publish_the_past()


def _publish_the_past() -> None:
    """Let the feed begin with what was recorded before there was one: creations and revisions, in their order."""
    op.execute(
        """
        INSERT INTO category_change (organization_id, position, kind, category_id, unique_identifier, recorded_at,
            actor, revision, operation, reason, added, removed, content_hash, is_private)
        SELECT organization_id,
            row_number() OVER (PARTITION BY organization_id ORDER BY recorded_at, category_id, revision),
            kind, category_id, unique_identifier, recorded_at, actor, revision, operation, reason, added, removed,
            content_hash, is_private
        FROM (
            SELECT organization_id, 'created' AS kind, id AS category_id, unique_identifier,
                created_at AS recorded_at, '' AS actor, 0 AS revision, NULL AS operation, NULL AS reason,
                NULL AS added, NULL AS removed, NULL AS content_hash, is_private
            FROM category
            UNION ALL
            SELECT c.organization_id, 'changed', c.id, c.unique_identifier, r.recorded_at, r.actor, r.revision,
                r.operation, r.reason, r.added, r.removed, r.content_hash, c.is_private
            FROM category_revision r JOIN category c ON c.id = r.category_id
        ) AS past
        """
    )
    op.execute(
        """
        INSERT INTO change_feed (organization_id, position)
        SELECT organization_id, count(*) FROM category_change GROUP BY organization_id
        """
    )


def downgrade() -> None:
    op.drop_table("webhook")
    op.drop_table("category_change")
    op.drop_table("change_feed")
