"""``mainsequence category plan`` and ``apply``: see what would happen, then let exactly that happen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.categories import Category, Force, From, IfRevision, Reason, To, find, record_of
from mainsequence.cli.naming import find_assets, named_assets, read_text
from mainsequence.cli.output import AsJson, say, show_one
from mainsequence.errors import ValidationError

app = typer.Typer()

Named = list[str] | None
Replace = Annotated[Named, typer.Option(metavar="ASSET", help="Make the universe exactly these; repeat it.")]
Append = Annotated[Named, typer.Option(metavar="ASSET", help="Make this a member; repeat it.")]
Remove = Annotated[Named, typer.Option(metavar="ASSET", help="Take this out; repeat it.")]
ReplaceFile = Annotated[Path | None, typer.Option(help="A file with those to replace by; - is standard input.")]
AppendFile = Annotated[Path | None, typer.Option(help="A file with those to append.")]
Weights = Annotated[
    Named,
    typer.Option(metavar="ASSET=WEIGHT", help="What one that is appended, replaced by or stays weighs; repeat it."),
]
RemoveFile = Annotated[Path | None, typer.Option(help="A file with those to remove.")]


@app.command("plan")
def plan(
    category: Category,
    *,
    replace: Replace = None,
    append: Append = None,
    remove: Remove = None,
    replace_file: ReplaceFile = None,
    append_file: AppendFile = None,
    remove_file: RemoveFile = None,
    expression: Annotated[
        str | None, typer.Option(help="Make it from this, where it is made from other universes.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Decide what its rule has not decided yet.")] = False,
    weight: Weights = None,
    effective_from: From = None,
    effective_to: To = None,
    if_revision: IfRevision = None,
    as_json: AsJson = False,
) -> None:
    """Say what a change would do: who enters and leaves, who reads it, what would be missing. Nothing is changed."""
    named = {"replace": (replace, replace_file), "append": (append, append_file), "remove": (remove, remove_file)}
    wanted: dict[str, Any] = {what: named_assets(names, file) for what, (names, file) in named.items() if names or file}
    if expression is not None:
        wanted["expression"] = expression
    if weight:
        wanted["weights"] = _weights(weight)
    if refresh:
        show_plan(_refresh(category, wanted), as_json=as_json)
        return
    window: dict[str, Any] = {"effective_from": effective_from, "effective_to": effective_to}
    show_plan(find(category).plan(**wanted, **window, if_revision=if_revision), as_json=as_json)


def _refresh(category: str, wanted: dict[str, Any]) -> msc.Plan:
    if wanted:
        raise ValidationError("--refresh plans what a rule decides, and nothing besides.", hint="Plan one at a time.")
    return find(category).plan_refresh()


def _weights(pairs: list[str]) -> dict[int, float]:
    """Read pairs such as ``PG=0.5``, by id of the asset."""
    names, _, numbers = zip(*(each.rpartition("=") for each in pairs), strict=True)
    try:
        weights = [float(each) for each in numbers]
    except ValueError as error:
        raise ValidationError(f"A weight cannot be read: {error}.", hint="Write it like PG=0.5.") from None
    return dict(zip((each.id for each in find_assets(names)), weights, strict=True))


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="A file that plan --json wrote; - is standard input.")],
    reason: Reason = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write exactly what was planned, unless the universe has moved since."""
    made = msc.Plan.from_json(sys.stdin.read() if str(file) == "-" else read_text(file))
    applied = made.apply(reason, force=force)
    say(made.summary)
    show_one(record_of(applied), as_json=as_json)


def show_plan(plan: msc.Plan, *, as_json: bool) -> None:
    """Print a plan: as JSON that ``apply`` takes, in colour on a terminal, else as text."""
    if as_json:
        typer.echo(plan.to_json())
    elif sys.stdout.isatty():
        _coloured(plan)
    else:
        typer.echo(str(plan))


def _coloured(plan: msc.Plan) -> None:
    from rich.console import Console
    from rich.text import Text

    from mainsequence.client.plan_views import COLOURS, lines

    console = Console()
    for line in lines(plan):
        console.print(Text(str(line), style="bold" if line.sign == "#" else COLOURS.get(line.sign, "")))
