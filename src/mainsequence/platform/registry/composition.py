"""Definitions of universes in SQL: writing them, and finding all that a universe is made from in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    ScalarSelect,
    Select,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
)

from mainsequence.domain.access import Actor
from mainsequence.domain.pins import Pin
from mainsequence.domain.times import MAX_MICROS, from_micros
from mainsequence.errors import CyclicUniverseError
from mainsequence.platform.registry.composition_tables import category_definition, category_operand, rule_run
from mainsequence.platform.registry.sets import row_set, within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import category, category_reference, category_revision

EXPRESSION, RULE, MEMBERS = "expression", "rule", "members"
"""The kinds of universes: made from others, by a rule, or of members that somebody names."""

HEAD = MAX_MICROS
"""Stands for "as known now"."""

READER = "category"
"""The kind of reference with which a universe reads others."""

UNPINNED = -1


@dataclass(frozen=True, slots=True)
class Named:
    """A universe as a definition names it: as known at a time, or as recorded at a revision (``UNPINNED`` for none)."""

    category_id: int
    known: int = HEAD
    revision: int = UNPINNED


@dataclass(frozen=True, slots=True)
class Found:
    """What is needed of a universe to read it: its facts and, where it is made from others, its definition."""

    named: Named
    unique_identifier: str
    kind: str
    head_revision: int
    first_revision: int
    created_at: int
    body: str | None

    @property
    def is_derived(self) -> bool:
        """Whether it has no rows of its own."""
        return self.kind == EXPRESSION


def _in_force(category_id: Any, known: Any) -> ScalarSelect[Any]:
    table = category_definition.alias()
    last = select(func.max(table.c.revision)).where(table.c.category_id == category_id, table.c.recorded_at <= known)
    return last.scalar_subquery()


def reach(connection: Connection, roots: Sequence[Named]) -> dict[Named, Found]:
    """Find every universe that some are made from, directly or not, each with the definition in force: one statement.

    Parameters
    ----------
    roots
        Where to begin; they are found too.
    """
    columns = {
        "category_id": np.array([each.category_id for each in roots], dtype=np.int64),
        "known": np.array([each.known for each in roots], dtype=np.int64),
        "pinned": np.array([each.revision for each in roots], dtype=np.int64),
    }
    if len(roots) == 1:
        rows = connection.execute(_reach_one(), {name: int(column[0]) for name, column in columns.items()})
    else:
        rows = connection.execute(_reach(row_set(connection, columns)))
    return {Named(*row[:3]): Found(Named(*row[:3]), *row[3:]) for row in rows}


@cache
def _reach_one() -> Select[Any]:
    """Give the query that begins at one universe, which is asked most; made once, as making it takes longest."""
    key, known, pinned = (bindparam(name, type_=BigInteger) for name in ("category_id", "known", "pinned"))
    return _reach(select(key.label("category_id"), known.label("known"), pinned.label("pinned")))


def _reach(roots: Any) -> Select[Any]:
    reached = roots.cte("reached", recursive=True)
    operand, of_kind = category_operand.c, category.alias()
    following = (
        select(
            cast(operand.operand_id, BigInteger),
            func.coalesce(operand.pinned_at, reached.c.known),
            func.coalesce(operand.pinned_revision, literal(UNPINNED, BigInteger)),
        )
        .select_from(reached)
        .join(of_kind, (of_kind.c.id == reached.c.category_id) & (of_kind.c.kind == EXPRESSION))
        .join(category_operand, operand.category_id == reached.c.category_id)
        .where(reached.c.pinned == UNPINNED, operand.revision == _in_force(reached.c.category_id, reached.c.known))
    )
    reached = reached.union(following)
    definition = category_definition.c
    return (
        select(
            *(reached.c.category_id, reached.c.known, reached.c.pinned),
            *(category.c.unique_identifier, category.c.kind, category.c.head_revision, category.c.first_revision),
            category.c.created_at,
            definition.body,
        )
        .select_from(reached)
        .join(category, category.c.id == reached.c.category_id)
        .outerjoin(
            category_definition,
            (definition.category_id == reached.c.category_id)
            & (definition.revision == _in_force(reached.c.category_id, reached.c.known)),
        )
    )


@dataclass(frozen=True, slots=True)
class Body:
    """A definition as it is stored: its text, and the universes that it names in the order first named."""

    text: str
    operands: tuple[tuple[int, int | None, int | None], ...]
    reason: str | None = None

    @classmethod
    def of(cls, stored: str) -> "Body":
        """Read it."""
        found = orjson.loads(stored)
        return cls(found["text"], tuple(tuple(each) for each in found["operands"]), found["reason"])

    def __str__(self) -> str:
        return orjson.dumps({"text": self.text, "operands": self.operands, "reason": self.reason}).decode()

    def named(self, known: int) -> list[Named]:
        """Give the universes that it names, those without a pin as known at a time."""
        return [
            Named(key, known if pinned_at is None else pinned_at, UNPINNED if revision is None else revision)
            for key, revision, pinned_at in self.operands
        ]


def definition(connection: Connection, category_id: int, known: int = HEAD) -> tuple[int, int, Body] | None:
    """Give the definition in force: its revision, when it was recorded, and what it says."""
    table = category_definition
    query = select(table.c.revision, table.c.recorded_at, table.c.body).where(
        table.c.category_id == category_id, table.c.recorded_at <= known
    )
    row = connection.execute(query.order_by(table.c.revision.desc()).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1], Body.of(row[2]))


DEFINING_LOCK = 1_297_305_923
"""The class of the advisory locks of PostgreSQL that let one writer at a time define universes in an organization."""


def hold_definitions(connection: Connection, organization_id: int) -> None:
    """Wait for others who define universes: two of them at the same moment could close a circle."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(DEFINING_LOCK, cast(organization_id, Integer))))


