"""Groups of portfolios, as the vendor's client asks for them."""

from http import HTTPStatus
from typing import Any

from mainsequence.contract import portfolios as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.lookups import spelt_out
from mainsequence.domain.portfolios import GROUP_LOOKUPS, GroupCreation, GroupRecord
from mainsequence.errors import AlreadyExistsError
from mainsequence.server.wire import shapes
from mainsequence.server.wire.exchange import Call, Face
from mainsequence.server.wire.paging import filters_of, page, window_of
from mainsequence.server.wire.shapes import GroupShape, PageShape
from mainsequence.server.wire.upserts import update_or_create


def listing(call: Call) -> PageShape:
    """List groups."""
    filters = spelt_out(filters_of(call), GROUP_LOOKUPS)
    found = call.ask(contract.QUERY_GROUPS, Query.parse({"filters": filters, **window_of(call)}))
    return page(call, found, lambda records: [shapes.group(record) for record in records])


def one(call: Call) -> GroupShape:
    """Read one group."""
    return shapes.group(call.ask(contract.GET_GROUP, None, key=call.key))


def _spoken(call: Call) -> dict[str, Any]:
    """Give the fields that say something: this client sends a source of null, and wants it back as text."""
    return {name: value for name, value in call.fields().items() if value is not None}


def get_or_create(call: Call) -> GroupShape:
    """Read the group with this identifier, unchanged, or create it."""
    return shapes.group(call.ask(contract.GET_OR_CREATE_GROUP, GroupCreation.parse(_spoken(call))))


def create(call: Call) -> GroupShape:
    """Create a group; the same once more, as after a lost answer, is the one that exists."""
    wanted = GroupCreation.parse(_spoken(call))
    try:
        return shapes.group(call.ask(contract.CREATE_GROUP, wanted))
    except AlreadyExistsError:
        found = call.ask(contract.GET_OR_CREATE_GROUP, wanted)
        if not _is(found, wanted):
            raise
        return shapes.group(found)


def _is(found: GroupRecord, wanted: GroupCreation) -> bool:
    described = {name: getattr(found, name) for name in GroupCreation.model_fields}
    return described == wanted.model_dump() | {"portfolios": sorted(set(wanted.portfolios))}


def patch(call: Call) -> GroupShape:
    """Change descriptions, and portfolios where they are given, in one step."""
    given = call.fields()
    source = {"source": ""} if "source" in given and given["source"] is None else {}
    return shapes.group(call.ask(contract.PATCH_GROUP, contract.GroupPatch.parse(given | source), key=call.key))


def delete(call: Call) -> None:
    """Delete a group; its portfolios stay."""
    call.ask_once(contract.DELETE_GROUP, None, key=call.key)


def append(call: Call) -> GroupShape:
    """Put portfolios into a group."""
    return shapes.group(call.ask(contract.APPEND_PORTFOLIOS, contract.GroupEdit.parse(call.fields()), key=call.key))


def remove(call: Call) -> GroupShape:
    """Take portfolios out of a group."""
    return shapes.group(call.ask(contract.REMOVE_PORTFOLIOS, contract.GroupEdit.parse(call.fields()), key=call.key))


_ALL, _ONE = "/orm/api/assets/portfolio_group/", "/orm/api/assets/portfolio_group/{key}/"

FACES = (
    Face("GET", _ALL, listing),
    Face("POST", f"{_ALL}query/", listing),
    Face("GET", _ONE, one),
    Face("POST", _ALL, create, HTTPStatus.CREATED),
    update_or_create(_ALL, contract.QUERY_GROUPS, create, patch),
    Face("POST", f"{_ALL}get_or_create/", get_or_create),
    Face("PATCH", _ONE, patch),
    Face("DELETE", _ONE, delete, HTTPStatus.NO_CONTENT),
    Face("POST", f"{_ONE}append-portfolios/", append),
    Face("POST", f"{_ONE}remove-portfolios/", remove),
)
