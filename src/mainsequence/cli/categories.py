"""``mainsequence category``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import AssetArguments, AssetFile, Where, Yes, confirm, filters, named_assets
from mainsequence.cli.output import AsJson, say, show_one, show_rows

if TYPE_CHECKING:
    from mainsequence.domain.categories import CategoryRecord

app = typer.Typer(no_args_is_help=True, help="Asset categories: named universes whose members hold over time.")

Category = Annotated[str, typer.Argument(metavar="CATEGORY", help="Unique identifier of the universe.")]
From = Annotated[str | None, typer.Option("--from", help="Start of validity; by default for all time.")]
To = Annotated[str | None, typer.Option("--to", help="End of validity, exclusive; by default open.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the history.")]
IfRevision = Annotated[int | None, typer.Option(help="Refuse unless the universe is at this revision.")]
Force = Annotated[bool, typer.Option("--force", help="Go past the guard against large removals.")]

LISTED = ("id", "unique_identifier", "display_name", "kind", "dated", "revision", "description")
HISTORY = ("revision", "recorded_at", "actor", "operation", "added", "removed", "reason")
RECORDED = ("change", "unique_identifier", "valid_from", "valid_to", "weight", "before", "after")
MEMBERS = ("id", "unique_identifier", "name", "ticker", "exchange_code", "weight")


def find(category: str) -> msc.AssetCategory:
    """Find a universe by its identifier."""
    from mainsequence.client.categories import find_universe

    return find_universe(category)


def record_of(category: CategoryRecord) -> dict[str, Any]:
    """Give the facts of a universe that commands print."""
    return {name: getattr(category, name) for name in (*LISTED, "created_at")}


@app.command("list")
def list_categories(where: Where = None, as_json: AsJson = False) -> None:
    """List universes, all or those that fit."""
    from mainsequence.domain.categories import CATEGORY_LOOKUPS

    found = msc.AssetCategory.filter(**filters(where, CATEGORY_LOOKUPS))
    show_rows(map(record_of, found), LISTED, as_json=as_json, nothing="no asset categories")


@app.command("show")
def show(category: Category, as_json: AsJson = False) -> None:
    """Show one universe: how many members it has now, and who reads it."""
    found = find(category)
    readers = [f"{each.kind} {each.identifier}" for each in found.references()]
    deprecated = {"deprecated": found.deprecated.model_dump()} if found.deprecated is not None else {}
    members = {"members": len(found.asset_ids()), "read_by": readers}
    show_one(record_of(found) | members | deprecated, as_json=as_json)


@app.command("create")
def create(
    unique_identifier: Annotated[str, typer.Argument(metavar="CATEGORY", help="The stable name of the universe.")],
    assets: AssetArguments = None,
    display_name: Annotated[str | None, typer.Option(help="The name for people; by default the identifier.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    dated: Annotated[bool, typer.Option("--dated", help="Let changes take effect when they are written.")] = False,
    file: AssetFile = None,
    exists_ok: Annotated[
        bool, typer.Option("--exists-ok", help="Accept a universe that exists already, as it is.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a universe, with first members where they are named."""
    create_it = msc.AssetCategory.get_or_create if exists_ok else msc.AssetCategory.create
    members = named_assets(assets, file) if assets or file else []
    described: dict[str, Any] = {"display_name": display_name, "description": description, "dated": dated}
    made = create_it(unique_identifier=unique_identifier, assets=members, **described)
    show_one(record_of(made), as_json=as_json)


@app.command("append")
def append(
    category: Category,
    assets: AssetArguments = None,
    file: AssetFile = None,
    effective_from: From = None,
    effective_to: To = None,
    reason: Reason = None,
    if_revision: IfRevision = None,
    as_json: AsJson = False,
) -> None:
    """Make assets members; those that are stay."""
    window: dict[str, Any] = {"effective_from": effective_from, "effective_to": effective_to}
    found, members = find(category), named_assets(assets, file)
    show_one(record_of(found.append_assets(members, **window, if_revision=if_revision, reason=reason)), as_json=as_json)


@app.command("remove")
def remove(
    category: Category,
    assets: AssetArguments = None,
    file: AssetFile = None,
    effective_from: From = None,
    effective_to: To = None,
    reason: Reason = None,
    if_revision: IfRevision = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Take assets out; those that are no members are left alone."""
    window: dict[str, Any] = {"effective_from": effective_from, "effective_to": effective_to}
    found, members = find(category), named_assets(assets, file)
    said: dict[str, Any] = {"if_revision": if_revision, "reason": reason, "force": force}
    show_one(record_of(found.remove_assets(members, **window, **said)), as_json=as_json)


@app.command("replace")
def replace(
    category: Category,
    assets: AssetArguments = None,
    file: AssetFile = None,
    effective_from: From = None,
    effective_to: To = None,
    reason: Reason = None,
    if_revision: IfRevision = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a universe exactly these assets, in one step that no reader sees half done."""
    window: dict[str, Any] = {"effective_from": effective_from, "effective_to": effective_to}
    found, members = find(category), named_assets(assets, file)
    said: dict[str, Any] = {"if_revision": if_revision, "reason": reason, "force": force}
    show_one(record_of(found.update_assets(members, **window, **said)), as_json=as_json)


@app.command("members")
def members(
    category: Category,
    as_of: Annotated[str | None, typer.Option(help="When they are members; by default now.")] = None,
    revision: Annotated[int | None, typer.Option(help="As recorded at this revision; by default the head.")] = None,
    known_at: Annotated[str | None, typer.Option(help="As known at this time; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the members of a universe: at a time, as recorded at a revision or known at a time."""
    found = find(category)
    at_head = revision is None and known_at is None and found.pin is None and found.kind != "expression"
    at = found.revision if at_head else revision
    weights = found.weights(as_of, revision=at, known_at=known_at)
    rows = [
        {name: getattr(each, name) for name in MEMBERS[:-1]} | {"weight": weights.get(each.unique_identifier)}
        for each in found.get_assets(as_of, revision=at, known_at=known_at)
    ]
    show_rows(rows, MEMBERS, as_json=as_json, nothing="no members")


@app.command("history")
def history(
    category: Category,
    revision: Annotated[
        int | None, typer.Option(help="What this one did: who gained and lost time as members.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every revision: who, when, why, how many; or what one of them did."""
    if revision is not None:
        show_rows(_recorded(category, revision), RECORDED, as_json=as_json, nothing="no member changed")
        return
    rows = [each.model_dump() for each in find(category).history()]
    rare = tuple(name for name in ("announced", "approved_by") if any(row[name] for row in rows))
    show_rows(rows, HISTORY + rare, as_json=as_json, nothing="no revisions")


def _recorded(category: str, revision: int) -> list[dict[str, Any]]:
    found = find(category).recorded_change(revision)
    changed = (("enters", found.enters), ("leaves", found.leaves), ("reweighted", found.reweighted))
    return [
        {"change": name, "weight": None, "before": None, "after": None} | each.model_dump()
        for name, spells in changed
        for each in spells
    ]


@app.command("delete")
def delete(category: Category, yes: Yes = False) -> None:
    """Delete a universe with its history, unless something reads it."""
    found = find(category)
    confirm(f"Delete {found.unique_identifier} with its {found.revision} revisions?", yes=yes)
    found.delete()
    say(f"{found.unique_identifier} is deleted.")
