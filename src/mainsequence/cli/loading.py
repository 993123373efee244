"""Lists: ``mainsequence category load``, ``export``, ``load-index``, ``indices`` and ``mainsequence asset resolve``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.categories import Category, Force, IfRevision, Reason, find
from mainsequence.cli.naming import read_text
from mainsequence.cli.output import AsJson, flat_records, say, show_json, show_one, show_rows
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    from mainsequence.client.lists.load_report import LoadReport
    from mainsequence.client.lists.report import ResolutionReport

app = typer.Typer()
asset_app = typer.Typer()

Identifier = Annotated[
    str | None,
    typer.Option(
        "--identifier",
        "-i",
        help="What the list names its assets by: isin, figi, ticker, ticker,exchange_code …; by default what its "
        "column is called.",
    ),
]
Exchanges = Annotated[
    list[str] | None, typer.Option("--exchange", help="An exchange to prefer among listings; repeat it, best first.")
]
Prefer = Annotated[str | None, typer.Option(help="Which listing to prefer: composite or primary.")]
Skip = Annotated[bool, typer.Option("--skip-unresolved", help="Leave out rows that are not resolved, and say so.")]
Register = Annotated[
    bool, typer.Option("--register-missing", help="Register what nobody is known for as custom assets.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would change.")]
EffectiveFrom = Annotated[str | None, typer.Option("--from", help="When a list without dates takes effect.")]

FINDINGS = ("row", "kind", "identifier", "message")
RESOLUTION = ("row", "identifier", "exchange_code", "outcome", "unique_identifier", "why", "nearest")


@app.command("load")
def load(
    category: Category,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON, Parquet, Excel, qlib's, text, or a folder.")],
    *,
    identifier: Identifier = None,
    column: Annotated[
        list[str] | None, typer.Option(help="A column's role, as role=column: end='Removed on'; repeat it.")
    ] = None,
    mode: Annotated[str, typer.Option(help="replace, append or history.")] = "replace",
    as_of: Annotated[str | None, typer.Option(help="When assets were called so; by default when it counts.")] = None,
    effective_from: EffectiveFrom = None,
    announced: Annotated[str | None, typer.Option(help="When the changes were announced.")] = None,
    exchange: Exchanges = None,
    prefer: Prefer = None,
    skip_unresolved: Skip = False,
    repair: Annotated[bool, typer.Option("--repair", help="Join overlaps, leave out rows that hold no time.")] = False,
    register_missing: Register = False,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Let a list of nobody empty it.")] = False,
    weights_sum_to: Annotated[float | None, typer.Option(help="Refuse weights that sum to something else.")] = None,
    tolerance: Annotated[float, typer.Option(help="How far weights may be off.")] = 1e-6,
    format: Annotated[str | None, typer.Option(help="What kind of file; by default as it ends.")] = None,  # noqa: A002
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; by default the first.")] = None,
    date_format: Annotated[str | None, typer.Option(help="How dates are written, for strptime.")] = None,
    inclusive_ends: Annotated[bool, typer.Option("--inclusive-ends", help="Ends are the last day that holds.")] = False,
    if_revision: IfRevision = None,
    reason: Reason = None,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load a list into a universe: one revision, all or nothing. Exits 1 where rows stand against it."""
    how: dict[str, Any] = {"columns": _roles(column), "mode": mode, "as_of": as_of, "effective_from": effective_from}
    how |= {"announced": announced, "weights_sum_to": weights_sum_to, "tolerance": tolerance, "format": format}
    how |= {"sheet": sheet, "date_format": date_format, "ends": "inclusive" if inclusive_ends else "exclusive"}
    how |= _choices(exchange, prefer, skip=skip_unresolved, repair=repair)
    how |= {"if_revision": if_revision, "reason": reason, "force": force, "register_missing": register_missing}
    found, kind = find(category), _kind(identifier)
    _carry_out(
        lambda dry: found.load(file, identifier=kind, allow_empty=allow_empty, **how, dry_run=dry), dry_run, as_json
    )


