"""A whole ledger in columns, for those who check it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sqlalchemy import Connection, RowMapping, String, cast, func, or_, select

from mainsequence.compute.intervals import Intervals
from mainsequence.compute.ledger_checks import Recorded
from mainsequence.platform.registry.ledger import row
from mainsequence.platform.registry.tables import category, category_membership, category_revision

_NUMBERS = (row.asset_id, row.valid_from, row.valid_to, row.added_revision, row.removed_revision)
AT_ONCE = 200_000


def head_revision(connection: Connection, category_id: int) -> Any:
    """Read what the universe says its newest revision is."""
    return connection.scalar(select(category.c.head_revision).where(category.c.id == category_id))


def revisions(connection: Connection, category_id: int) -> list[RowMapping]:
    """Read every revision as it is stored, in the order of their numbers."""
    mine = category_revision.c.category_id == category_id
    found = connection.execute(select(category_revision).where(mine).order_by(category_revision.c.revision))
    return list(found.mappings())


def misshapen(connection: Connection, category_id: int) -> int:
    """Count the rows that hold what the platform never writes: other types (SQLite has them), weights that are NaN."""
    if connection.dialect.name == "sqlite":
        strange = [func.typeof(column) != "integer" for column in _NUMBERS]
        strange.append(func.typeof(row.weight).not_in(("real", "null")))
    else:
        strange = [cast(row.weight, String()) == "NaN"]
    counted = select(func.count()).select_from(category_membership)
    return int(connection.scalar(counted.where(row.category_id == category_id, or_(*strange))) or 0)


def everything(connection: Connection, category_id: int) -> Recorded:
    """Read every row that was ever recorded for a universe."""
    query = select(*_NUMBERS, row.weight).where(row.category_id == category_id)
    parts = list(_parts(connection, query))
    asset, start, end, added, removed = (
        np.concatenate([part[place] for part in parts] or [np.empty(0, np.int64)]) for place in range(len(_NUMBERS))
    )
    weight = np.concatenate([part[-1] for part in parts] or [np.empty(0)])
    return Recorded(Intervals(asset, start, end, weight), added, removed)


def _parts(connection: Connection, query: Any) -> Iterator[list[Any]]:
    for part in connection.execute(query).partitions(AT_ONCE):
        *numbers, weight = zip(*part, strict=True)
        yield [*(np.array(column, dtype=np.int64) for column in numbers), np.array(weight, dtype=np.float64)]
