"""What happened to universes, newest first."""

from mainsequence.contract import categories
from mainsequence.contract import changes as contract
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.changes import Change
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Page, Shown, Visit

AT_ONCE = 100
"""Changes on one page."""

READS = 5
"""How often one page looks further back, each time eight times as far, for changes that who looks may see."""


def listing(visit: Visit) -> Shown:
    """Show the changes before a position of the feed, by default the last."""
    before = visit.text("before")
    end = None if before is None else contract.ChangesQuery.parse({"since": before}).since - 1
    shown, earlier = newest(visit, AT_ONCE, end)
    return Shown("changes.html", {"changes": shown, "there": still_there(visit, shown), "before": earlier})


def newest(visit: Visit, most: int, end: int | None = None) -> tuple[list[Change], int | None]:
    """Give the newest changes up to a position, by default all, and before which position others may be found.

    Many in a row may be hidden from who looks: then further back is looked, but not for ever.
    """
    head = visit.ask(contract.CHANGES, contract.ChangesQuery(limit=1)).head
    since = head + 1 if end is None else min(end, head) + 1
    found: list[Change] = []
    for reach in (min(most * 8**each, MAX_PAGE) for each in range(READS)):
        if len(found) >= most or since <= 1:
            break
        until, since = since, max(since - reach, 1)
        asked = contract.ChangesQuery(since=since - 1, limit=reach)
        found = [each for each in visit.ask(contract.CHANGES, asked).changes if each.position < until] + found
    shown = found[-most:][::-1]
    first = shown[-1].position if len(found) > most else since
    return shown, first if first > 1 else None


def still_there(visit: Visit, changes: list[Change]) -> set[int]:
    """Give the ids of the universes that changes happened to and that were not deleted since."""
    asked = Query(filters={"id__in": sorted({each.category_id for each in changes})}, limit=max(len(changes), 1))
    return {each.id for each in visit.ask(categories.QUERY, asked).results} if changes else set()


PAGES = (Page("GET", f"{ROOT}/changes", listing),)
