"""``mainsequence series``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import Where, Yes, confirm, filters
from mainsequence.cli.output import AsJson, frame_records, say, show_one, show_rows

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(no_args_is_help=True, help="Series: stored tables of observations, in versions.")

Name = Annotated[str, typer.Argument(metavar="SERIES", help="Unique identifier of the series.")]
Columns = Annotated[list[str] | None, typer.Option("--column", "-c", help="Only this column; repeat it.")]
Assets = Annotated[list[str] | None, typer.Option("--asset", "-a", help="Only this unique identifier; repeat it.")]
Version = Annotated[int | None, typer.Option(help="As it was at this version; by default now.")]

LISTED = ("id", "unique_identifier", "frequency", "index", "columns", "description")
HISTORY = ("version", "recorded_at", "operation", "inserted", "updated", "deleted")


def find(series: str) -> msc.Series:
    """Find a series by its identifier."""
    return msc.Series.get(unique_identifier=series)


def record_of(series: msc.Series) -> dict[str, Any]:
    """Give the facts of a series that commands print."""
    facts = {name: getattr(series, name) for name in ("id", "unique_identifier", "frequency", "description")}
    return facts | {"index": list(series.index), "columns": series.columns, "created_at": series.created_at}


@app.command("list")
def list_series(where: Where = None, as_json: AsJson = False) -> None:
    """List series, all or those that fit."""
    from mainsequence.domain.series import SERIES_LOOKUPS

    found = [record_of(each) for each in msc.Series.filter(**filters(where, SERIES_LOOKUPS))]
    rows = found if as_json else [each | {"columns": list(each["columns"])} for each in found]
    show_rows(rows, LISTED, as_json=as_json, nothing="no series")


@app.command("show")
def show(series: Name, as_json: AsJson = False) -> None:
    """Show what a series declares, and how much it holds."""
    found = find(series)
    counted = found.statistics()
    held = {"version": counted.version, "rows": counted.count, "assets": len(counted.assets)}
    show_one(record_of(found) | held | {"first": counted.min_time, "last": counted.max_time}, as_json=as_json)


@app.command("head")
def head(
    series: Name,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many.")] = 10,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Print the first rows of a series."""
    _show(_first(find(series), rows, version), as_json=as_json)


def _first(series: msc.Series, rows: int, version: int | None) -> pd.DataFrame:
    """Read from the start over ever longer spans, until there are enough rows."""
    counted = series.statistics(version)
    span = timedelta(days=1)
    while counted.min_time is not None and counted.max_time is not None:
        end = counted.min_time + span
        frame = series.read(end=end, version=counted.version)
        if len(frame) >= rows or end > counted.max_time:
            return frame.head(rows)
        span *= 8
    return series.read(version=counted.version)


@app.command("read")
def read(
    series: Name,
    column: Columns = None,
    asset: Assets = None,
    start: Annotated[str | None, typer.Option(help="From this time on; by default from the first.")] = None,
    end: Annotated[str | None, typer.Option(help="Before this time; by default to the last.")] = None,
    last: Annotated[bool, typer.Option("--last", help="Only the last row of each asset.")] = False,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Print rows of a series, by time, then asset."""
    found = find(series).read(
        column, unique_identifiers=asset, start=start, end=end, last_per_asset=last, version=version
    )
    _show(found, as_json=as_json)


def _show(frame: pd.DataFrame, *, as_json: bool) -> None:
    columns = [*frame.index.names, *frame.columns]
    show_rows(frame_records(frame), [str(name) for name in columns], as_json=as_json, nothing="no rows")


@app.command("history")
def history(series: Name, as_json: AsJson = False) -> None:
    """List every version of a series."""
    rows = [each.model_dump() for each in find(series).history()]
    show_rows(rows, HISTORY, as_json=as_json, nothing="no versions")


@app.command("delete")
def delete(series: Name, yes: Yes = False) -> None:
    """Delete a series with all its versions."""
    found = find(series)
    confirm(f"Delete {found.unique_identifier} with all its versions?", yes=yes)
    found.delete()
    say(f"{found.unique_identifier} is deleted.")
