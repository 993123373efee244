"""What a change of a universe would do; nothing is changed."""

import re
from typing import Any

from mainsequence.contract import categories as contract
from mainsequence.contract import plans, resolution
from mainsequence.domain.resolution import ResolutionRequest
from mainsequence.errors import ValidationError
from mainsequence.server.pages.called import MOST, in_a_change
from mainsequence.server.pages.universes import ONE
from mainsequence.server.pages.visits import Page, Shown, Visit

_FIELDS = ("append", "remove", "effective_from", "effective_to")


def ask(visit: Visit) -> Shown:
    """Ask which assets would come in or go out, and show what that would do."""
    found = visit.ask(contract.GET, None, key=visit.key)
    given = {name: visit.text(name) for name in _FIELDS}
    facts: dict[str, Any] = {"universe": found, "given": given, "plan": None, "unclear": [], "most": MOST, "called": {}}
    named = {name: _listed(given[name]) for name in ("append", "remove")}
    if not any(named.values()):
        return Shown("what_if.html", facts)
    ids, facts["unclear"] = _resolved(visit, named)
    if not facts["unclear"]:
        dates = {name: given[name] for name in ("effective_from", "effective_to")}
        facts["plan"] = visit.ask(plans.PLAN, plans.PlanQuery.parse(ids | dates), key=visit.key)
        facts["called"] = in_a_change(visit, facts["plan"])
    return Shown("what_if.html", facts, 422 if facts["unclear"] else 200)


def _listed(text: str | None) -> list[str]:
    """Read one name from each line, or several between commas."""
    return [name for name in (each.strip() for each in re.split(r"[\r\n,;]+", text or "")) if name]


def _resolved(visit: Visit, named: dict[str, list[str]]) -> tuple[dict[str, list[int]], list[dict[str, Any]]]:
    """Find the assets that are named, and say of which names it is not clear whom they mean."""
    ids: dict[str, list[int]] = {}
    unclear: list[dict[str, Any]] = []
    for field, names in named.items():
        if names:
            table: Any = visit.ask(resolution.RESOLVE, ResolutionRequest(identifiers=names, repeats=True))
            report = table.to_pylist()
            ids[field] = [row["asset_id"] for row in report if row["asset_id"] is not None]
            unclear += [row for row in report if row["asset_id"] is None]
    if set(ids.get("append", ())) & set(ids.get("remove", ())):
        raise ValidationError("An asset is named both to come in and to go out.", hint="Name it once.")
    return ids, unclear


PAGES = (
    Page("GET", f"{ONE}/what-if", ask),
    Page("POST", f"{ONE}/what-if", ask),
)
