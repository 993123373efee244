"""``mainsequence category diff``, ``explain``, ``revert`` and ``verify``: the past of universes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.categories import Category, IfRevision, Reason, app, find, record_of
from mainsequence.cli.output import AsJson, say, show_json, show_one, show_rows
from mainsequence.errors import ValidationError

__all__ = ["app"]

AsOf = Annotated[str | None, typer.Option(help="When members are asked for; by default now, at a pin its time.")]


@app.command("diff")
def diff(
    category: Annotated[str, typer.Argument(metavar="CATEGORY", help="A universe, pinned (name@12) or not.")],
    a: Annotated[
        str, typer.Argument(metavar="A", help="Another universe, pinned or not; or a revision, date or time.")
    ],
    b: Annotated[str | None, typer.Argument(metavar="[B]", help="A later revision, date or time.")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Compare two universes, or two revisions or dates of one: who entered, left, was reweighted."""
    if b is None:
        found = find(category).diff(find(a), as_of=as_of)
    else:
        found = find(category).diff(_state(a), _state(b), as_of=as_of)
    changes: dict[str, Sequence[Any]] = {"entered": found.entered, "left": found.left, "reweighted": found.reweighted}
    rows = [
        {"change": change, "id": each.id, "unique_identifier": each.unique_identifier, "name": each.name}
        for change, assets in changes.items()
        for each in assets
    ]
    show_rows(rows, ("change", "id", "unique_identifier", "name"), as_json=as_json, nothing="no difference")


def _state(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


@app.command("explain")
def explain(
    category: Category,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Unique identifier, or id.")],
    as_of: AsOf = None,
    revision: Annotated[int | None, typer.Option(help="As recorded at this revision; by default the head.")] = None,
    known_at: Annotated[str | None, typer.Option(help="As known at this time; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why an asset is in a universe, or is not: since when, until when, by which revision, whose, and why."""
    from mainsequence.cli.naming import find_asset

    found = find(category).explain(find_asset(asset), as_of, revision=revision, known_at=known_at)
    if as_json:
        show_json(found.model_dump(mode="json"))
    else:
        typer.echo("\n".join(found.sentences()))


@app.command("revert")
def revert(
    category: Category,
    to: Annotated[str, typer.Option("--to", help="The revision to go back to, or a time: what was known then.")],
    reason: Reason = None,
    if_revision: IfRevision = None,
    leave_retired_out: Annotated[
        bool, typer.Option("--leave-retired-out", help="Leave assets that were retired since as they are now.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Go past the guard against large removals.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the membership exactly what it was, with its dates and weights, as a new revision."""
    found = find(category)
    before = found.revision
    found.revert(_state(to), reason=reason, if_revision=if_revision, leave_retired_out=leave_retired_out, force=force)
    if found.revision == before:
        say(f"{found.unique_identifier} is like that already; nothing was changed.")
    show_one(record_of(found), as_json=as_json)


@app.command("verify")
def verify(
    category: Annotated[str | None, typer.Argument(metavar="[CATEGORY]", help="The universe; or give --all.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Check every universe.")] = False,
    expected_hash: Annotated[
        str | None, typer.Option("--expected-hash", help="A fingerprint of the universe that was kept elsewhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that the history is what was recorded; exit 1 where anything was edited or cut off."""
    if (category is None) != every or (every and expected_hash is not None):
        raise ValidationError("Say what to check.", hint="Name a universe, or give --all without --expected-hash.")
    chosen = msc.AssetCategory.iter_filter() if category is None else [find(category)]
    reports = [each.verify(expected_hash) for each in chosen]
    if as_json:
        show_json([each.model_dump(mode="json") | {"ok": each.ok} for each in reports])
    else:
        typer.echo("\n".join(map(str, reports)) or "no asset categories")
    if not all(reports):
        raise typer.Exit(1)
