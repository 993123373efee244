"""``mainsequence category guard``, ``requests``, ``approve`` and their like: changing a universe that many read."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.categories import Category, Reason, find, record_of
from mainsequence.cli.output import AsJson, say, show_one, show_rows
from mainsequence.cli.plans import show_plan

app = typer.Typer()

REQUESTS = (
    *("id", "status", "author", "requested_at", "revision", "enters", "leaves", "announcements", "decision"),
    *("definition", "reason", "decided_by", "comment"),
)
GUARD_HISTORY = ("number", "recorded_at", "actor", "reason", "guards")

Fraction = Annotated[float | None, typer.Option(help="The part of the members that may leave in one change, 0 to 1.")]
ForbidEmpty = Annotated[bool | None, typer.Option(help="Whether no change may leave it without members.")]
RequireReason = Annotated[bool | None, typer.Option(help="Whether a change must give a reason.")]
RequirePlan = Annotated[bool | None, typer.Option(help="Whether a change must be a plan that is applied.")]
Lock = Annotated[bool | None, typer.Option("--lock/--unlock", help="Whether its membership is frozen.")]
Approvers = Annotated[list[str] | None, typer.Option("--approver", help="One of those who approve changes; repeat it.")]
NoApprovers = Annotated[bool, typer.Option("--no-approvers", help="Changes need no approval any more.")]
Owners = Annotated[list[str] | None, typer.Option("--owner", help="One of those who may set guards; repeat it.")]
Number = Annotated[int, typer.Argument(metavar="REQUEST", help="The number of the change request.")]
Comment = Annotated[str | None, typer.Option(help="What is said with the decision.")]


@app.command("guard")
def guard(
    category: Category,
    max_removal_fraction: Fraction = None,
    forbid_empty: ForbidEmpty = None,
    require_reason: RequireReason = None,
    require_plan: RequirePlan = None,
    locked: Lock = None,
    approver: Approvers = None,
    no_approvers: NoApprovers = False,
    owner: Owners = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Show the guards of a universe, or set those that are named."""
    given: dict[str, Any] = {
        "max_removal_fraction": max_removal_fraction,
        "forbid_empty": forbid_empty,
        "require_reason": require_reason,
        "require_plan": require_plan,
        "locked": locked,
        "approvers": [] if no_approvers else approver or None,
        "owners": owner or None,
    }
    named = {name: value for name, value in given.items() if value is not None}
    found = find(category)
    guards = found.guard(reason=reason, **named) if named else found.guards()
    show_one(guards.model_dump(), as_json=as_json)


@app.command("guard-history")
def guard_history(category: Category, as_json: AsJson = False) -> None:
    """List every change of the guards: who, when, why."""
    rows = [each.model_dump() for each in find(category).guard_history()]
    show_rows(rows, GUARD_HISTORY, as_json=as_json, nothing="no guards were set")


@app.command("requests")
def requests(
    category: Annotated[str | None, typer.Argument(metavar="CATEGORY", help="By default of every universe.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that were decided, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what waits for approval: changes of members, announcements, decisions of rules, definitions."""
    of_one = {} if category is None else {"category": find(category).unique_identifier}
    undecided = {} if every else {"status": "pending"}
    found = msc.ChangeRequest.filter(**of_one, **undecided)
    rows = [each.model_dump() if as_json else each.model_dump() | _in_words(each) for each in found]
    show_rows(rows, REQUESTS, as_json=as_json, nothing="no change requests")


def _in_words(each: msc.ChangeRequest) -> dict[str, Any]:
    rule = None if each.rule is None else f"rule {each.rule.hash[:16]}"
    return {"decision": each.decision, "definition": each.expression or rule}


@app.command("request")
def request(number: Number, as_json: AsJson = False) -> None:
    """Show what a requested change would do."""
    show_plan(msc.ChangeRequest.get(number).plan(), as_json=as_json)


@app.command("approve")
def approve(number: Number, comment: Comment = None, as_json: AsJson = False) -> None:
    """Approve a change that somebody else asked for: exactly that is written."""
    _decided(msc.ChangeRequest.get(number).approve(comment), as_json=as_json)


@app.command("reject")
def reject(number: Number, comment: Comment = None, as_json: AsJson = False) -> None:
    """Decline a change that somebody else asked for."""
    _decided(msc.ChangeRequest.get(number).reject(comment), as_json=as_json)


@app.command("withdraw")
def withdraw(number: Number, comment: Comment = None, as_json: AsJson = False) -> None:
    """Take back a change that you asked for."""
    _decided(msc.ChangeRequest.get(number).withdraw(comment), as_json=as_json)


def _decided(found: msc.ChangeRequest, *, as_json: bool) -> None:
    show_one(found.model_dump(), as_json=as_json)


@app.command("deprecate")
def deprecate(
    category: Category,
    successor: Annotated[str | None, typer.Option(metavar="CATEGORY", help="The universe to read instead.")] = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Warn those who read a universe, and name the one to read instead."""
    made = find(category).deprecate(successor, reason=reason)
    show_one(record_of(made) | {"deprecated": made.deprecated and made.deprecated.model_dump()}, as_json=as_json)


@app.command("undeprecate")
def undeprecate(category: Category, as_json: AsJson = False) -> None:
    """Take a deprecation back."""
    show_one(record_of(find(category).undeprecate()), as_json=as_json)


@app.command("rename")
def rename(
    category: Category,
    unique_identifier: Annotated[str, typer.Argument(metavar="NAME", help="The new unique identifier.")],
    as_json: AsJson = False,
) -> None:
    """Give a universe another identifier; the old one goes on leading to it."""
    found = find(category)
    old = found.unique_identifier
    show_one(record_of(found.rename(unique_identifier)), as_json=as_json)
    say(f"{old} leads to {unique_identifier} from now on.")
