"""``mainsequence routing``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import Where, Yes, confirm, filters, find_assets
from mainsequence.cli.output import AsJson, complain, say, show_json, show_one, show_rows

app = typer.Typer(no_args_is_help=True, help="Asset translation tables: which stored series serves an asset.")

Table = Annotated[str, typer.Argument(metavar="TABLE", help="Unique identifier of the translation table.")]

RULES = ("id", "asset_filter", "series", "target_exchange_code", "column")
FAILURES = ("unique_identifier", "status", "explanation")


def find(table: str) -> msc.AssetTranslationTable:
    """Find a translation table by its identifier."""
    return msc.AssetTranslationTable.get(unique_identifier=table)


def rules_of(table: msc.AssetTranslationTable) -> list[dict[str, Any]]:
    """Give the rules of a table as commands print them."""
    return [
        {"id": rule.id, "asset_filter": rule.asset_filter.conditions}
        | dict(zip(("series", "target_exchange_code", "column"), rule.target, strict=True))
        for rule in table.rules
    ]


def record_of(table: msc.AssetTranslationTable) -> dict[str, Any]:
    """Give the facts of a table that commands print."""
    facts = {"id": table.id, "unique_identifier": table.unique_identifier, "rules": rules_of(table)}
    return facts | {"rules_hash": table.rules_hash, "created_at": table.created_at}


@app.command("list")
def list_tables(where: Where = None, as_json: AsJson = False) -> None:
    """List translation tables, all or those that fit."""
    from mainsequence.domain.routing import TABLE_LOOKUPS

    found = [record_of(each) for each in msc.AssetTranslationTable.filter(**filters(where, TABLE_LOOKUPS))]
    rows = found if as_json else [each | {"rules": len(each["rules"])} for each in found]
    show_rows(rows, ("id", "unique_identifier", "rules"), as_json=as_json, nothing="no translation tables")


@app.command("show")
def show(table: Table, as_json: AsJson = False) -> None:
    """Show the rules of one translation table."""
    found = find(table)
    if as_json:
        show_one(record_of(found), as_json=True)
    else:
        _show_rules(found, as_json=False)


def _show_rules(table: msc.AssetTranslationTable, *, as_json: bool) -> None:
    rows = rules_of(table)
    if not as_json:
        rows = [row | {"asset_filter": str(rule.asset_filter)} for row, rule in zip(rows, table.rules, strict=True)]
    show_rows(rows, RULES, as_json=as_json, nothing="no rules")


@app.command("add-rule")
def add_rule(
    table: Table,
    series: Annotated[str, typer.Option(help="Unique identifier of the series that serves these assets.")],
    security_type: Annotated[str | None, typer.Option(help="Only assets of this security type.")] = None,
    security_type_2: Annotated[str | None, typer.Option(help="Only assets of this second security type.")] = None,
    security_market_sector: Annotated[str | None, typer.Option(help="Only assets of this market sector.")] = None,
    exchange_code: Annotated[str | None, typer.Option(help="Only assets listed on this exchange.")] = None,
    asset_ticker_group_id: Annotated[str | None, typer.Option(help="Only listings of this share class.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only the asset of this unique identifier.")] = None,
    target_exchange: Annotated[
        str | None, typer.Option(help="Read the listing of the same share class on this exchange instead.")
    ] = None,
    column: Annotated[str, typer.Option(help="The column to take by default.")] = "close",
    as_json: AsJson = False,
) -> None:
    """Add a rule, or give the rule of the same filter a new target; the table is made where there is none."""
    asset_filter = msc.AssetFilter(
        security_type=security_type,
        security_type_2=security_type_2,
        security_market_sector=security_market_sector,
        exchange_code=exchange_code,
        asset_ticker_group_id=asset_ticker_group_id,
        unique_identifier=asset,
    )
    rule = msc.AssetTranslationRule(
        asset_filter=asset_filter,
        markets_time_serie_unique_identifier=series,
        target_exchange_code=target_exchange,
        default_column_name=column,
    )
    with _said_warnings():
        found = msc.AssetTranslationTable.get_or_create(translation_table_identifier=table, rules=[rule])
    _show_rules(found, as_json=as_json)


@contextmanager
def _said_warnings() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for each in caught:
        complain("Warning", str(each.message))


@app.command("remove-rule")
def remove_rule(
    table: Table,
    rule_ids: Annotated[list[int], typer.Argument(metavar="RULE_ID", help="Ids of rules, as show lists them.")],
    as_json: AsJson = False,
) -> None:
    """Take rules out of a translation table."""
    _show_rules(find(table).remove_rules(rule_ids=rule_ids), as_json=as_json)


@app.command("check")
def check(
    table: Table,
    category: Annotated[str | None, typer.Option(help="Route the members of this universe.")] = None,
    asset: Annotated[
        list[str] | None, typer.Option(help="Route this asset, by unique identifier or id; repeat it.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="Members at this time; by default now.")] = None,
    revision: Annotated[int | None, typer.Option(help="Members as recorded at this revision.")] = None,
    check_series: Annotated[
        bool, typer.Option("--series/--no-series", help="Look into the routed series too, or at the rules only.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Report who is served and who is not: a universe, some assets, or every registered one; exit 1 when not ok."""
    assets = find_assets(asset) if asset else None
    state: dict[str, Any] = {"as_of": as_of, "revision": revision}
    report = find(table).coverage(category, assets=assets, check_series=check_series, **state)
    _show_report(report, as_json=as_json)
    raise typer.Exit(report.exit_code)


def _show_report(report: msc.CoverageReport, *, as_json: bool) -> None:
    errors = report.errors()
    if as_json:
        show_json(_report_record(report, {name: error.message for name, error in errors.items()}))
        return
    if errors:
        status = {each.unique_identifier: each.status.value for each in report.failures}
        rows = [
            {"unique_identifier": name, "status": status[name], "explanation": error.message}
            for name, error in errors.items()
        ]
        show_rows(rows, FAILURES, as_json=False)
        typer.echo("")
    typer.echo(report.summary())


def _report_record(report: msc.CoverageReport, explanations: dict[str, str]) -> dict[str, Any]:
    facts = report.facts
    assets = [
        each.model_dump(mode="json") | {"explanation": explanations.get(each.unique_identifier)}
        for each in report.assets
    ]
    return {
        "ok": report.ok,
        "table": facts.table.unique_identifier,
        "rules_hash": facts.table.rules_hash,
        "category": facts.category,
        "revision": facts.revision,
        "as_of": facts.as_of,
        "counts": {status.value: count for status, count in report.counts.items()},
        "dead_rules": [rule.id for rule in report.dead_rules],
        "overlaps": [each.model_dump(mode="json") for each in report.overlaps],
        "possible_overlaps": [each.model_dump(mode="json", exclude={"witness"}) for each in report.possible_overlaps],
        "series": facts.series,
        "assets": assets,
    }


@app.command("delete")
def delete(table: Table, yes: Yes = False) -> None:
    """Delete a translation table with its rules, unless something refers to it."""
    found = find(table)
    confirm(f"Delete {found.unique_identifier} with its {len(found.rules)} rules?", yes=yes)
    found.delete()
    say(f"{found.unique_identifier} is deleted.")