def write_definition(
    connection: Connection, category_id: int, revision: int, identifier: str, body: Body, now: int
) -> None:
    """Write the definition of a revision, and let it alone read what it names from now on."""
    own = (category_revision.c.category_id == category_id, category_revision.c.revision == revision)
    recorded_at = connection.scalar(select(category_revision.c.recorded_at).where(*own))
    stamp: dict[str, Any] = {"category_id": category_id, "revision": revision}
    connection.execute(insert(category_definition), stamp | {"recorded_at": recorded_at, "body": str(body)})
    rows = [
        stamp | {"position": place, "operand_id": key, "pinned_revision": pinned, "pinned_at": at}
        for place, (key, pinned, at) in enumerate(body.operands)
    ]
    if rows:
        connection.execute(insert(category_operand), rows)
    _drop_references(connection, category_id, identifier)
    reader = {"referrer_kind": READER, "referrer": identifier, "registered_at": now}
    about = [
        reader | {"category_id": key, "about": {"role": "universe", "names": sorted(names)}}
        for key, names in _names(connection, body).items()
    ]
    if about:
        connection.execute(insert(category_reference), about)


def _names(connection: Connection, body: Body) -> dict[int, set[str]]:
    """Give how a definition names each universe: as readers tell it."""
    own = within(connection, category.c.id, {key for key, _, _ in body.operands})
    known = dict(connection.execute(select(category.c.id, category.c.unique_identifier).where(own)).all())
    names: dict[int, set[str]] = {}
    for key, revision, pinned_at in body.operands:
        at = None if pinned_at is None else from_micros(pinned_at)
        names.setdefault(key, set()).add(str(Pin(known[key], revision, at)))
    return names


def _drop_references(connection: Connection, category_id: int, identifier: str) -> None:
    table = category_reference.c
    read = select(category_operand.c.operand_id).where(category_operand.c.category_id == category_id)
    own = (table.referrer_kind == READER, table.referrer == identifier, table.category_id.in_(read))
    connection.execute(delete(category_reference).where(*own))


def forget(connection: Connection, category_id: int, identifier: str) -> None:
    """Delete the definitions of a universe that is about to be deleted; it reads nothing any more."""
    _drop_references(connection, category_id, identifier)
    for table in (category_operand, category_definition, rule_run):
        connection.execute(delete(table).where(table.c.category_id == category_id))


def readers_ever(connection: Connection, actor: Actor, category_id: int) -> list[str]:
    """Name the universes that somebody may see and whose definitions, present or past, name a universe."""
    query = (
        select(category.c.unique_identifier)
        .distinct()
        .join(category_operand, category_operand.c.category_id == category.c.id)
        .where(category_operand.c.operand_id == category_id, category_operand.c.category_id != category_id)
        .where(*seen_by(actor, category))
    )
    return list(connection.scalars(query.order_by(category.c.unique_identifier)))


