"""What happened to universes, newest first."""

from mainsequence.contract import changes as contract
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Page, Shown, Visit

AT_ONCE = 100
"""Changes on one page."""


def listing(visit: Visit) -> Shown:
    """Show the changes before a position of the feed, by default the last."""
    before = visit.text("before")
    end = visit.ask(contract.CHANGES, contract.ChangesQuery(limit=1)).head
    if before is not None:
        end = min(end, contract.ChangesQuery.parse({"since": before}).since - 1)
    since = max(end - AT_ONCE, 0)
    found = visit.ask(contract.CHANGES, contract.ChangesQuery(since=since, limit=AT_ONCE)).changes
    shown = [each for each in found if each.position <= end][::-1]
    return Shown("changes.html", {"changes": shown, "before": since + 1 if since else None})


PAGES = (Page("GET", f"{ROOT}/changes", listing),)
