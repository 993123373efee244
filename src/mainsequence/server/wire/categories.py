"""Universes, as the vendor's client asks for them: with the ids of their members now."""

from http import HTTPStatus
from typing import Any

from mainsequence.contract import categories as contract
from mainsequence.contract import guards
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import CATEGORY_LOOKUPS, CategoryCreation, CategoryRecord, named
from mainsequence.domain.lookups import spelt_out
from mainsequence.domain.values import Value
from mainsequence.errors import AlreadyExistsError
from mainsequence.server.wire import shapes
from mainsequence.server.wire.exchange import Call, Face
from mainsequence.server.wire.paging import filters_of, page, window_of
from mainsequence.server.wire.shapes import CategoryShape, PageShape
from mainsequence.server.wire.upserts import update_or_create

PAGE = 100
"""Universes on a page: each comes with all of its members."""


class Members(Value):
    """Ids of assets."""

    assets: list[int]


def listing(call: Call) -> PageShape:
    """List universes."""
    filters = spelt_out(_searched(filters_of(call)), CATEGORY_LOOKUPS)
    found = call.ask(contract.QUERY, Query.parse({"filters": filters, **window_of(call, PAGE)}))
    return page(call, found, lambda records: _shaped(call, records))


def _searched(filters: dict[str, Any]) -> dict[str, Any]:
    return {"search__icontains" if name == "search" else name: value for name, value in filters.items()}


def _shaped(call: Call, records: list[CategoryRecord]) -> list[CategoryShape]:
    wanted = contract.CategorySelection(category_ids=[record.id for record in records])
    members = {each.id: each.asset_ids for each in call.ask(contract.ASSET_IDS_OF, wanted)}
    return [shapes.category(record, members[record.id]) for record in records if record.id in members]


def _with_members(call: Call, record: CategoryRecord) -> CategoryShape:
    return shapes.category(record, call.ask(contract.ASSET_IDS, contract.AsOf(), key=record.id))


def one(call: Call) -> CategoryShape:
    """Read one universe."""
    return _with_members(call, call.ask(contract.GET, None, key=call.key))


def _creation(call: Call) -> CategoryCreation:
    given = {name: value for name, value in call.fields().items() if value is not None}
    return CategoryCreation.parse(given | named(given.get("unique_identifier"), given.get("display_name")))


def get_or_create(call: Call) -> CategoryShape:
    """Read the universe with this identifier, unchanged, or create it."""
    return _with_members(call, call.ask(contract.GET_OR_CREATE, _creation(call)))


def create(call: Call) -> CategoryShape:
    """Create a universe; the same once more, as after a lost answer, is the one that exists."""
    wanted = _creation(call)
    try:
        return _with_members(call, call.ask(contract.CREATE, wanted))
    except AlreadyExistsError:
        asked = Query(filters={"unique_identifier": wanted.unique_identifier})
        for found in _shaped(call, call.ask(contract.QUERY, asked).results):
            if _is(found, wanted):
                return found
        raise


def _is(found: CategoryShape, wanted: CategoryCreation) -> bool:
    described = (found.display_name, found.description) == (wanted.display_name, wanted.description)
    return described and found.assets == sorted(set(wanted.assets))


def patch(call: Call) -> CategoryShape:
    """Change descriptions, and members where they are given, in one step."""
    given = dict(call.fields())
    if "assets" in given:
        given["force"] = _is_meant(call)
    return _with_members(call, call.ask(contract.PATCH, contract.CategoryPatch.parse(given), key=call.key))


def delete(call: Call) -> None:
    """Delete a universe that nothing reads."""
    call.ask_once(contract.DELETE, None, key=call.key)


def append(call: Call) -> CategoryShape:
    """Make assets members; those that are stay."""
    edit = contract.MembershipEdit(asset_ids=_members(call))
    return _with_members(call, call.ask(contract.APPEND_ASSETS, edit, key=call.key))


def remove(call: Call) -> CategoryShape:
    """Take assets out; those that are no members are left alone."""
    edit = contract.MembershipEdit(asset_ids=_members(call), force=_is_meant(call))
    return _with_members(call, call.ask(contract.REMOVE_ASSETS, edit, key=call.key))


def _members(call: Call) -> list[int]:
    return Members.parse(call.fields()).assets


def _is_meant(call: Call) -> bool:
    """Tell whether a large removal counts as meant: unless owners set a limit, which holds for this client too.

    It cannot say so, and replaces members by removing all of them first.
    """
    return call.ask(guards.GUARDS, None, key=call.key).max_removal_fraction is None


_ALL, _ONE = "/orm/api/assets/asset-category/", "/orm/api/assets/asset-category/{key}/"

FACES = (
    Face("GET", _ALL, listing),
    Face("POST", f"{_ALL}query/", listing),
    Face("GET", _ONE, one),
    Face("POST", _ALL, create, HTTPStatus.CREATED),
    update_or_create(_ALL, contract.QUERY, create, patch),
    Face("POST", f"{_ALL}get-or-create/", get_or_create),
    Face("PATCH", _ONE, patch),
    Face("DELETE", _ONE, delete, HTTPStatus.NO_CONTENT),
    Face("POST", f"{_ONE}append-assets/", append),
    Face("POST", f"{_ONE}remove-assets/", remove),
)
