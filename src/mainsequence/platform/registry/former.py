"""Identifiers of universes that were deleted, in SQL: no later universe of that name repeats their revisions."""

from sqlalchemy import Connection, case, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from mainsequence.platform.registry.governance_tables import category_alias
from mainsequence.platform.registry.tables import category, former_category

held = former_category.c


def last_revision(connection: Connection, organization_id: int, unique_identifier: str) -> int:
    """Give the last revision that a deleted universe had under an identifier; 0 where there was none."""
    one = (held.organization_id == organization_id, held.unique_identifier == unique_identifier)
    return int(connection.scalar(select(held.last_revision).where(*one)) or 0)


def first_revision(connection: Connection, category_id: int) -> int:
    """Give the number from which a universe counts: as it was created, without members."""
    return int(connection.scalar(select(category.c.first_revision).where(category.c.id == category_id)) or 0)


def remember(connection: Connection, category_id: int) -> None:
    """Note the present and former identifiers of a universe that is about to be deleted, with its last revision."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    mine = category.c.id == category_id
    present = select(category.c.organization_id, category.c.unique_identifier, category.c.head_revision).where(mine)
    before = select(category_alias.c.organization_id, category_alias.c.unique_identifier, category.c.head_revision)
    before = before.where(mine, category_alias.c.category_id == category.c.id)
    names = union_all(present, before).subquery()
    adding = insert(former_category).from_select(
        ["organization_id", "unique_identifier", "last_revision"],
        select(names).where(names.c.head_revision > 0),
    )
    new = adding.excluded.last_revision
    later = case((new > held.last_revision, new), else_=held.last_revision)
    keys = ["organization_id", "unique_identifier"]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_={"last_revision": later}))
