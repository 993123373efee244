"""``mainsequence category reconcile``, ``freshness``, ``check-weights`` and ``upcoming``: is a universe well kept?"""

from __future__ import annotations

from typing import Annotated

import typer

import mainsequence.client as msc
from mainsequence.cli.categories import Category, find
from mainsequence.cli.output import AsJson, flat_records, frame_records, say, show_json, show_one, show_rows
from mainsequence.errors import ValidationError

app = typer.Typer()

Start = Annotated[str | None, typer.Option(help="From here on.")]
End = Annotated[str | None, typer.Option(help="Until here, exclusive.")]

DISAGREEMENTS = ("unique_identifier", "start", "end", "days", "in", "out", "weight")
FRESHNESS = ("unique_identifier", "is_stale", "moves", "last_moved_at", "days_since", "allowed_days", "next_move_at")
SUMS = ("start", "end", "members", "unweighted", "total", "off_by", "ok")
CHANGES = ("effective_at", "unique_identifier", "change", "weight", "announced_at", "recorded_at")


@app.command("reconcile")
def reconcile(
    categories: Annotated[list[str], typer.Argument(metavar="CATEGORY", help="Two universes or more.")],
    start: Start = None,
    end: End = None,
    picture: Annotated[
        str | None, typer.Option(help="Draw agreement over time into this file (needs matplotlib).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare sources of one universe over time: every disagreement, the longest first. Exits 1 where there is one."""
    report = msc.AssetCategory.reconcile(categories, start, end)
    if picture is not None:
        report.plot().figure.savefig(picture)
    if as_json:
        by_time = [{"time": row["time"], **row} for row in frame_records(report.by_time())]
        show_json(report.summary() | {"by_time": by_time, "rows": report.rows()})
    else:
        show_one(report.summary(), as_json=False)
        typer.echo("")
        show_rows(report.rows(), DISAGREEMENTS, as_json=False, nothing="no disagreement")
    raise typer.Exit(report.exit_code)


@app.command("freshness")
def freshness(
    categories: Annotated[list[str] | None, typer.Argument(metavar="CATEGORY", help="Universes to ask about.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Ask about every universe.")] = False,
    at: Annotated[str | None, typer.Option(help="When to ask; by default now.")] = None,
    quantile: Annotated[float, typer.Option(help="Which of its own gaps between moves counts as usual.")] = 0.99,
    factor: Annotated[float, typer.Option(help="How many times that is too long.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Say which universes have not moved for longer than their own history suggests. Exits 1 where one is stale."""
    if bool(categories) == every:
        raise ValidationError("Say which universes.", hint="Name them, or give --all.")
    asked = list(msc.AssetCategory.iter_filter()) if every else [find(name) for name in categories or ()]
    found = [each.freshness(at, quantile=quantile, factor=factor) for each in asked]
    show_rows([each.model_dump() for each in found], FRESHNESS, as_json=as_json, nothing="no asset categories")
    stale = [each.unique_identifier for each in found if each.is_stale]
    if stale:
        say(f"Stale: {', '.join(stale)}.")
    raise typer.Exit(1 if stale else 0)


@app.command("check-weights")
def check_weights(
    category: Category,
    start: Start = None,
    end: End = None,
    sum_to: Annotated[float, typer.Option(help="What they must sum to.")] = 1.0,
    tolerance: Annotated[float, typer.Option(help="How far they may be off.")] = 1e-6,
    every: Annotated[bool, typer.Option("--all", help="List what is right too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List when the weights of a universe do not sum to what they must. Exits 1 where there is such a time."""
    frame = find(category).check_weights(start, end, sum_to=sum_to, tolerance=tolerance)
    wrong = frame[~frame["ok"]]
    rows = flat_records(frame if every else wrong)
    show_rows(rows, SUMS, as_json=as_json, nothing="all sums are right")
    raise typer.Exit(1 if len(wrong) else 0)


@app.command("upcoming")
def upcoming(
    category: Category,
    as_of: Annotated[str | None, typer.Option(help="Ahead of this time, known by then; by default now.")] = None,
    until: Annotated[str | None, typer.Option(help="Leave out changes from here on.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the changes of a universe that lie ahead and are known: when they take effect, since when that is known."""
    rows = flat_records(find(category).upcoming(as_of, until))
    show_rows(rows, CHANGES, as_json=as_json, nothing="nothing ahead")
