"""The rows of a list, read: identifiers, times in microseconds, weights, and what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from mainsequence.client.lists.columns import OPEN_START, Layout, layout_of, normal
from mainsequence.client.lists.findings import Fault, Finding
from mainsequence.client.lists.sheets import RowLabel, Sheet, text_of
from mainsequence.compute.intervals import Floats, Ints
from mainsequence.domain.times import MAX_MICROS, MICROS_PER_DAY, MIN_MICROS, to_micros
from mainsequence.errors import ValidationError

UNREAD = MAX_MICROS + 1
"""Stands for a time that is blank or could not be read."""

_INFINITIES = {"-infinity": MIN_MICROS, "-inf": MIN_MICROS, "infinity": MAX_MICROS, "inf": MAX_MICROS}


@dataclass(slots=True)
class Rows:
    """The rows of a list, all columns of one length, and the findings of reading them.

    Times are microseconds UTC, `UNREAD` where there is none.
    """

    layout: Layout
    labels: list[RowLabel]
    identifier: list[str | None]
    exchange_code: list[str | None] | None
    start: Ints
    end: Ints
    date: Ints
    announced: Ints
    exit_announced: Ints
    weight: Floats
    weighted: bool
    findings: list[Finding] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)

    def find(self, place: int, kind: Fault, message: str) -> None:
        """Note what is wrong with a row."""
        self.findings.append(Finding(self.labels[place], kind, self.identifier[place], message))


def read_rows(sheet: Sheet, roles: Mapping[str, str], *, date_format: str | None, inclusive: bool) -> Rows:
    """Read the cells of a sheet by the roles of its columns.

    Parameters
    ----------
    date_format
        How dates are written, for ``strptime``; by default ISO 8601.
    inclusive
        Whether ends are the last day that holds.
    """
    count = len(sheet)
    cells = {role: sheet.columns[column] for role, column in roles.items()}
    times = {role: np.full(count, UNREAD) for role in ("start", "end", "date", "announced", "exit_announced")}
    codes = list(map(text_of, cells["exchange_code"])) if "exchange_code" in cells else None
    rows = Rows(
        layout_of(roles),
        sheet.labels,
        [text_of(cell) for cell in cells["identifier"]],
        codes,
        start=times["start"],
        end=times["end"],
        date=times["date"],
        announced=times["announced"],
        exit_announced=times["exit_announced"],
        weight=np.full(count, np.nan),
        weighted="weight" in roles,
    )
    reader = _Reader(date_format)
    for role, column in times.items():
        _read_times(rows, role, cells.get(role), column, reader)
    _read_weights(rows, cells.get("weight"))
    _open_bounds(rows, roles)
    if inclusive or sheet.inclusive_ends:
        bounded = rows.end < MAX_MICROS
        rows.end[bounded] += MICROS_PER_DAY
    _check_blanks(rows)
    return rows


@dataclass(slots=True)
class _Reader:
    """Reads times; each text is read once."""

    date_format: str | None
    known: dict[Any, int | str] = field(default_factory=dict)

    def micros(self, cell: Any) -> int | str:
        """Give a time as microseconds, or what is wrong with it."""
        if cell not in self.known:
            self.known[cell] = self._read(cell)
        return self.known[cell]

    def _read(self, cell: Any) -> int | str:
        try:
            return _INFINITIES[cell.lower()] if str(cell).lower() in _INFINITIES else to_micros(self._time(cell))
        except ValidationError as error:
            return str(error)

    def _time(self, cell: Any) -> Any:
        if isinstance(cell, str) and self.date_format is not None:
            try:
                cell = datetime.strptime(cell, self.date_format)  # noqa: DTZ007 (a zone may be part of the format)
            except ValueError as error:
                raise ValidationError(f"{error}.") from None
        if isinstance(cell, str) and len(cell) == 8 and cell.isdecimal():
            cell = f"{cell[:4]}-{cell[4:6]}-{cell[6:]}"
        return _midnight(cell)


def _midnight(cell: Any) -> Any:
    """Give a naive time at midnight as its date: so do tools write dates that know only times."""
    if isinstance(cell, str) and len(cell) > 10:
        try:
            cell = datetime.fromisoformat(cell)
        except ValueError:
            return cell
    if isinstance(cell, datetime) and cell.tzinfo is None and cell.time() == time():
        return cell.date()
    return cell


def _read_times(rows: Rows, role: str, cells: list[Any] | None, column: Ints, reader: _Reader) -> None:
    for place, cell in enumerate(cells or ()):
        if cell is None:
            continue
        read = reader.micros(cell) if isinstance(cell, str | date) else f"{cell!r} is no time"
        if isinstance(read, str):
            rows.find(place, Fault.BAD_DATE, f"{role}: {read}")
        else:
            column[place] = read


def _read_weights(rows: Rows, cells: list[Any] | None) -> None:
    for place, cell in enumerate(cells or ()):
        if cell is None:
            continue
        try:
            rows.weight[place] = float(cell)
        except (TypeError, ValueError):
            rows.find(place, Fault.BAD_WEIGHT, f"{cell!r} is no number")
            continue
        if not np.isfinite(rows.weight[place]):
            rows.weight[place] = np.nan
            rows.find(place, Fault.BAD_WEIGHT, f"{cell!r} is not finite")


def _open_bounds(rows: Rows, roles: Mapping[str, str]) -> None:
    """Let blank ends be open, and blank starts too where the column is one of our own exports."""
    if rows.layout is not Layout.INTERVALS:
        return
    unread = {finding.row for finding in rows.findings if finding.kind is Fault.BAD_DATE}
    readable = np.array([label not in unread for label in rows.labels], dtype=bool)
    rows.end[(rows.end == UNREAD) & readable] = MAX_MICROS
    if "start" not in roles or normal(roles["start"]) == OPEN_START:
        rows.start[(rows.start == UNREAD) & readable] = MIN_MICROS


def _check_blanks(rows: Rows) -> None:
    unread = {finding.row for finding in rows.findings if finding.kind is Fault.BAD_DATE}
    needed = {Layout.INTERVALS: rows.start, Layout.SNAPSHOTS: rows.date}.get(rows.layout)
    what = "start" if rows.layout is Layout.INTERVALS else "date of its list"
    for blank in np.flatnonzero(needed == UNREAD).tolist() if needed is not None else ():
        if rows.labels[blank] not in unread:
            rows.find(blank, Fault.BLANK_DATE, f"the {what} is blank")
    alone = _only_rows(rows)
    for place, identifier in enumerate(rows.identifier):
        if identifier is None and place not in alone:
            rows.find(place, Fault.BLANK_IDENTIFIER, "no asset is named")


def _only_rows(rows: Rows) -> set[int]:
    """Give the rows that stand alone for their date: without an identifier, such a row is a list without members."""
    if rows.layout is not Layout.SNAPSHOTS:
        return set()
    _, first, counts = np.unique(rows.date, return_index=True, return_counts=True)
    return set(first[counts == 1].tolist())


def day_of(micros: int) -> str:
    """Write a bound for a message: its date, or its time where it is not midnight."""
    if micros <= MIN_MICROS:
        return "the beginning"
    if micros >= MAX_MICROS:
        return "open"
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return at.date().isoformat() if micros % MICROS_PER_DAY == 0 else at.isoformat()