@app.command("load-index")
def load_index(
    name: Annotated[str, typer.Argument(metavar="INDEX", help="Such as 'S&P 500'; `indices` lists them.")],
    category: Annotated[str | None, typer.Option(help="The universe; by default from the name.")] = None,
    effective_from: EffectiveFrom = None,
    exchange: Exchanges = None,
    prefer: Prefer = None,
    skip_unresolved: Skip = False,
    register_missing: Register = False,
    reason: Reason = None,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load the members of an index, as a package brings them, into a universe that is created where there is none."""
    how: dict[str, Any] = _choices(exchange, prefer, skip=skip_unresolved, repair=True)
    how |= {"unique_identifier": category, "effective_from": effective_from, "register_missing": register_missing}
    how |= {"reason": reason, "force": force}
    _carry_out(lambda dry: msc.AssetCategory.load_index(name, **how, dry_run=dry), dry_run, as_json)


@app.command("indices")
def indices(as_json: AsJson = False) -> None:
    """List the indices that load-index knows."""
    show_rows([{"index": name} for name in msc.AssetCategory.available_indices()], ("index",), as_json=as_json)


@app.command("export")
def export(
    category: Category,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; its end says the format.")],
    format: Annotated[  # noqa: A002
        str | None, typer.Option(help="csv, tsv, json, parquet, excel, qlib or text.")
    ] = None,
    layout: Annotated[str, typer.Option(help="intervals, snapshot or snapshots.")] = "intervals",
    as_of: Annotated[str | None, typer.Option(help="When members are members, for a snapshot; by default now.")] = None,
    identifier: Annotated[str, typer.Option("--identifier", "-i", help="What to call assets.")] = "unique_identifier",
    revision: Annotated[int | None, typer.Option(help="As recorded at this revision; by default the head.")] = None,
    known_at: Annotated[str | None, typer.Option(help="As known at this time; by default now.")] = None,
    allow_loss: Annotated[bool, typer.Option("--allow-loss", help="Write what the format can hold.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a universe as a list that load reads back, or refuse where the format cannot hold it."""
    state: dict[str, Any] = {"revision": revision, "known_at": known_at, "as_of": as_of, "layout": layout}
    made = find(category).export(file, format=format, identifier=identifier, **state, allow_loss=allow_loss)
    facts = {"path": str(made.path), "format": made.format, "layout": made.layout.value, "rows": made.rows}
    show_one(facts | {"lost": list(made.lost)}, as_json=as_json)


@asset_app.command("resolve")
def resolve(
    identifiers: Annotated[
        list[str] | None, typer.Argument(metavar="IDENTIFIER", help="Identifiers; with --exchange-code, tickers.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="One on each line; - is standard input.")] = None,
    kind: Annotated[str, typer.Option("--kind", "-k", help="isin, figi, ticker, name …; any of them.")] = "any",
    exchange_code: Annotated[str | None, typer.Option(help="The exchange of all of them.")] = None,
    as_of: Annotated[str | None, typer.Option(help="When they were called so; by default now.")] = None,
    exchange: Exchanges = None,
    prefer: Prefer = None,
    as_json: AsJson = False,
) -> None:
    """Say which asset each identifier means, or why none. Exits 1 where one is not resolved."""
    names = [*(identifiers or ()), *(_lines(file) if file is not None else ())]
    pairs: list[Any] = names if exchange_code is None else [(name, exchange_code) for name in names]
    report = msc.Asset.resolve(pairs, kind, as_of=as_of, policy=_policy(exchange, prefer))
    show_rows(report.rows(), RESOLUTION, as_json=as_json, nothing="no identifiers")
    say(_counted(report))
    raise typer.Exit(report.exit_code)


def _lines(file: Path) -> list[str]:
    text = sys.stdin.read() if str(file) == "-" else read_text(file)
    return [line.strip() for line in text.splitlines() if line.strip()]


def _kind(identifier: str | None) -> Any:
    return tuple(identifier.split(",")) if identifier is not None and "," in identifier else identifier


def _roles(pairs: Sequence[str] | None) -> dict[str, str] | None:
    wrong = [pair for pair in pairs or () if "=" not in pair]
    if wrong:
        raise ValidationError(f"{wrong[0]!r} gives no column a role.", hint="Write it like end='Removed on'.")
    return {role: name for role, _, name in (pair.partition("=") for pair in pairs)} if pairs else None


def _policy(exchange: Sequence[str] | None, prefer: str | None) -> Any:
    return msc.ListingPolicy.parse({"preferred_exchanges": tuple(exchange or ()), "prefer": prefer})


def _choices(exchange: Sequence[str] | None, prefer: str | None, *, skip: bool, repair: bool) -> dict[str, Any]:
    unresolved, faults = "skip" if skip else "refuse", "repair" if repair else "refuse"
    return {"policy": _policy(exchange, prefer), "on_unresolved": unresolved, "on_faults": faults}


def _carry_out(load_it: Any, dry_run: bool, as_json: bool) -> None:
    """Load, or say what that would do; a list that is refused is reported like a dry run."""
    try:
        report: LoadReport = load_it(dry_run)
    except msc.ListRefusedError as error:
        report = error.report
    _show(report, as_json=as_json)
    raise typer.Exit(report.exit_code)


def _show(report: LoadReport, *, as_json: bool) -> None:
    findings = flat_records(report.to_frame())
    if as_json:
        show_json(report.facts() | {"findings": findings, "counts": report.counts})
        return
    show_one({name: value for name, value in report.facts().items() if value not in (None, {}, [])}, as_json=False)
    if findings:
        typer.echo("")
        show_rows(findings, FINDINGS, as_json=False)
    if report.is_dry_run and report.ok:
        say("Nothing was changed: this was a dry run.")
    if not report.ok:
        say("Refused: nothing was changed.")


def _counted(report: ResolutionReport) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in report.counts.items()) or "no identifiers"
