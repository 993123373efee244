"""The membership ledger in SQL: validity intervals, each stamped with the revisions that added and removed it.

Nothing is deleted, and of a row only ``removed_revision`` ever changes, once. DESIGN section 3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
    update,
)

from mainsequence.compute.intervals import Change, Intervals, Ints, concatenate
from mainsequence.domain.access import Actor
from mainsequence.domain.explanations import Row
from mainsequence.domain.times import MAX_MICROS, MICROS_PER_DAY, MIN_MICROS
from mainsequence.platform.registry.sets import large_join, row_set, within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import NEVER, asset, category, category_membership

row = category_membership.c

SPELLS = tuple(MICROS_PER_DAY * 4**power for power in range(7))
"""The classes of spells that end: up to so many microseconds; longer ones are the last class."""

SPELL_CLASS = (
    "(CASE "
    + " ".join(f"WHEN valid_to - valid_from <= {width} THEN {number}" for number, width in enumerate(SPELLS))
    + f" ELSE {len(SPELLS)} END)"
)
"""The class of a spell. Those of a class that hold at a time end soon after it, which is what an index can find."""


@dataclass(frozen=True, slots=True)
class State:
    """One recorded state of one universe; ``revision`` None is the head."""

    category_id: int
    revision: int | None = None

    def holds(self) -> list[ColumnElement[bool]]:
        """Give the conditions of the rows that belong to the state."""
        if self.revision is None:
            return [row.category_id == self.category_id, row.removed_revision == NEVER]
        return [
            row.category_id == self.category_id,
            row.removed_revision > self.revision,
            row.added_revision <= self.revision,
        ]

    def valid_at(self, time: int) -> list[ColumnElement[bool]]:
        """Give the conditions of the rows of the state that are valid at a time."""
        return [*self.holds(), row.valid_to > time, row.valid_from <= time]


def member_ids_query(state: State, time: int) -> Select[tuple[int]]:
    """Give the query for the ids of the members at a time."""
    return select(row.asset_id).where(*state.valid_at(time))


def _holding(own: Sequence[ColumnElement[bool]], time: Any, *columns: Any) -> CompoundSelect[Any]:
    """Give the query for the rows of heads that hold at a time, whatever the length of their past and future.

    Rows that do not end are found by their key. Of those that end, a class of spells (`SPELL_CLASS`) that hold at the
    time end within the longest length of their class, which the index bounds on both sides. SQLite has that index.
    """
    queries = [select(*columns).where(*own, row.valid_to == MAX_MICROS, row.valid_from <= time)]
    for number, width in enumerate((*SPELLS, None)):
        spell: list[ColumnElement[bool]] = [
            literal_column(f"valid_to != {MAX_MICROS}"),
            literal_column(f"{SPELL_CLASS} = {number}"),
        ]
        spell += [row.valid_to > time, row.valid_from <= time]
        if width is not None:
            spell.append(row.valid_to <= time + width)
        queries.append(select(*columns).where(*own, *spell))
    return union_all(*queries)


def asset_ids(connection: Connection, state: State, time: int) -> list[int]:
    """Give the ids of the members at a time, sorted."""
    if state.revision is None and connection.dialect.name == "sqlite":
        packed = connection.execute(_HEAD_IDS, {"category_id": state.category_id, "time": time}).scalar_one()
        ids: list[int] = orjson.loads(packed)
    else:
        ids = _packed(connection, members_query(connection, state, time)).tolist()
    ids.sort()
    return ids


def unchanged_around(connection: Connection, state: State, time: int) -> tuple[int, int]:
    """Give the span of time ``[since, until)`` around a time in which the same assets are members."""
    edges = (row.valid_from, row.valid_to)
    before = (func.coalesce(func.max(edge).filter(edge <= time), MIN_MICROS) for edge in edges)
    behind = (func.coalesce(func.min(edge).filter(edge > time), MAX_MICROS) for edge in edges)
    began, ended, begins, ends = connection.execute(select(*before, *behind).where(*state.holds())).one()
    return max(began, ended), min(begins, ends)


def members_query(connection: Connection, state: State, time: int) -> Select[tuple[int]] | CompoundSelect[Any]:
    """Give the fastest query for the ids of the members at a time."""
    if state.revision is None and connection.dialect.name == "sqlite":
        return _holding(state.holds(), time, row.asset_id)
    return member_ids_query(state, time)


_MEMBERS_NOW = _holding(
    (row.category_id == bindparam("category_id"), row.removed_revision == NEVER),
    bindparam("time", type_=BigInteger),
    row.asset_id,
)
_HEAD_IDS = select(func.json_group_array(_MEMBERS_NOW.subquery().c[0]))
"""The reading asked for most, made once."""


def _packed(connection: Connection, query: Select[tuple[int]] | CompoundSelect[Any]) -> Ints:
    """Read one column of integers; SQLite hands it over as one JSON text, five times faster than rows."""
    if connection.dialect.name != "sqlite":
        return np.array(connection.scalars(query).all(), dtype=np.int64)
    column = query.subquery().c[0]
    return np.array(
        orjson.loads(connection.execute(select(func.json_group_array(column))).scalar_one()), dtype=np.int64
    )


def intervals(connection: Connection, state: State, start: int, end: int) -> Intervals:
    """Give the rows of a state that overlap or touch a window, sorted by asset and start."""
    return _intervals(connection, state, (row.valid_to >= start, row.valid_from <= end))


def intervals_of(connection: Connection, state: State, ids: Ints, start: int, end: int) -> Intervals:
    """Give the rows of some assets that overlap or touch a window."""
    named = within(connection, row.asset_id, ids.tolist())
    return _intervals(connection, state, (row.valid_to >= start, row.valid_from <= end, named))


_ETERNAL = and_(row.valid_from == MIN_MICROS, row.valid_to == MAX_MICROS, row.weight.is_(None))
"""Weightless members for all time: of these only the ids are read, as a timeless universe has nothing else."""


def _intervals(connection: Connection, state: State, conditions: tuple[ColumnElement[bool], ...]) -> Intervals:
    chosen = (*state.holds(), *conditions)
    eternal = _packed(connection, select(row.asset_id).where(*chosen, _ETERNAL))
    columns = (row.asset_id, row.valid_from, row.valid_to, row.weight)
    others = connection.execute(select(*columns).where(*chosen, not_(_ETERNAL))).fetchall()
    rows = concatenate(_eternal(eternal), _from_rows(others))
    return rows.take(np.lexsort((rows.start, rows.asset)))


def _eternal(ids: Ints) -> Intervals:
    n = len(ids)
    return Intervals(ids, np.full(n, MIN_MICROS), np.full(n, MAX_MICROS), np.full(n, np.nan))


def _from_rows(found: Sequence[Any]) -> Intervals:
    asset, start, end, weight = zip(*found, strict=True) if found else ((), (), (), ())
    return Intervals(
        np.array(asset, dtype=np.int64),
        np.array(start, dtype=np.int64),
        np.array(end, dtype=np.int64),
        np.array(weight, dtype=np.float64),
    )


def ids_of_each(connection: Connection, states: Sequence[State], time: int) -> list[Ints]:
    """Give the ids of the members of many universes at a time: two statements at most, however many there are."""
    return _packed_of_each(connection, states, (row.valid_to > time, row.valid_from <= time), time)


def intervals_of_each(
    connection: Connection, states: Sequence[State], window: tuple[int, int] | None = None, ids: Ints | None = None
) -> list[Intervals]:
    """Give the rows of many universes, all or those that overlap a window or are of some assets, weightless.

    Four statements at most, however many universes there are.
    """
    chosen = [] if window is None else [row.valid_to > window[0], row.valid_from < window[1]]
    if ids is not None:
        chosen.append(within(connection, row.asset_id, ids.tolist()))
    forever = and_(row.valid_from == MIN_MICROS, row.valid_to == MAX_MICROS)
    eternal = _packed_of_each(connection, states, (*chosen, forever))
    others: list[list[Any]] = [[] for _ in states]
    for query, places in _each(connection, states, (*chosen, not_(forever))):
        for found in connection.execute(query):
            for place in places[found[0]]:
                others[place].append((*found[1:], None))
    return [concatenate(_eternal(a), _from_rows(b)) for a, b in zip(eternal, others, strict=True)]


def _packed_of_each(
    connection: Connection, states: Sequence[State], conditions: Sequence[ColumnElement[bool]], time: int | None = None
) -> list[Ints]:
    found = [np.empty(0, dtype=np.int64) for _ in states]
    lite = connection.dialect.name == "sqlite"
    pack: Any = func.json_group_array if lite else func.array_agg
    for rows, places in _each(connection, states, conditions, time):
        if rows is _HEADS:
            result = connection.execute(_HEADS_IDS, {"categories": orjson.dumps([*places]).decode(), "time": time})
        else:
            held = rows.subquery()
            result = connection.execute(select(held.c.key, pack(held.c.asset_id)).group_by(held.c.key))
        for number, packed in result:
            ids = np.array(orjson.loads(packed) if lite else packed, dtype=np.int64)
            for place in places[number]:
                found[place] = ids
    return found


_HEADS = _holding(
    (
        row.category_id.in_(select(func.json_each(bindparam("categories")).table_valued("value").c.value)),
        row.removed_revision == NEVER,
    ),
    bindparam("time", type_=BigInteger),
    row.category_id.label("key"),
    row.asset_id,
)
_OF_HEADS = _HEADS.subquery()
_HEADS_IDS = select(_OF_HEADS.c.key, func.json_group_array(_OF_HEADS.c.asset_id)).group_by(_OF_HEADS.c.key)
"""The members of several heads at a time, made once."""

_Rows: TypeAlias = Select[Any] | CompoundSelect[Any]


def _each(
    connection: Connection, states: Sequence[State], conditions: Sequence[ColumnElement[bool]], time: int | None = None
) -> Iterator[tuple[_Rows, dict[int, list[int]]]]:
    """Give the queries for the rows of heads and of past states; ``key`` is a key of the places beside them.

    Where a time is given, conditions choose what holds at it.
    """
    heads: dict[int, list[int]] = {}
    pasts: dict[int, list[int]] = {}
    for place, state in enumerate(states):
        if state.revision is None:
            heads.setdefault(state.category_id, []).append(place)
        else:
            pasts[place] = [place]
    key = row.category_id.label("key")
    own = (within(connection, row.category_id, heads), row.removed_revision == NEVER)
    if heads and time is not None and connection.dialect.name == "sqlite":
        yield _HEADS, heads
    elif heads:
        yield select(key, row.asset_id, row.valid_from, row.valid_to).where(*own, *conditions), heads
    if pasts:
        yield _past(connection, states, list(pasts)).where(*conditions), pasts


def _past(connection: Connection, states: Sequence[State], places: list[int]) -> Select[Any]:
    columns = {
        "place": np.array(places, dtype=np.int64),
        "category_id": np.array([states[place].category_id for place in places], dtype=np.int64),
        "revision": np.array([states[place].revision for place in places], dtype=np.int64),
    }
    asked = row_set(connection, columns).subquery()
    held = (
        (row.category_id == asked.c.category_id)
        & (row.removed_revision > asked.c.revision)
        & (row.added_revision <= asked.c.revision)
    )
    columns_read = (asked.c.place.label("key"), row.asset_id, row.valid_from, row.valid_to)
    return select(*columns_read).join(category_membership, held)


def recorded_by(connection: Connection, category_id: int, revision: int) -> tuple[Intervals, Intervals]:
    """Give the rows that a revision closed, and those that it opened; each sorted by asset and start."""
    closed, opened = (
        connection.execute(
            select(row.asset_id, row.valid_from, row.valid_to, row.weight)
            .where(row.category_id == category_id, stamped == revision)
            .order_by(row.asset_id, row.valid_from)
        ).fetchall()
        for stamped in (row.removed_revision, row.added_revision)
    )
    return _from_rows(closed), _from_rows(opened)


def rows_ever(connection: Connection, category_id: int, asset_id: int, revision: int) -> list[Row]:
    """Give every interval that was recorded for one asset up to a revision."""
    # Left as it is, SQLite would walk through the whole universe by the primary key instead of using the asset's index.
    universe = row.category_id + 0 if connection.dialect.name == "sqlite" else row.category_id
    mine = (universe == category_id, row.asset_id == asset_id, row.added_revision <= revision)
    columns = (row.valid_from, row.valid_to, row.weight, row.added_revision, row.removed_revision)
    return [Row(*each) for each in connection.execute(select(*columns).where(*mine).order_by(row.valid_from))]


def write(connection: Connection, category_id: int, revision: int, change: Change) -> None:
    """Close and open the rows of a change under a new revision."""
    if len(change.closed):
        keys = row_set(connection, {"valid_to": change.closed.end, "asset_id": change.closed.asset})
        closing = (*State(category_id).holds(), tuple_(row.valid_to, row.asset_id).in_(keys))
        with large_join(connection, len(change.closed)):
            connection.execute(update(category_membership).where(*closing).values(removed_revision=revision))
    if len(change.opened):
        rows = _rows(category_id, revision, change.opened)
        connection.execute(insert(category_membership).from_select(list(rows), row_set(connection, rows)))


def _rows(category_id: int, revision: int, opened: Intervals) -> dict[str, npt.NDArray[Any]]:
    everywhere = np.ones(len(opened), dtype=np.int64)
    return {
        "asset_id": opened.asset,
        "valid_from": opened.start,
        "valid_to": opened.end,
        "weight": opened.weight,
        "category_id": everywhere * category_id,
        "added_revision": everywhere * revision,
        "removed_revision": everywhere * NEVER,
    }


def weights_by_id(connection: Connection, state: State, time: int) -> dict[int, float | None]:
    """Give the weights of the members at a time by id; None where a member has none."""
    found = connection.execute(select(row.asset_id, row.weight).where(*state.valid_at(time)))
    return dict(found.all())


def weights(
    connection: Connection, state: State, time: int, after: int | None = None, limit: int | None = None
) -> dict[str, float | None]:
    """Give the weights of the members at a time by unique identifier, in its order; a part is in that of the ids."""
    query = select(asset.c.unique_identifier, row.weight).where(*state.valid_at(time), asset.c.id == row.asset_id)
    if after is not None:
        query = query.where(row.asset_id > after)
    order = asset.c.unique_identifier if after is None and limit is None else row.asset_id
    return dict(connection.execute(query.order_by(order).limit(limit)).all())


def identifiers(connection: Connection, ids: Ints) -> dict[int, str]:
    """Give the unique identifiers of assets by id."""
    query = select(asset.c.id, asset.c.unique_identifier).where(within(connection, asset.c.id, ids.tolist()))
    return dict(connection.execute(query).all())


def universes_of(connection: Connection, asset_id: int, actor: Actor, time: int | None = None) -> list[int]:
    """Give the ids of the universes that somebody may see and that hold an asset at their heads, then or ever."""
    holds = [row.asset_id == asset_id, row.removed_revision == NEVER]
    if time is not None:
        holds += [row.valid_to > time, row.valid_from <= time]
    own = (category.c.id == row.category_id, *seen_by(actor, category))
    query = select(row.category_id).distinct().where(*holds, *own)
    return list(connection.scalars(query.order_by(row.category_id)))
