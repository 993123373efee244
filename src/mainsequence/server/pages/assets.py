"""Assets: what one is, and which universes hold it."""

from mainsequence.contract import assets as contract
from mainsequence.contract import categories
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Page, Shown, Visit


def one(visit: Visit) -> Shown:
    """Show one asset."""
    facts = {
        "asset": visit.ask(contract.GET, None, key=visit.key),
        "names": visit.ask(contract.SNAPSHOTS, None, key=visit.key),
        "universes": visit.ask(categories.CONTAINING, categories.AsOf(), key=visit.key),
    }
    return Shown("asset.html", facts)


PAGES = (Page("GET", f"{ROOT}/assets/{{key}}", one),)
