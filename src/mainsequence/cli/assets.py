"""``mainsequence asset``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import AssetArgument, Where, Yes, confirm, filters, find_asset, read_text
from mainsequence.cli.output import AsJson, say, show_one, show_rows
from mainsequence.errors import ValidationError

app = typer.Typer(no_args_is_help=True, help="Assets: the identity of instruments.")

LISTED = ("id", "unique_identifier", "name", "ticker", "exchange_code", "security_type", "retired_at")
CLASSES = ("security_type", "security_type_2", "security_market_sector", "effective_from", "effective_to")
NAMES = ("name", "ticker", "exchange_code", "effective_from", "effective_to")
FIELDS = (
    *("id", "unique_identifier", "name", "ticker", "exchange_code", "asset_ticker_group_id"),
    *("figi", "composite", "share_class", "isin", "security_type", "security_type_2", "security_market_sector"),
    *("is_tradable", "is_custom_by_organization", "calendar_name", "retired_at"),
)


def record_of(asset: msc.Asset) -> dict[str, Any]:
    """Give the facts of an asset that commands print."""
    return {name: getattr(asset, name) for name in FIELDS}


@app.command("list")
def list_assets(
    where: Where = None,
    retired: Annotated[bool, typer.Option("--retired", help="Include retired assets.")] = False,
    as_json: AsJson = False,
) -> None:
    """List assets, all or those that fit."""
    from mainsequence.domain.assets import ASSET_LOOKUPS

    found = msc.Asset.query(10_000, include_retired=retired, **filters(where, ASSET_LOOKUPS))
    show_rows(map(record_of, found), LISTED, as_json=as_json, nothing="no assets")


@app.command("show")
def show(asset: AssetArgument, as_json: AsJson = False) -> None:
    """Show one asset, and what it was called and classified as over time."""
    found = find_asset(asset)
    universes = [each.unique_identifier for each in msc.AssetCategory.containing(found)]
    names = [each.model_dump() for each in found.snapshots()]
    classes = [each.model_dump() for each in found.classifications()]
    past = {"snapshots": names, "classifications": classes}
    show_one(record_of(found) | {"categories": universes} | (past if as_json else {}), as_json=as_json)
    if not as_json:
        for rows, columns in ((names, NAMES), (classes, CLASSES)):
            typer.echo("")
            show_rows(rows, columns, as_json=False)


@app.command("register")
def register(
    unique_identifier: Annotated[
        str | None, typer.Argument(metavar="UNIQUE_IDENTIFIER", help="The stable key of the asset.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What it is called; by default its identifier.")] = None,
    ticker: Annotated[str | None, typer.Option(help="Its ticker.")] = None,
    exchange_code: Annotated[str | None, typer.Option(help="Composite exchange code or MIC.")] = None,
    security_type: Annotated[str | None, typer.Option(help="Such as Common Stock.")] = None,
    security_market_sector: Annotated[str | None, typer.Option(help="Such as Equity.")] = None,
    figi: Annotated[str | None, typer.Option(help="Its FIGI; alone, without an identifier, it is looked up.")] = None,
    isin: Annotated[str | None, typer.Option(help="Its ISIN.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A CSV file; its header names the fields.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register an asset, or all of a CSV file; those that exist are left as they are."""
    described = {"name": name, "ticker": ticker, "exchange_code": exchange_code, "security_type": security_type}
    described |= {"security_market_sector": security_market_sector, "figi": figi, "isin": isin}
    given = {field: value for field, value in described.items() if value is not None}
    show_rows(map(record_of, _register(unique_identifier, given, file)), LISTED, as_json=as_json)


def _register(unique_identifier: str | None, given: dict[str, str], file: Path | None) -> list[msc.Asset]:
    if file is not None and unique_identifier is None and not given:
        return msc.Asset.batch_get_or_register_custom_assets(_csv(file))
    if file is None and unique_identifier is not None:
        return [msc.Asset.get_or_register_custom_asset(unique_identifier=unique_identifier, **given)]
    if file is None and set(given) == {"figi"}:
        return [msc.Asset.register_asset_from_figi(given["figi"])]
    raise ValidationError("Say what to register once.", hint="Give an identifier, --figi alone, or --file alone.")


def _csv(file: Path) -> list[dict[str, Any]]:
    rows = csv.DictReader(read_text(file).splitlines(), restkey="more cells than columns")
    return [{field: _csv_value(field, value) for field, value in row.items() if value} for row in rows]


def _csv_value(field: str, value: str) -> str | bool:
    return value.lower() == "true" if field.startswith("is_") and value.lower() in {"true", "false"} else value


@app.command("rename")
def rename(
    asset: AssetArgument,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    ticker: Annotated[str | None, typer.Option(help="The new ticker.")] = None,
    exchange_code: Annotated[str | None, typer.Option(help="The new exchange.")] = None,
    effective_from: Annotated[str | None, typer.Option("--from", help="When it takes effect; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change what an asset is called; what it was called before stays readable."""
    _patch(asset, {"name": name, "ticker": ticker, "exchange_code": exchange_code}, effective_from, as_json=as_json)


@app.command("classify")
def classify(
    asset: AssetArgument,
    security_type: Annotated[str | None, typer.Option(help="Such as Common Stock.")] = None,
    security_type_2: Annotated[str | None, typer.Option(help="Such as Depositary Receipt.")] = None,
    security_market_sector: Annotated[str | None, typer.Option(help="Such as Equity.")] = None,
    effective_from: Annotated[str | None, typer.Option("--from", help="When it takes effect; by default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change the types or the sector of an asset; those before stay readable."""
    classes = {"security_type": security_type, "security_type_2": security_type_2}
    classes |= {"security_market_sector": security_market_sector}
    _patch(asset, classes, effective_from, as_json=as_json)


def _patch(asset: str, fields: dict[str, str | None], effective_from: str | None, *, as_json: bool) -> None:
    from mainsequence.domain.times import to_datetime

    at = None if effective_from is None else to_datetime(effective_from, "--from")
    given = {field: value for field, value in {**fields, "effective_from": at}.items() if value is not None}
    show_one(record_of(find_asset(asset).patch(**given)), as_json=as_json)


@app.command("retire")
def retire(asset: AssetArgument, yes: Yes = False) -> None:
    """Retire an asset: it leaves every universe, its past stays readable."""
    found = find_asset(asset)
    confirm(f"Retire {found.unique_identifier}?", yes=yes)
    say(f"{found.delete().unique_identifier} is retired.")
