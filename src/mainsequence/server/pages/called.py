"""What assets are called, for people who do not know them by their identifiers."""

from collections.abc import Iterable

from mainsequence.contract import assets as contract
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.plans import PlanRecord, RecordedChange
from mainsequence.errors import NotFoundError
from mainsequence.server.pages.visits import Visit

MOST = 500
"""Assets of one kind that a page names."""


def called(visit: Visit, identifiers: Iterable[str]) -> dict[str, str]:
    """Give ticker and name of assets, by identifier, where they have others than that."""
    wanted = sorted(set(identifiers))
    asked = contract.AssetQuery(filters={"unique_identifier__in": wanted}, limit=len(wanted) or 1, include_retired=True)
    found = visit.ask(contract.QUERY, asked).results if wanted else []
    said = {each.unique_identifier: dict.fromkeys((each.ticker, each.name)) for each in found}
    return {key: ", ".join(name for name in names if name and name != key) for key, names in said.items()}


def named(visit: Visit, name: str) -> AssetRecord:
    """Give the asset with this identifier, or else with this ticker where one alone has it.

    Raises
    ------
    NotFoundError
        None has it, or several.
    """
    for field in ("unique_identifier", "ticker"):
        asked = contract.AssetQuery(filters={field: name}, limit=2, include_retired=field == "unique_identifier")
        found = visit.ask(contract.QUERY, asked).results
        if len(found) == 1:
            return found[0]
    raise NotFoundError(f"There is no one asset called {name!r}.", hint="Give its unique_identifier.")


def in_a_change(visit: Visit, did: RecordedChange | PlanRecord | None) -> dict[str, str]:
    """Give what the assets of a change are called that a page names."""
    if did is None:
        return {}
    shown = {each.unique_identifier for spells in (did.enters, did.leaves) for each in spells[:MOST]}
    shown |= {each.unique_identifier for each in did.reweighted[:MOST]}
    if isinstance(did, PlanRecord):
        shown |= {each.unique_identifier for each in did.held[:MOST]}
    return called(visit, shown)
