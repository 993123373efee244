"""Checking that the history of a universe is what was recorded."""

from mainsequence.contract import categories, explanations
from mainsequence.server.pages.universes import ONE
from mainsequence.server.pages.visits import Page, Shown, Visit


def verify(visit: Visit) -> Shown:
    """Show what a check of the whole history finds, against a fingerprint too where one was kept elsewhere."""
    found = visit.ask(categories.GET, None, key=visit.key)
    expected = visit.text("fingerprint")
    report = visit.ask(explanations.VERIFY, explanations.Verification(expected_hash=expected), key=visit.key)
    return Shown("verified.html", {"universe": found, "report": report, "expected": expected})


PAGES = (Page("GET", f"{ONE}/verified", verify),)
