"""Changes that were asked for: what they would do, and deciding them."""

from collections.abc import Collection
from typing import Any

from mainsequence.contract import guards as contract
from mainsequence.contract.operation import Operation
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.access import Role
from mainsequence.domain.guards import ChangeRequestRecord
from mainsequence.domain.plans import PlanRecord
from mainsequence.errors import ApprovalRequiredError, ReasonRequiredError, RemovalGuardError
from mainsequence.server.pages.called import MOST, in_a_change
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Answer, Elsewhere, Page, Shown, Visit

AT_ONCE = 100
"""Requests on one page."""


def listing(visit: Visit) -> Shown:
    """Show what waits, or with ``all`` what was decided too; newest first."""
    every, before = visit.text("all") is not None, visit.text("before")
    found = newest(visit) if every else newest(visit, status="pending")
    if before is not None:
        last = Query.parse({"after": before}).after
        found = [each for each in found if last is None or each.id < last]
    earlier = found[AT_ONCE - 1].id if len(found) > AT_ONCE else None
    return Shown("requests.html", {"requests": found[:AT_ONCE], "every": every, "before": earlier})


def newest(visit: Visit, **filters: str) -> list[ChangeRequestRecord]:
    """Give every request that fits, newest first."""
    found: list[ChangeRequestRecord] = []
    after, more = None, True
    while more:
        part = visit.ask(contract.QUERY_REQUESTS, Query(filters=filters, limit=MAX_PAGE, after=after))
        found += part.results
        after, more = part.next_after, part.next_after is not None
    return found[::-1]


def one(visit: Visit) -> Shown:
    """Show one request, and while it waits what it would do."""
    found = visit.ask(contract.REQUEST, None, key=visit.key)
    approvers = visit.ask(contract.GUARDS, None, key=found.category_id).approvers
    plan = visit.ask(contract.REQUEST_PLAN, None, key=found.id) if found.status == "pending" else None
    facts = {"request": found, "approvers": approvers, "may": _may(visit, found, approvers), "most": MOST}
    return Shown("request.html", facts | _planned(found, plan) | {"called": in_a_change(visit, plan)})


def _planned(found: ChangeRequestRecord, plan: PlanRecord | None) -> dict[str, Any]:
    """Give the plan with the guards that still object, and those that the request goes past on purpose."""
    if plan is None:
        return {"plan": None, "past": []}
    met = {ApprovalRequiredError.code, *((ReasonRequiredError.code,) if found.reason else ())}
    past = [each for each in plan.objections if found.force and each.code == RemovalGuardError.code]
    others = [each for each in plan.objections if each.code not in met and each not in past]
    return {"plan": plan.model_copy(update={"objections": others}), "past": past}


def _may(visit: Visit, found: ChangeRequestRecord, approvers: Collection[str]) -> set[str]:
    """Give what who looks could decide; whether they may is for the platform to say. Owners may reject, too."""
    if visit.actor is None or visit.actor.role < Role.EDITOR or found.status not in ("pending", "stale"):
        return set()
    if visit.actor.name == found.author:
        return {"withdraw"}
    approves = found.status == "pending" and visit.actor.name in approvers
    return {"approve", "reject"} if approves else {"reject"}


def _deciding(operation: Operation[contract.Verdict, ChangeRequestRecord]) -> Answer:
    def decide(visit: Visit) -> Elsewhere:
        verdict: dict[str, Any] = {"comment": visit.text("comment")}
        decided = visit.ask(operation, contract.Verdict.parse(verdict), key=visit.key)
        return Elsewhere(f"{ROOT}/requests/{decided.id}")

    return decide


ONE = f"{ROOT}/requests/{{key}}"
PAGES = (
    Page("GET", f"{ROOT}/requests", listing),
    Page("GET", ONE, one),
    Page("POST", f"{ONE}/approve", _deciding(contract.APPROVE)),
    Page("POST", f"{ONE}/reject", _deciding(contract.REJECT)),
    Page("POST", f"{ONE}/withdraw", _deciding(contract.WITHDRAW)),
)
