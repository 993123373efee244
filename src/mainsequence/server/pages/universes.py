"""Universes: all of them, one of them, who changed it, who reads it."""

from itertools import islice

from mainsequence.contract import categories as contract
from mainsequence.contract import composition, explanations, guards
from mainsequence.contract.categories import CategorySelection
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.plans import RecordedChange
from mainsequence.errors import NotFoundError
from mainsequence.server.pages.called import MOST, in_a_change
from mainsequence.server.pages.changes import newest, still_there
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.requests import newest as newest_requests
from mainsequence.server.pages.visits import Page, Shown, Visit

AT_ONCE = 50
"""Universes on one page."""

LATELY = 15
"""Changes on the first page, and on that of a universe."""

REVISIONS = 100
"""Revisions on one page."""


def listing(visit: Visit) -> Shown:
    """Show every universe, or those that fit a search; what happened lately; what waits."""
    search, after = visit.text("q"), visit.text("after")
    filters = {} if search is None else {"search__icontains": search}
    given = {"filters": filters, "limit": AT_ONCE, "after": after}
    found = visit.ask(contract.QUERY, Query.parse(given))
    changes, _ = newest(visit, LATELY)
    facts = {
        "universes": found.results,
        "members": _counted(visit, found.results),
        "q": search,
        "after": found.next_after,
        "begun": after is not None,
        "changes": changes,
        "there": still_there(visit, changes),
        "requests": newest_requests(visit, status="pending"),
    }
    return Shown("universes.html", facts)


def _counted(visit: Visit, universes: list[CategoryRecord]) -> dict[int, int]:
    """Give how many members universes have now, by id; one that is deleted meanwhile is left out."""
    chosen = CategorySelection(category_ids=[each.id for each in universes])
    return {each.id: each.members for each in visit.ask(contract.MEMBER_COUNTS, chosen)}


def one(visit: Visit) -> Shown:
    """Show one universe."""
    found = visit.ask(contract.GET, None, key=visit.key)
    history = visit.ask(contract.HISTORY, None, key=visit.key)
    facts = {
        "universe": found,
        "members": _counted(visit, [found]).get(found.id, 0),
        "revisions": list(islice(reversed(history), LATELY)),
        "recorded": len(history),
        "readers": visit.ask(contract.REFERENCES, None, key=visit.key),
        "guards": visit.ask(guards.GUARDS, None, key=visit.key),
        "requests": newest_requests(visit, status="pending", category=found.unique_identifier),
        "definition": _definition(visit, found),
    }
    return Shown("universe.html", facts)


def _definition(visit: Visit, found: CategoryRecord) -> composition.Definition | None:
    if found.kind == "members":
        return None
    return visit.ask(composition.DEFINITION, composition.KnownAt(), key=found.id)


def history(visit: Visit) -> Shown:
    """Show every revision of a universe, newest first."""
    found = visit.ask(contract.GET, None, key=visit.key)
    every = visit.ask(contract.HISTORY, None, key=visit.key)[::-1]
    before = visit.text("before")
    shown = [each for each in every if before is None or each.revision < _whole(before)]
    more = shown[REVISIONS - 1].revision if len(shown) > REVISIONS else None
    return Shown("history.html", {"universe": found, "revisions": shown[:REVISIONS], "before": more})


def _whole(text: str) -> int:
    return explanations.RecordedQuery.parse({"revision": text}).revision


def revision(visit: Visit) -> Shown:
    """Show what one revision did."""
    found = visit.ask(contract.GET, None, key=visit.key)
    did = _did(visit, found)
    facts = {"universe": found, "did": did, "newest": found.revision, "most": MOST, "called": in_a_change(visit, did)}
    return Shown("revision.html", facts)


def _did(visit: Visit, found: CategoryRecord) -> RecordedChange:
    """Give what a revision did; of a universe made from others it changed the definition, and records no members."""
    asked = explanations.RecordedQuery.parse({"revision": visit.number})
    if found.kind != "expression":
        return visit.ask(explanations.RECORDED, asked, key=found.id)
    for each in visit.ask(contract.HISTORY, None, key=found.id):
        if each.revision == asked.revision:
            return RecordedChange(revision=each, enters=[], leaves=[], reweighted=[])
    raise NotFoundError(f"{found.unique_identifier} has no revision {asked.revision}.", hint="Look at its history.")


ONE = f"{ROOT}/universes/{{key}}"
PAGES = (
    Page("GET", f"{ROOT}/", listing),
    Page("GET", ONE, one),
    Page("GET", f"{ONE}/history", history),
    Page("GET", f"{ONE}/revisions/{{number}}", revision),
)
