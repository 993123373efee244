"""Finding what is known by its identifier alone, such as a reader of a universe."""

from typing import Any
from urllib.parse import urlencode

from mainsequence.contract import assets, explanations, portfolios
from mainsequence.contract.queries import Query
from mainsequence.errors import NotFoundError
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Elsewhere, Page, Visit

_KINDS: dict[str, tuple[Any, type[Query], str]] = {
    "asset": (assets.QUERY, assets.AssetQuery, "assets"),
    "portfolio": (portfolios.QUERY, Query, "portfolios"),
}


def find(visit: Visit) -> Elsewhere:
    """Go to the page of what has an identifier."""
    kind, name = visit.text("kind") or "", visit.text("name") or ""
    if kind == "category":
        return _universe(visit, name)
    if kind in _KINDS:
        operation, query, pages = _KINDS[kind]
        retired = {"include_retired": True} if kind == "asset" else {}
        found = visit.ask(operation, query(filters={"unique_identifier": name}, limit=1, **retired)).results
        if found:
            return Elsewhere(f"{ROOT}/{pages}/{found[0].id}")
    raise NotFoundError(f"There is no {kind or 'thing'} {name!r}.", hint="It may be hidden from you, or deleted.")


def _universe(visit: Visit, reference: str) -> Elsewhere:
    """Go to a universe, by a former identifier too; a pinned one is shown with its members in that state."""
    found = visit.ask(explanations.RESOLVE, explanations.PinReference(reference=reference))
    page = f"{ROOT}/universes/{found.record.id}"
    if found.pinned is None:
        return Elsewhere(page)
    state = found.pinned.model_dump(mode="json", include={"revision", "known_at", "as_of"}, exclude_none=True)
    return Elsewhere(f"{page}/members?{urlencode(state)}")


PAGES = (Page("GET", f"{ROOT}/find", find),)
