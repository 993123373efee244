"""Members of a universe: when, of which weight, and why."""

from typing import Any

from mainsequence.contract import categories as contract
from mainsequence.contract import explanations
from mainsequence.server.pages import pictures
from mainsequence.server.pages.called import named as asset_named
from mainsequence.server.pages.universes import ONE
from mainsequence.server.pages.visits import Drawn, Page, Shown, Visit

AT_ONCE = 200
"""Members on one page."""


def state(visit: Visit) -> dict[str, str | None]:
    """Give which state was asked for, as the address says it."""
    return {name: visit.text(name) for name in ("as_of", "revision", "known_at")}


def listing(visit: Visit) -> Shown:
    """Show the members at a time, as recorded at a revision or known at a time."""
    found = visit.ask(contract.GET, None, key=visit.key)
    asked = state(visit)
    which = contract.AsOf.parse(asked)
    part = contract.MembersOf.parse({**asked, "limit": AT_ONCE + 1, "after": visit.text("after")})
    held = visit.ask(contract.ASSETS, part, key=visit.key)
    facts = {
        "universe": found,
        "members": held[:AT_ONCE],
        "count": len(visit.ask(contract.ASSET_IDS, which, key=visit.key)),
        "weights": visit.ask(contract.WEIGHTS, part, key=visit.key),
        "after": held[AT_ONCE - 1].id if len(held) > AT_ONCE else None,
        "asked": asked,
    }
    return Shown("members.html", facts)


def why(visit: Visit) -> Shown:
    """Show why an asset is in a universe, or is not."""
    found = visit.ask(contract.GET, None, key=visit.key)
    asked, named = state(visit), visit.text("asset")
    facts: dict[str, Any] = {"universe": found, "asked": asked, "asset": named, "explanation": None}
    if named is not None:
        query = explanations.ExplainQuery.parse({**asked, "asset_id": asset_named(visit, named).id})
        facts["explanation"] = visit.ask(explanations.EXPLAIN, query, key=visit.key)
    return Shown("why.html", facts)


def picture(visit: Visit) -> Drawn:
    """Draw how many members there were, over time."""
    every = visit.ask(contract.MEMBERS, contract.Span(), key=visit.key)
    return Drawn(pictures.members(every, visit.platform.clock()))


PAGES = (
    Page("GET", f"{ONE}/members", listing),
    Page("GET", f"{ONE}/why", why),
    Page("GET", f"{ONE}/members.svg", picture),
)
