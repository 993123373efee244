"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

NO_OVERLAP = """
    ALTER TABLE category_membership ADD CONSTRAINT ex_category_membership_validity EXCLUDE USING gist (
        int8range(asset_id, asset_id, '[]') WITH &&,
        int8range(category_id, category_id, '[]') WITH &&,
        int8range(valid_from, valid_to) WITH &&
    ) WHERE (removed_revision = 2305843009213693952)
"""
"""At the head, the intervals of one asset in one universe never overlap. Ids are compared as ranges of one value, which
needs no extension (btree_gist is not everywhere)."""


def text_of(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "category_membership",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("removed_revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("valid_to", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset_id", ID, autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("added_revision", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint(
            "category_id", "removed_revision", "valid_to", "asset_id", name=op.f("pk_category_membership")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("category_membership", schema=None) as batch_op:
        batch_op.create_index("ix_category_membership_asset_id", ["asset_id", "category_id"], unique=False)

    op.create_table(
        "organization",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", text_of(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("name", name=op.f("uq_organization_name")),
    )
    op.create_table(
        "asset",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("figi", text_of(12), nullable=True),
        sa.Column("composite", text_of(12), nullable=True),
        sa.Column("share_class", text_of(12), nullable=True),
        sa.Column("isin", text_of(12), nullable=True),
        sa.Column("security_type", text_of(50), nullable=True),
        sa.Column("security_type_2", text_of(50), nullable=True),
        sa.Column("security_market_sector", text_of(50), nullable=True),
        sa.Column("is_tradable", sa.Boolean(), nullable=False),
        sa.Column("is_custom_by_organization", sa.Boolean(), nullable=False),
        sa.Column("calendar_name", text_of(50), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_asset_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint(
            "organization_id", "unique_identifier", name=op.f("uq_asset_organization_id_unique_identifier")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_composite"), ["composite"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_figi"), ["figi"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_isin"), ["isin"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_share_class"), ["share_class"], unique=False)

    op.create_table(
        "category",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("display_name", text_of(255), nullable=False),
        sa.Column("description", text_of(4000), nullable=True),
        sa.Column("dated", sa.Boolean(), nullable=False),
        sa.Column("head_revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_category_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint(
            "organization_id", "unique_identifier", name=op.f("uq_category_organization_id_unique_identifier")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "portfolio_group",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("display_name", text_of(255), nullable=False),
        sa.Column("source", text_of(255), nullable=False),
        sa.Column("description", text_of(4000), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_portfolio_group_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio_group")),
        sa.UniqueConstraint(
            "organization_id", "unique_identifier", name=op.f("uq_portfolio_group_organization_id_unique_identifier")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "series",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("storage_name", text_of(255), nullable=False),
        sa.Column("schema_json", sa.JSON(), nullable=False),
        sa.Column("frequency", text_of(50), nullable=True),
        sa.Column("description", text_of(4000), nullable=True),
        sa.Column("metadata_json", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_series_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint(
            "organization_id", "unique_identifier", name=op.f("uq_series_organization_id_unique_identifier")
        ),
        sa.UniqueConstraint("storage_name", name=op.f("uq_series_storage_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "translation_table",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_translation_table_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_translation_table")),
        sa.UniqueConstraint(
            "organization_id", "unique_identifier", name=op.f("uq_translation_table_organization_id_unique_identifier")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "asset_pricing",
        sa.Column("asset_id", ID, autoincrement=False, nullable=False),
        sa.Column("instrument_dump", sa.JSON(), nullable=False),
        sa.Column("pricing_details_date", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_pricing_asset_id")),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_asset_pricing")),
    )
    op.create_table(
        "asset_snapshot",
        sa.Column("asset_id", ID, autoincrement=False, nullable=False),
        sa.Column("effective_to", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.BigInteger(), nullable=False),
        sa.Column("name", text_of(255), nullable=False),
        sa.Column("ticker", text_of(50), nullable=True),
        sa.Column("exchange_code", text_of(50), nullable=True),
        sa.Column("asset_ticker_group_id", text_of(12), nullable=True),
        sa.Column("venue_specific_properties", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_asset_snapshot_asset_id")),
        sa.PrimaryKeyConstraint("asset_id", "effective_to", name=op.f("pk_asset_snapshot")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("asset_snapshot", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_asset_snapshot_asset_ticker_group_id"), ["asset_ticker_group_id"], unique=False
        )
        batch_op.create_index(
            "ix_asset_snapshot_current",
            ["asset_id"],
            unique=True,
            sqlite_where=sa.text("effective_to = 2305843009213693952"),
            postgresql_where=sa.text("effective_to = 2305843009213693952"),
        )
        batch_op.create_index(batch_op.f("ix_asset_snapshot_exchange_code"), ["exchange_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_snapshot_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_asset_snapshot_ticker"), ["ticker"], unique=False)

    op.create_table(
        "category_reference",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("referrer_kind", text_of(50), nullable=False),
        sa.Column("referrer", text_of(255), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_reference_category_id")),
        sa.PrimaryKeyConstraint("category_id", "referrer_kind", "referrer", name=op.f("pk_category_reference")),
    )
    op.create_table(
        "category_revision",
        sa.Column("category_id", ID, autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", text_of(255), nullable=False),
        sa.Column("operation", text_of(50), nullable=False),
        sa.Column("reason", text_of(4000), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("content_hash", text_of(64), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_revision_category_id")),
        sa.PrimaryKeyConstraint("category_id", "revision", name=op.f("pk_category_revision")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "portfolio",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("unique_identifier", text_of(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("display_name", text_of(255), nullable=False),
        sa.Column("description", text_of(4000), nullable=True),
        sa.Column("index_asset_id", ID, nullable=False),
        sa.Column("calendar_name", text_of(50), nullable=True),
        sa.Column("values_series", text_of(255), nullable=True),
        sa.Column("weights_series", text_of(255), nullable=True),
        sa.Column("signal_series", text_of(255), nullable=True),
        sa.Column("backtest_table_price_column_name", text_of(255), nullable=False),
        sa.Column("builds_from_target_weights", sa.Boolean(), nullable=False),
        sa.Column("builds_from_target_positions", sa.Boolean(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("configuration", sa.JSON(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["index_asset_id"], ["asset.id"], name=op.f("fk_portfolio_index_asset_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_portfolio_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio")),
        sa.UniqueConstraint(
            "organization_id", "unique_identifier", name=op.f("uq_portfolio_organization_id_unique_identifier")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "translation_rule",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("translation_table_id", ID, nullable=False),
        sa.Column("asset_filter", sa.JSON(), nullable=False),
        sa.Column("markets_time_serie_unique_identifier", text_of(255), nullable=False),
        sa.Column("target_exchange_code", text_of(50), nullable=True),
        sa.Column("default_column_name", text_of(255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["translation_table_id"], ["translation_table.id"], name=op.f("fk_translation_rule_translation_table_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_translation_rule")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("translation_rule", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_translation_rule_translation_table_id"), ["translation_table_id"], unique=False
        )

    op.create_table(
        "portfolio_group_member",
        sa.Column("portfolio_group_id", ID, autoincrement=False, nullable=False),
        sa.Column("portfolio_id", ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["portfolio_group_id"], ["portfolio_group.id"], name=op.f("fk_portfolio_group_member_portfolio_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_portfolio_group_member_portfolio_id")
        ),
        sa.PrimaryKeyConstraint("portfolio_group_id", "portfolio_id", name=op.f("pk_portfolio_group_member")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(NO_OVERLAP)
    op.execute("INSERT INTO organization (name) VALUES ('local')")


def downgrade() -> None:
    op.drop_table("portfolio_group_member")
    with op.batch_alter_table("translation_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_translation_rule_translation_table_id"))

    op.drop_table("translation_rule")
    op.drop_table("portfolio")
    op.drop_table("category_revision")
    op.drop_table("category_reference")
    with op.batch_alter_table("asset_snapshot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asset_snapshot_ticker"))
        batch_op.drop_index(batch_op.f("ix_asset_snapshot_name"))
        batch_op.drop_index(batch_op.f("ix_asset_snapshot_exchange_code"))
        batch_op.drop_index(
            "ix_asset_snapshot_current",
            sqlite_where=sa.text("effective_to = 2305843009213693952"),
            postgresql_where=sa.text("effective_to = 2305843009213693952"),
        )
        batch_op.drop_index(batch_op.f("ix_asset_snapshot_asset_ticker_group_id"))

    op.drop_table("asset_snapshot")
    op.drop_table("asset_pricing")
    op.drop_table("translation_table")
    op.drop_table("series")
    op.drop_table("portfolio_group")
    op.drop_table("category")
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asset_share_class"))
        batch_op.drop_index(batch_op.f("ix_asset_isin"))
        batch_op.drop_index(batch_op.f("ix_asset_figi"))
        batch_op.drop_index(batch_op.f("ix_asset_composite"))

    op.drop_table("asset")
    op.drop_table("organization")
    with op.batch_alter_table("category_membership", schema=None) as batch_op:
        batch_op.drop_index("ix_category_membership_asset_id")

    op.drop_table("category_membership")