def consumers(connection: Connection, category_id: int) -> list[tuple[int, str]]:
    """List the universes made from a universe now, directly or through others: id and identifier, the nearest first."""
    start = select(literal(category_id, BigInteger).label("category_id"), literal(0, BigInteger).label("depth"))
    reached = start.cte("consumers", recursive=True)
    operand = category_operand.c
    following = (
        select(cast(operand.category_id, BigInteger), reached.c.depth + 1)
        .select_from(reached)
        .join(category_operand, operand.operand_id == reached.c.category_id)
        .where(operand.revision == _in_force(operand.category_id, literal(HEAD, BigInteger)))
        .where(operand.pinned_revision.is_(None), operand.pinned_at.is_(None))
    )
    reached = reached.union(following)
    nearest = func.min(reached.c.depth)
    query = (
        select(category.c.id, category.c.unique_identifier)
        .join(reached, reached.c.category_id == category.c.id)
        .where(reached.c.depth > 0)
        .group_by(category.c.id, category.c.unique_identifier)
        .order_by(nearest, category.c.id)
    )
    return [(key, name) for key, name in connection.execute(query)]


def refuse_circle(connection: Connection, category_id: int, identifier: str, operands: Iterable[Named]) -> None:
    """Refuse operands that are made from a universe themselves.

    Raises
    ------
    CyclicUniverseError
        One of them is the universe, or is made from it; the message names it.
    """
    now = [each.category_id for each in operands if each.known == HEAD and each.revision == UNPINNED]
    made_from_it = dict(consumers(connection, category_id)) | {category_id: identifier}
    closing = [made_from_it[key] for key in now if key in made_from_it]
    if closing:
        raise CyclicUniverseError(
            f"{identifier} would be made from itself: through {', '.join(closing)}.",
            hint="Name another universe, or pin it to a time (…@2024-06-28) to read its past.",
            universes=closing,
        )


def known_revisions(connection: Connection, asked: Sequence[Named]) -> dict[Named, int]:
    """Give the last revision of universes at the times asked for, 0 before the first: one statement."""
    if not asked:
        return {}
    columns = {
        "category_id": np.array([each.category_id for each in asked], dtype=np.int64),
        "known": np.array([each.known for each in asked], dtype=np.int64),
        "place": np.arange(len(asked), dtype=np.int64),
    }
    wanted = row_set(connection, columns).subquery()
    table = category_revision.c
    query = (
        select(wanted.c.place, func.max(table.revision))
        .join(category_revision, (table.category_id == wanted.c.category_id) & (table.recorded_at <= wanted.c.known))
        .group_by(wanted.c.place)
    )
    known = dict(connection.execute(query).all())
    return {each: int(known.get(place, 0)) for place, each in enumerate(asked)}


def recorded_at(connection: Connection, heads: dict[int, int]) -> int:
    """Give when the newest of some revisions, by universe, was recorded."""
    table = category_revision.c
    own = within(connection, table.category_id, heads)
    rows = connection.execute(
        select(table.category_id, func.max(table.recorded_at)).where(own).group_by(table.category_id)
    )
    return max((int(at) for _, at in rows), default=0)


def ids_named(connection: Connection, actor: Actor, names: Iterable[str]) -> dict[str, int]:
    """Give the ids of the universes with some identifiers that somebody may see."""
    query = select(category.c.unique_identifier, category.c.id).where(
        *seen_by(actor, category), within(connection, category.c.unique_identifier, names)
    )
    return dict(connection.execute(query).all())


def every_name(connection: Connection, actor: Actor) -> list[str]:
    """Give the identifiers of all universes that somebody may see."""
    return list(connection.scalars(select(category.c.unique_identifier).where(*seen_by(actor, category))))


def derived_ids(connection: Connection, actor: Actor) -> list[int]:
    """Give the ids of all universes made from others that somebody may see."""
    query = select(category.c.id).where(*seen_by(actor, category), category.c.kind == EXPRESSION)
    return list(connection.scalars(query.order_by(category.c.id)))
