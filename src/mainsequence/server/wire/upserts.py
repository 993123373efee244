"""``update_or_create``: one address for either, found by ``unique_identifier``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mainsequence.contract.operation import Operation
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import named
from mainsequence.domain.values import Page
from mainsequence.errors import AlreadyExistsError
from mainsequence.server.wire.exchange import Answer, Call, Face

_IDENTIFIER = "unique_identifier"


def update_or_create(path: str, query: Operation[Any, Page[Any]], create: Answer, patch: Answer) -> Face:
    """Give the face of a noun that changes what has the identifier, or creates it; either may be repeated.

    Parameters
    ----------
    path
        Where the noun stands.
    query
        Finds its objects.
    create, patch
        What its own faces do.
    """

    def answer(call: Call) -> Any:
        found = _found(call, query)
        if found is None:
            try:
                return create(call)
            except AlreadyExistsError:  # since a moment ago, or hidden from who asks
                found = _found(call, query)
                if found is None:
                    raise
        said = call.fields().items()
        changed = {name: value for name, value in said if name != _IDENTIFIER and value is not None}
        return patch(replace(call, key=found, body=changed))

    return Face("POST", f"{path}update_or_create/", answer)


def _found(call: Call, query: Operation[Any, Page[Any]]) -> int | None:
    given = call.fields()
    name = named(given.get(_IDENTIFIER), given.get("display_name")).get(_IDENTIFIER)
    asked: Callable[..., Query] = query.takes
    for record in call.ask(query, asked(filters={_IDENTIFIER: name}, limit=1)).results:
        return int(record.id)
    return None
