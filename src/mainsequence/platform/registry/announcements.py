"""Announcements in SQL: when the bounds of memberships were made known, the note recorded last counting."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, and_, func, insert, select

from mainsequence.compute.intervals import Ints
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.platform.registry.announcement_tables import category_announcement
from mainsequence.platform.registry.sets import row_set
from mainsequence.platform.registry.tables import category_membership, category_revision

_notes = category_announcement.c


@dataclass(frozen=True, slots=True)
class Announcements:
    """Columns of equal length: whose membership changes, when, since when that was known, and when we recorded so."""

    asset: Ints
    effective_at: Ints
    announced_at: Ints
    recorded_at: Ints

    def __len__(self) -> int:
        return len(self.asset)


_NONE = np.zeros(0, dtype=np.int64)
NOTHING = Announcements(_NONE, _NONE, _NONE, _NONE)
"""No announcement."""


def read(connection: Connection, category_id: int) -> Announcements:
    """Give what is noted of a universe, sorted by asset and time."""
    latest = func.row_number().over(
        partition_by=(_notes.asset_id, _notes.effective_at), order_by=_notes.recorded_at.desc()
    )
    columns = (_notes.asset_id, _notes.effective_at, _notes.announced_at, _notes.recorded_at)
    ranked = select(*columns, latest.label("place")).where(_notes.category_id == category_id).subquery()
    query = select(*(ranked.c[column.name] for column in columns)).where(ranked.c.place == 1)
    rows = connection.execute(query.order_by(ranked.c.asset_id, ranked.c.effective_at)).fetchall()
    found = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 4)
    return Announcements(*(found[:, place] for place in range(4)))


def unknown(present: Announcements, noted: Announcements) -> Announcements:
    """Give those of some notes that are not noted so already, each bound once, sorted by asset and time."""
    known = set(zip(present.asset.tolist(), present.effective_at.tolist(), present.announced_at.tolist(), strict=True))
    asked = zip(noted.asset.tolist(), noted.effective_at.tolist(), noted.announced_at.tolist(), strict=True)
    fresh = {(asset, at): announced for asset, at, announced in asked if (asset, at, announced) not in known}
    bounds = sorted(fresh)
    return Announcements(
        np.array([asset for asset, _ in bounds], dtype=np.int64),
        np.array([at for _, at in bounds], dtype=np.int64),
        np.array([fresh[bound] for bound in bounds], dtype=np.int64),
        np.zeros(len(bounds), dtype=np.int64),
    )


def newest(connection: Connection, category_id: int) -> int:
    """Give when something was last noted of a universe; what is noted next is recorded later, so that it counts."""
    found = connection.scalar(select(func.max(_notes.recorded_at)).where(_notes.category_id == category_id))
    return MIN_MICROS if found is None else int(found)


def write(connection: Connection, category_id: int, fresh: Announcements, recorded_at: int) -> None:
    """Note when changes were announced; the caller knows that they are `unknown`, and a time later than all others."""
    if not len(fresh):
        return
    columns = {
        "asset_id": fresh.asset,
        "effective_at": fresh.effective_at,
        "announced_at": fresh.announced_at,
        "category_id": np.full(len(fresh), category_id),
        "recorded_at": np.full(len(fresh), recorded_at),
    }
    connection.execute(insert(category_announcement).from_select(list(columns), row_set(connection, columns)))


def recorded(connection: Connection, category_id: int, after: int) -> dict[tuple[int, int], int]:
    """Give when each bound of a membership that lies after a time was first recorded: by asset and bound, microseconds.

    Bounds of rows that no longer hold are among them.
    """
    row, revision = category_membership.c, category_revision.c
    joined = category_membership.join(
        category_revision, and_(revision.category_id == row.category_id, revision.revision == row.added_revision)
    )
    found: dict[tuple[int, int], int] = {}
    for bound in (row.valid_from, row.valid_to):
        query = select(row.asset_id, bound, func.min(revision.recorded_at)).select_from(joined)
        ahead = (row.category_id == category_id, bound > after, bound < MAX_MICROS)
        for asset_id, at, first in connection.execute(query.where(*ahead).group_by(row.asset_id, bound)):
            found[asset_id, at] = min(first, found.get((asset_id, at), first))
    return found
