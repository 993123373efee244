"""Finding what is known by its identifier alone, such as a reader of a universe."""

from typing import Any

from mainsequence.contract import assets, categories, portfolios
from mainsequence.contract.queries import Query
from mainsequence.errors import NotFoundError
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Elsewhere, Page, Visit

_KINDS: dict[str, tuple[Any, type[Query], str]] = {
    "asset": (assets.QUERY, assets.AssetQuery, "assets"),
    "category": (categories.QUERY, Query, "universes"),
    "portfolio": (portfolios.QUERY, Query, "portfolios"),
}


def find(visit: Visit) -> Elsewhere:
    """Go to the page of what has an identifier."""
    kind, name = visit.text("kind") or "", visit.text("name") or ""
    if kind in _KINDS:
        operation, query, pages = _KINDS[kind]
        retired = {"include_retired": True} if kind == "asset" else {}
        found = visit.ask(operation, query(filters={"unique_identifier": name}, limit=1, **retired)).results
        if found:
            return Elsewhere(f"{ROOT}/{pages}/{found[0].id}")
    raise NotFoundError(f"There is no {kind or 'thing'} {name!r}.", hint="It may be hidden from you, or deleted.")


PAGES = (Page("GET", f"{ROOT}/find", find),)
