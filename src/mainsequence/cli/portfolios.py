"""``mainsequence portfolio``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import Where, Yes, confirm, filters
from mainsequence.cli.output import AsJson, frame_records, say, show_one, show_rows

app = typer.Typer(no_args_is_help=True, help="Portfolios: what they hold and what they are worth.")

Name = Annotated[str, typer.Argument(metavar="PORTFOLIO", help="Unique identifier of the portfolio.")]
Start = Annotated[str | None, typer.Option(help="From this time on.")]
End = Annotated[str | None, typer.Option(help="Before this time.")]

VenueId = Annotated[int, typer.Argument(metavar="VENUE", help="Its id in the system that sends the orders.")]

LISTED = ("id", "unique_identifier", "display_name", "calendar_name", "values_series", "weights_series", "description")


def find(portfolio: str) -> msc.Portfolio:
    """Find a portfolio by its identifier."""
    return msc.Portfolio.get(unique_identifier=portfolio)


def record_of(portfolio: msc.Portfolio) -> dict[str, Any]:
    """Give the facts of a portfolio that commands print."""
    facts = {name: getattr(portfolio, name) for name in (*LISTED, "signal_series", "venue_ids", "created_at")}
    return facts | {"index_asset_id": portfolio.index_asset.id}


@app.command("list")
def list_portfolios(where: Where = None, as_json: AsJson = False) -> None:
    """List portfolios, all or those that fit."""
    from mainsequence.domain.portfolios import PORTFOLIO_LOOKUPS

    found = msc.Portfolio.filter(**filters(where, PORTFOLIO_LOOKUPS))
    show_rows(map(record_of, found), LISTED, as_json=as_json, nothing="no portfolios")


@app.command("show")
def show(portfolio: Name, as_json: AsJson = False) -> None:
    """Show one portfolio: what built it, and where its numbers are."""
    found = find(portfolio)
    built = found.model_dump(mode="json", include={"about", "configuration", "manifest"})
    show_one(record_of(found) | built, as_json=as_json)


@app.command("weights")
def weights(portfolio: Name, start: Start = None, end: End = None, as_json: AsJson = False) -> None:
    """List what a portfolio holds at its last stamp, or over time where a start or end is given."""
    found = find(portfolio)
    if start is None and end is None:
        latest = found.get_latest_weights()
        rows = [
            {"time_index": latest.weights_date, "unique_identifier": name, "weight_current": weight}
            for name, weight in latest.weights.items()
        ]
    else:
        rows = frame_records(found.weights(start, end))
    columns = list(rows[0]) if rows else []
    show_rows(rows, columns, as_json=as_json, nothing="no weights")


@app.command("values")
def values(portfolio: Name, start: Start = None, end: End = None, as_json: AsJson = False) -> None:
    """List what a portfolio is worth over time: NAV, return, turnover, fees, cash."""
    rows = frame_records(find(portfolio).values(start, end))
    show_rows(rows, list(rows[0]) if rows else [], as_json=as_json, nothing="no values")


@app.command("add-venue")
def add_venue(portfolio: Name, venue_id: VenueId) -> None:
    """Name a venue that a portfolio is traded on."""
    _say_venues(find(portfolio).add_venue(venue_id))


@app.command("remove-venue")
def remove_venue(portfolio: Name, venue_id: VenueId) -> None:
    """Take a venue from a portfolio."""
    _say_venues(find(portfolio).remove_venue(venue_id))


def _say_venues(portfolio: msc.Portfolio) -> None:
    named = ", ".join(map(str, portfolio.venue_ids)) or "none"
    say(f"Venues of {portfolio.unique_identifier}: {named}.")


@app.command("delete")
def delete(portfolio: Name, yes: Yes = False) -> None:
    """Delete a portfolio: its index asset retires, its series stay."""
    found = find(portfolio)
    confirm(f"Delete {found.unique_identifier}? Its index asset retires, its series stay.", yes=yes)
    found.delete()
    say(f"{found.unique_identifier} is deleted.")
