"""Changes that were asked for: what they would do, and deciding them."""

from typing import Any

from mainsequence.contract import guards as contract
from mainsequence.contract.operation import Operation
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.access import Role
from mainsequence.domain.guards import ChangeRequestRecord
from mainsequence.domain.plans import PlanRecord
from mainsequence.errors import ApprovalRequiredError
from mainsequence.server.pages.called import MOST, in_a_change
from mainsequence.server.pages.endpoint import ROOT
from mainsequence.server.pages.visits import Answer, Elsewhere, Page, Shown, Visit


def listing(visit: Visit) -> Shown:
    """Show what waits, or with ``all`` what was decided too; newest first."""
    every = visit.text("all") is not None
    filters = {} if every else {"status": "pending"}
    found = visit.ask(contract.QUERY_REQUESTS, Query(filters=filters, limit=MAX_PAGE)).results
    return Shown("requests.html", {"requests": found[::-1], "every": every})


def one(visit: Visit) -> Shown:
    """Show one request, and while it waits what it would do."""
    found = visit.ask(contract.REQUEST, None, key=visit.key)
    plan = _plan(visit, found)
    facts = {"request": found, "plan": plan, "most": MOST, "called": in_a_change(visit, plan)}
    return Shown("request.html", facts | {"may": _may(visit, found)})


def _plan(visit: Visit, found: ChangeRequestRecord) -> PlanRecord | None:
    if found.status != "pending":
        return None
    plan = visit.ask(contract.REQUEST_PLAN, None, key=found.id)
    others = [each for each in plan.objections if each.code != ApprovalRequiredError.code]
    return plan.model_copy(update={"objections": others})


def _may(visit: Visit, found: ChangeRequestRecord) -> set[str]:
    """Give what who looks could decide; whether they may is for the platform to say."""
    if visit.actor is None or visit.actor.role < Role.EDITOR or found.status not in ("pending", "stale"):
        return set()
    if visit.actor.name == found.author:
        return {"withdraw"}
    return {"reject"} if found.status == "stale" else {"approve", "reject"}


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
