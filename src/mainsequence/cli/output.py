"""What commands print: JSON for programs, a table for people, aligned text where the output is not a terminal."""

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Record = Mapping[str, Any]

TERMINAL_ROWS = 200
_SIGNIFICANT = 10


def show_rows(records: Iterable[Record], columns: Sequence[str], *, as_json: bool, nothing: str = "none") -> None:
    """Print records: as a JSON array of whole objects, or as a table of some of their columns.

    A terminal shows the first 200 rows and says how many there are; elsewhere no row is ever left out.
    """
    rows = list(records)
    if as_json:
        show_json(rows)
    elif not rows:
        typer.echo(nothing)
    elif sys.stdout.isatty():
        _rich_table(rows, columns)
    else:
        _aligned(rows, columns)


def show_one(record: Record, *, as_json: bool) -> None:
    """Print one record: as a JSON object, or as lines of name and value, what is inside others indented."""
    if as_json:
        show_json(record)
        return
    lines = list(_indented(record, ""))
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        typer.echo(f"{name:<{width}}  {cell(value)}".rstrip())


def _indented(record: Record, indent: str) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        within = isinstance(value, Mapping) and bool(value)
        yield f"{indent}{name}", None if within else value
        if within:
            yield from _indented(value, f"{indent}  ")


def show_json(value: Any) -> None:
    """Print a value as JSON: times in ISO 8601 with Z, missing numbers as null."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def say(text: str) -> None:
    """Tell people what was done, on standard error: standard output is for answers."""
    typer.echo(text, err=True)


def complain(kind: str, message: str) -> None:
    """Print an error or a warning on standard error."""
    typer.echo(f"{kind}: {message}", err=True)


def frame_records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Give the rows of a frame with its index."""
    flat = frame.reset_index()
    return [{str(name): value for name, value in row.items()} for row in flat.astype(object).to_dict("records")]


def flat_records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Give the rows of a frame without its index."""
    return [{name: value for name, value in row.items() if name != "index"} for row in frame_records(frame)]


def plain(value: Any) -> Any:
    """Give a value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime | date):
        return _stamp(value)
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else _missing_or_text(value)


def _missing_or_text(value: Any) -> str | None:
    return None if repr(value) in {"<NA>", "NaT"} else str(value)


def _stamp(value: datetime | date) -> str | None:
    text = value.isoformat() if value == value else None  # noqa: PLR0124 (NaT is not itself)
    return text and text.replace("+00:00", "Z")


def cell(value: Any) -> str:
    """Write a value for people."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format(value, f".{_SIGNIFICANT}g")
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _cells(rows: Sequence[Record], columns: Sequence[str]) -> list[list[str]]:
    return [[cell(row.get(name)) for name in columns] for row in rows]


def _rich_table(rows: Sequence[Record], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", justify="right" if _is_number(rows[0].get(name)) else "left")
    for row in _cells(rows[:TERMINAL_ROWS], columns):
        table.add_row(*map(Text, row))
    Console().print(table)
    if len(rows) > TERMINAL_ROWS:
        say(f"The first {TERMINAL_ROWS:,} of {len(rows):,}; a pipe, or --json, gets them all.")


def _aligned(rows: Sequence[Record], columns: Sequence[str]) -> None:
    lines = [list(columns), *_cells(rows, columns)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)) for line in lines)
    typer.echo("\n".join(map(str.rstrip, padded)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
