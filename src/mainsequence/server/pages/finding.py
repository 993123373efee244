"""Finding what is known by its identifier alone, such as a reader of a universe, or an asset by its ticker."""

from urllib.parse import urlencode

from mainsequence.contract import explanations, portfolios
from mainsequence.contract.queries import Query
from mainsequence.errors import NotFoundError
from mainsequence.server.pages.called import named
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Elsewhere, Page, Visit


def find(visit: Visit) -> Elsewhere:
    """Go to the page of what has an identifier."""
    kind, name = visit.text("kind") or "", visit.text("name") or ""
    if kind == "category":
        return _universe(visit, name)
    if kind == "asset":
        return Elsewhere(f"{ROOT}/assets/{named(visit, name).id}")
    if kind == "portfolio":
        for each in visit.ask(portfolios.QUERY, Query(filters={"unique_identifier": name}, limit=1)).results:
            return Elsewhere(f"{ROOT}/portfolios/{each.id}")
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
