"""Guards, change requests and former names of universes in SQL."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, delete, func, insert, not_, select, update

from mainsequence.domain.access import Actor
from mainsequence.domain.beside import decision_of
from mainsequence.domain.guards import ChangeRequestRecord, GuardChange, Guards
from mainsequence.domain.plans import PlannedChange
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.domain.values import trusted
from mainsequence.platform.registry.composition_tables import category_definition, category_operand, rule_run
from mainsequence.platform.registry.governance_tables import category_alias, category_guard, change_request
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import NEVER, asset, category, category_membership, category_reference

PENDING = "pending"
NO_GUARDS = Guards()

# -- guards


def guards(connection: Connection, category_id: int) -> Guards:
    """Give the guards of a universe."""
    table = category_guard.c
    query = select(table.guards).where(table.category_id == category_id).order_by(table.number.desc()).limit(1)
    found = connection.scalar(query)
    return NO_GUARDS if found is None else Guards.parse(found)


def guard_changes(connection: Connection, category_id: int) -> list[GuardChange]:
    """Give every change of the guards of a universe, oldest first."""
    query = select(category_guard).where(category_guard.c.category_id == category_id)
    return [_guard_change(row) for row in connection.execute(query.order_by(category_guard.c.number)).mappings()]


def _guard_change(row: RowMapping) -> GuardChange:
    fields = {name: row[name] for name in ("number", "actor", "reason")}
    told = {"recorded_at": from_micros(row["recorded_at"]), "guards": Guards.parse(row["guards"])}
    return trusted(GuardChange, fields | told)


def set_guards(
    connection: Connection, category_id: int, given: Guards, now: int, actor: str, reason: str | None
) -> None:
    """Add a change of the guards of a universe; the caller holds the lock."""
    last = connection.scalar(
        select(func.max(category_guard.c.number)).where(category_guard.c.category_id == category_id)
    )
    row = {"category_id": category_id, "number": (last or 0) + 1, "recorded_at": now, "actor": actor, "reason": reason}
    connection.execute(insert(category_guard), row | {"guards": given.model_dump(mode="json", exclude_defaults=True)})


def owner(connection: Connection, category_id: int) -> str | None:
    """Name whoever made a universe."""
    return connection.scalar(select(category.c.owner).where(category.c.id == category_id))


# -- change requests


REQUEST_COLUMNS = {
    "category": category.c.unique_identifier,
    **{name: change_request.c[name] for name in ("id", "author", "decided_by", "status")},
}
"""The columns that requests can be filtered by."""


def requests(connection: Connection, *conditions: ColumnElement[bool]) -> list[ChangeRequestRecord]:
    """Give change requests that fit, oldest first."""
    return read_requests(connection, request_selection().where(*conditions).order_by(change_request.c.id))


def read_requests(connection: Connection, query: Select[Any]) -> list[ChangeRequestRecord]:
    """Run a `request_selection` and give its records."""
    return [_request(row) for row in connection.execute(query).mappings()]


def request_selection() -> Select[Any]:
    """Give the query whose rows `read_requests` turns into records; add conditions and an order."""
    columns = (column for column in change_request.c if column.name != "change")
    named = category.c.unique_identifier.label("category")
    same = change_request.c.category_id == category.c.id
    run = select(func.max(rule_run.c.id)).where(rule_run.c.category_id == change_request.c.category_id)
    return select(*columns, named, category.c.head_revision, run.scalar_subquery().label("run")).join(category, same)


def _request(row: RowMapping) -> ChangeRequestRecord:
    fields = dict(row)
    head, run, decided = (fields.pop(name) for name in ("head_revision", "run", "decided"))
    moved = head != fields["revision"] or (decided is not None and decided["after_run"] != run)
    if fields["status"] == PENDING and moved:
        fields["status"] = "stale"
    fields["decision"] = None if decided is None else decision_of(decided)
    fields |= _defined(fields.pop("defined") or {})
    for name in ("requested_at", "decided_at"):
        fields[name] = None if fields[name] is None else from_micros(fields[name])
    return trusted(ChangeRequestRecord, fields)


def _defined(told: dict[str, Any]) -> dict[str, Any]:
    rule = told.get("rule")
    return {"expression": told.get("expression"), "rule": None if rule is None else UniverseRule.parse(rule)}


def one_request(request_id: int) -> ColumnElement[bool]:
    """Give the condition of one request."""
    return change_request.c.id == request_id


def requests_of(category_id: int, *, undecided: bool = False) -> ColumnElement[bool]:
    """Give the condition of the requests of a universe, all or those that nobody has decided."""
    own = change_request.c.category_id == category_id
    return and_(own, change_request.c.status == PENDING) if undecided else own


def same_request(
    connection: Connection, change: PlannedChange, author: str, reason: str | None, *, force: bool
) -> ChangeRequestRecord | None:
    """Give the request that asks for the same, for the same reason, and waits already.

    What a rule decided is the same whenever it was decided, from the same and with the same outcome.
    """
    table = change_request.c
    said = [table.author == author, table.reason.is_not_distinct_from(reason), table.force.is_(force)]
    if change.decided is None:
        said.append(table.content_hash == change.content_hash)
    waiting = requests(connection, requests_of(change.category_id, undecided=True), *said)
    return next((each for each in waiting if _asks_for(each, change)), None)


def _asks_for(waiting: ChangeRequestRecord, change: PlannedChange) -> bool:
    if change.decided is None or waiting.decision is None:
        return waiting.content_hash == change.content_hash
    return waiting.content_hash == change.as_known(to_micros(waiting.decision.known_at)).content_hash


def add_request(connection: Connection, row: dict[str, Any]) -> int:
    """Store a request; gives its id."""
    return int(connection.execute(insert(change_request).returning(change_request.c.id), row).scalar_one())


def requested_change(connection: Connection, request_id: int) -> PlannedChange:
    """Give exactly what a request asks for."""
    return PlannedChange.parse(connection.scalar(select(change_request.c.change).where(one_request(request_id))))


def decide(connection: Connection, request_id: int, fields: dict[str, Any]) -> None:
    """Write down what became of a request."""
    connection.execute(update(change_request).where(one_request(request_id)).values(**fields))


# -- readers


def is_reader(connection: Connection, category_id: int, identifier: str) -> bool:
    """Tell whether a node is registered as a reader of a universe."""
    table = category_reference.c
    one = (table.category_id == category_id, table.referrer_kind == "node", table.referrer == identifier)
    return connection.scalar(select(table.referrer).where(*one)) is not None


def members_besides(connection: Connection, category_id: int, asset_ids: Iterable[int]) -> set[str]:
    """Name everyone who has any time as a member at the head, but for some."""
    row = category_membership.c
    held = (row.category_id == category_id, row.removed_revision == NEVER, asset.c.id == row.asset_id)
    others = not_(within(connection, row.asset_id, asset_ids))
    return set(connection.scalars(select(asset.c.unique_identifier).distinct().where(*held, others)))


def reads_pinned_only(connection: Connection, category_id: int, operand_id: int) -> bool:
    """Tell whether the definition in force of a universe names another one, and only by pins."""
    operand, definition = category_operand.c, category_definition.c
    newest = select(func.max(definition.revision)).where(definition.category_id == category_id).scalar_subquery()
    own = (operand.category_id == category_id, operand.operand_id == operand_id, operand.revision == newest)
    rows = connection.execute(select(operand.pinned_revision, operand.pinned_at).where(*own)).all()
    return bool(rows) and all(revision is not None or at is not None for revision, at in rows)


# -- former names


def present_name(connection: Connection, organization_id: int, unique_identifier: str) -> str:
    """Give the present identifier of a universe by one that it has or had; what is unknown is given back."""
    return present_names(connection, organization_id, [unique_identifier])[unique_identifier]


def present_names(connection: Connection, organization_id: int, names: Iterable[str]) -> dict[str, str]:
    """Give the present identifiers of universes by those that they have or had."""
    asked = list(names)
    own = (category_alias.c.organization_id == organization_id, category.c.id == category_alias.c.category_id)
    query = select(category_alias.c.unique_identifier, category.c.unique_identifier).where(*own)
    found = connection.execute(query.where(within(connection, category_alias.c.unique_identifier, asked)))
    return {name: name for name in asked} | dict(found.all())


def had_name(organization_id: int, unique_identifier: str) -> Select[int]:
    """Give the query for the id of the universe that had an identifier before it was renamed."""
    one = (category_alias.c.organization_id == organization_id, category_alias.c.unique_identifier == unique_identifier)
    return select(category_alias.c.category_id).where(*one)


def alias_of(connection: Connection, organization_id: int, unique_identifier: str) -> int | None:
    """Give the id of the universe that had an identifier before it was renamed."""
    found: int | None = connection.execute(had_name(organization_id, unique_identifier)).scalar()
    return found


def rename(
    connection: Connection, organization_id: int, category_id: int, names: tuple[str, str], now: int, actor: str
) -> None:
    """Give a universe another identifier and let the old one lead to it; ``names`` are the old and the new one."""
    old, new = names
    own = (category_alias.c.organization_id == organization_id, category_alias.c.category_id == category_id)
    connection.execute(delete(category_alias).where(*own, category_alias.c.unique_identifier == new))
    connection.execute(update(category).where(category.c.id == category_id).values(unique_identifier=new))
    row = {"organization_id": organization_id, "unique_identifier": old, "category_id": category_id}
    connection.execute(insert(category_alias), row | {"recorded_at": now, "actor": actor})
    read_as = (
        category_reference.c.referrer_kind == "category",
        category_reference.c.referrer == old,
        category_reference.c.category_id.in_(
            select(category.c.id).where(category.c.organization_id == organization_id)
        ),
    )
    connection.execute(update(category_reference).where(*read_as).values(referrer=new))
    succeeded = (category.c.organization_id == organization_id, category.c.successor == old)
    connection.execute(update(category).where(*succeeded).values(successor=new))


def former_names(connection: Connection, category_id: int) -> list[str]:
    """List the identifiers that a universe had."""
    query = select(category_alias.c.unique_identifier).where(category_alias.c.category_id == category_id)
    return list(connection.scalars(query.order_by(category_alias.c.recorded_at)))


def deprecated_for(connection: Connection, actor: Actor, unique_identifier: str) -> list[str]:
    """List the universes that somebody may see and that name one as their successor."""
    own = (*seen_by(actor, category), category.c.successor == unique_identifier)
    return list(connection.scalars(select(category.c.unique_identifier).where(*own).order_by(category.c.id)))


def erase(connection: Connection, category_id: int) -> None:
    """Forget all of this about a universe."""
    for table in (category_guard, change_request, category_alias):
        connection.execute(delete(table).where(table.c.category_id == category_id))
