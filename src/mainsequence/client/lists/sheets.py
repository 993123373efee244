"""A list as it was given: named columns of cells, and where each row stands in its source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mainsequence.domain.assets import AssetRegistration
from mainsequence.errors import ValidationError

RowLabel: TypeAlias = int | str
"""Where a row stands: its line in a file (the header is 1), its position in a frame, ``file:line`` in a folder."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns of equal length.

    Parameters
    ----------
    source
        What the list is called, for reports.
    columns
        Cells by column: text without blanks around it, numbers, times; ``None`` where a cell is blank.
    labels
        Where each row stands in the source.
    inclusive_ends
        Whether ends are the last day that holds, as in qlib's files.
    list_dates
        When the lists of a folder were drawn up, so that one without rows is not lost.
    headed
        Whether the names of the columns stood in the first row, which may have been meant as any other.
    known_as
        What the source tells of those it names beside its columns, by identifier.
    """

    source: str
    columns: dict[str, list[Any]]
    labels: list[RowLabel]
    inclusive_ends: bool = False
    list_dates: tuple[Any, ...] = ()
    headed: bool = False
    known_as: Mapping[str, AssetRegistration] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)


def sheet_of(source: str, names: Sequence[Any], rows: Iterable[Sequence[Any]], labels: Iterable[RowLabel]) -> Sheet:
    """Build a sheet from rows of cells.

    Raises
    ------
    ValidationError
        A column has no name, or one of another; rows have more or fewer cells than the header. All are named.
    """
    header = [str(_cell(name) or "") for name in names]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ValidationError(f"{source} has several columns called {repeated}.", hint="Give every column its name.")
    given = [(label, list(row)) for label, row in zip(labels, rows, strict=True)]
    kept = [(label, row) for label, row in given if any(_cell(cell) is not None for cell in row)]
    ragged = [label for label, row in kept if len(row) != len(header)]
    if ragged:
        raise ValidationError(
            f"{len(ragged)} rows of {source} do not have the {len(header)} cells of its header: {ragged[:20]}.",
            hint="Quote cells that hold the delimiter.",
            rows=ragged[:1_000],
        )
    columns: dict[str, list[Any]] = {name: [_cell(row[place]) for _, row in kept] for place, name in enumerate(header)}
    return Sheet(source, columns, [label for label, _ in kept])


def sheet_of_columns(source: str, columns: Mapping[str, Sequence[Any]], count: int) -> Sheet:
    """Build a sheet from columns; rows are called by their positions from 0."""
    return Sheet(source, {str(name): list(map(_cell, cells)) for name, cells in columns.items()}, list(range(count)))


def _cell(value: Any) -> Any:
    """Give a cell without blanks around it; blank text and what pandas calls missing are None."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None or value != value:  # noqa: PLR0124 (NaN and NaT are not themselves)
        return None
    return value


def text_of(value: Any) -> str | None:
    """Give an identifier as text: spreadsheets make numbers of tickers such as 7203, and truth values of TRUE."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if value is None else str(value)
