"""Translation tables, as the vendor's client asks for them; it finds the route of an asset by itself.

Its rules may overlap: they are accepted, and the coverage report flags them.
"""

from http import HTTPStatus
from typing import Any

from pydantic import Field

from mainsequence.contract import routing as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.identifiers import UniqueIdentifier
from mainsequence.domain.lookups import spelt_out
from mainsequence.domain.routing import TABLE_LOOKUPS, AssetTranslationRule, TranslationTableRecord
from mainsequence.domain.values import Value
from mainsequence.errors import AlreadyExistsError, NotFoundError, ValidationError
from mainsequence.server.wire import shapes
from mainsequence.server.wire.exchange import Call, Face
from mainsequence.server.wire.paging import filters_of, page, window_of
from mainsequence.server.wire.shapes import PageShape, RuleShape, TableShape
from mainsequence.server.wire.upserts import update_or_create

_FOR_EVERYONE = "open_for_everyone"


class TableCreation(Value):
    """What creates a table."""

    unique_identifier: UniqueIdentifier
    rules: list[Any] = Field(default_factory=list)


class TablePatch(Value):
    """What a table is to become: its identifier stays, its rules may be others."""

    unique_identifier: UniqueIdentifier | None = None
    rules: list[Any] | None = None


def listing(call: Call) -> PageShape:
    """List translation tables."""
    filters = spelt_out(filters_of(call), TABLE_LOOKUPS)
    found = call.ask(contract.QUERY, Query.parse({"filters": filters, **window_of(call)}))
    return page(call, found, lambda records: [shapes.table(record) for record in records])


def one(call: Call) -> TableShape:
    """Read one table."""
    return shapes.table(_get(call))


def _get(call: Call) -> TranslationTableRecord:
    return call.ask(contract.GET, None, key=call.key)


def create(call: Call) -> TableShape:
    """Create a table; the same once more, as after a lost answer, is the one that exists."""
    wanted = TableCreation.parse(call.fields())
    rules = [_rule(each) for each in wanted.rules]
    declared = contract.TableDeclaration(unique_identifier=wanted.unique_identifier, rules=rules, overlaps="accept")
    return shapes.table(call.ask(contract.GET_OR_CREATE, declared).table)


def patch(call: Call) -> TableShape:
    """Let a table have exactly these rules: missing ones are added, then others taken out; either may be repeated."""
    wanted = TablePatch.parse(call.fields())
    record = _get(call)
    if wanted.unique_identifier not in (None, record.unique_identifier):
        raise ValidationError("The unique_identifier of a table cannot be changed.", hint="Create another table.")
    rules = [_rule(each) for each in wanted.rules or ()]
    changed = call.ask(contract.ADD_RULES, contract.RuleEdit(rules=rules, overlaps="accept"), key=call.key).table
    if wanted.rules is None:
        return shapes.table(changed)
    kept = {_identity(rule) for rule in rules}
    gone = [int(rule.id or 0) for rule in changed.rules if _identity(rule) not in kept]
    return shapes.table(call.ask(contract.REMOVE_RULES, contract.RuleRemoval(rule_ids=gone), key=call.key))


def delete(call: Call) -> None:
    """Delete a table that nothing reads."""
    call.ask_once(contract.DELETE, None, key=call.key)


def add_rule(call: Call) -> RuleShape:
    """Add a rule that the table does not have; this client knows one it has by the words "already present"."""
    rule = _rule(call.fields())
    change = call.ask(contract.ADD_RULES, contract.RuleEdit(rules=[rule], overlaps="accept"), key=call.key)
    for added in change.added:
        return shapes.rule(added)
    raise AlreadyExistsError(f"The rule {rule} is already present in the table {change.table.unique_identifier!r}.")


def remove_rule(call: Call) -> None:
    """Take a rule out, named by its id or by what it says."""
    given = call.fields()
    rule_id = given.get("rule_id")
    if rule_id is None:
        wanted = _identity(_rule(given))
        rule_ids = [rule.id for rule in _get(call).rules if _identity(rule) == wanted]
    else:
        rule_ids = [rule_id]
    if not rule_ids:
        raise NotFoundError("The table has no such rule.", hint="Its rules are in .rules.")
    call.ask(contract.REMOVE_RULES, contract.RuleRemoval.parse({"rule_ids": rule_ids}), key=call.key)


def _identity(rule: AssetTranslationRule) -> tuple[str, str, str | None]:
    """Give what tells rules apart for this client: all but the column."""
    return rule.asset_filter.key, rule.markets_time_serie_unique_identifier, rule.target_exchange_code


def _rule(given: Any) -> AssetTranslationRule:
    """Read a rule.

    Raises
    ------
    ValidationError
        It is to hold for other organizations too, or is no rule.
    """
    if not isinstance(given, dict):
        raise ValidationError("A rule must be a JSON object.")
    rule = _own(given) | {"asset_filter": _own(given.get("asset_filter"))}
    return AssetTranslationRule.parse(rule)


def _own(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValidationError("A rule has an asset_filter, a JSON object.")
    if given.get(_FOR_EVERYONE):
        raise ValidationError(
            f"{_FOR_EVERYONE}: a table belongs to one organization here.", hint="Leave it out, or share the table."
        )
    return {name: value for name, value in given.items() if value is not None and name != _FOR_EVERYONE}


_ALL, _ONE = "/orm/api/assets/asset-translation-tables/", "/orm/api/assets/asset-translation-tables/{key}/"

FACES = (
    Face("GET", _ALL, listing),
    Face("POST", f"{_ALL}query/", listing),
    Face("GET", _ONE, one),
    Face("POST", _ALL, create, HTTPStatus.CREATED),
    update_or_create(_ALL, contract.QUERY, create, patch),
    Face("PATCH", _ONE, patch),
    Face("DELETE", _ONE, delete, HTTPStatus.NO_CONTENT),
    Face("POST", f"{_ONE}add_rule/", add_rule, HTTPStatus.CREATED),
    Face("POST", f"{_ONE}remove_rule/", remove_rule, HTTPStatus.NO_CONTENT),
)
