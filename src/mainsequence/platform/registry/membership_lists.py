"""The members of many universes in one statement."""

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection, func, select

from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import NEVER, category_membership

row = category_membership.c


def asset_ids_of(connection: Connection, category_ids: Iterable[int], time: int) -> dict[int, list[int]]:
    """Give the ids of the members at the heads of some universes at a time, sorted; empty ones are left out."""
    packed = connection.dialect.name == "sqlite"  # which hands one JSON text over much faster than rows
    ids = (func.json_group_array if packed else func.array_agg)(row.asset_id)
    now = (row.removed_revision == NEVER, row.valid_to > time, row.valid_from <= time)
    query = select(row.category_id, ids).where(within(connection, row.category_id, category_ids), *now)
    found = connection.execute(query.group_by(row.category_id))
    return {key: sorted(orjson.loads(members) if packed else members) for key, members in found}
