"""An index of the spells that end, by how long they are: who was a member then is found in any length of history.

On SQLite alone, which does not compare indexes of expressions with the tables; PostgreSQL reads a range of the key.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SPELL_CLASS = (
    "(CASE "
    + " ".join(f"WHEN valid_to - valid_from <= {86_400_000_000 * 4**power} THEN {power}" for power in range(7))
    + " ELSE 7 END)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE INDEX ix_category_membership_spell ON category_membership (category_id, removed_revision, "
            f"{SPELL_CLASS}, valid_to, valid_from, asset_id) WHERE valid_to != 2305843009213693952"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_category_membership_spell", "category_membership")
