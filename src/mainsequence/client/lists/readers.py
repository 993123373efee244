"""Reading lists: CSV, JSON, Parquet, Excel, qlib's instrument files, plain text, folders of these, and frames."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile

from mainsequence.client.lists.sheets import RowLabel, Sheet, sheet_of, sheet_of_columns
from mainsequence.errors import ConfigurationError, ValidationError

Source: TypeAlias = Any
"""The path of a file or folder, a pandas or polars DataFrame, a pyarrow Table, or a list of mappings or identifiers."""

EXCEL_HINT = "pip install 'mainsequence-platform[excel]'"
QLIB_OPEN_END = "2099-12-31"
"""How qlib writes an end that is open."""

_DATED = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{8})(?:T(\d{6})(?:\.(\d{6}))?Z)?(?!\d)")
BEGINNING = "-infinity"


def read(source: Source, *, format: str | None = None, sheet: str | None = None) -> Sheet:  # noqa: A002
    """Read a list.

    Parameters
    ----------
    source
        A path or a frame. A folder is read as dated lists: each file is one, its date stands in its name.
    format
        ``csv``, ``json``, ``parquet``, ``excel``, ``qlib`` or ``text``; by default what the name's end says. A ``.txt``
        whose first line has three cells between tabs is qlib's, another one holds an identifier on each line.
    sheet
        The sheet of a workbook; by default the one that is not empty.

    Raises
    ------
    ValidationError
        There is no such file, or it cannot be read as what it should be.
    ConfigurationError
        A workbook, and ``openpyxl`` is not installed.
    """
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        return _folder(path, format, sheet) if path.is_dir() else _file(path, format, sheet)
    if hasattr(source, "tolist") or hasattr(source, "to_list"):  # a Series, an Index, an array
        source = list(source)
    if isinstance(source, list | tuple):
        return _records("the list", source, list(range(len(source))))
    return _frame(source)


def _frame(source: Any) -> Sheet:
    from mainsequence.client.frames import to_table

    table = to_table(source)
    if table.num_columns == 0:
        raise ValidationError("The frame has no columns.", hint="Give one with a column of identifiers.")
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return sheet_of_columns(f"the {type(source).__name__}", columns, table.num_rows)


def _file(path: Path, kind: str | None, sheet: str | None) -> Sheet:
    reader = _READERS.get(kind or _kind(path))
    if reader is None:
        unknown = f"There is no format {kind!r}" if kind else f"{path.name} does not say its format by its end"
        raise ValidationError(f"{unknown}.", hint=f"Give format=, one of {', '.join(_READERS)}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}.", hint="Look at the path.") from None
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    try:
        return reader(path.name, content, sheet)
    except UnicodeDecodeError as error:
        raise ValidationError(f"{path} is no UTF-8 text: {error.reason}.", hint="Convert it to UTF-8.") from None


def _kind(path: Path) -> str:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    return _SUFFIXES.get(suffix.lower(), suffix or "of a file without ending")


def _csv(name: str, content: bytes, _sheet: str | None) -> Sheet:
    text = content.decode("utf-8-sig")
    first = text.split("\n", 1)[0]
    counted = {mark: first.count(mark) for mark in (",", ";", "\t")}
    rows = csv.reader(io.StringIO(text), delimiter=max(counted, key=lambda mark: counted[mark]))
    numbered = [(rows.line_num, row) for row in rows]
    if not numbered:
        raise ValidationError(f"{name} is empty.", hint="The first line names the columns.")
    read = sheet_of(name, numbered[0][1], [row for _, row in numbered[1:]], [line for line, _ in numbered[1:]])
    return replace(read, headed=True)


def _json(name: str, content: bytes, _sheet: str | None) -> Sheet:
    try:
        rows = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValidationError(f"{name} is no JSON: {error}.") from None
    if not isinstance(rows, list):
        raise ValidationError(f"{name} holds no list.", hint="Write a list of objects, one for each row.")
    return _records(name, rows, list(range(1, len(rows) + 1)))


def _records(name: str, rows: Sequence[Any], labels: list[RowLabel]) -> Sheet:
    if rows and all(isinstance(row, str) for row in rows):
        return sheet_of(name, ["identifier"], [[row] for row in rows], labels)
    wrong = [label for label, row in zip(labels, rows, strict=True) if not isinstance(row, dict)]
    if wrong:
        raise ValidationError(
            f"Rows of {name} are no objects: {wrong[:20]}.",
            hint="Write one object for each row, or nothing but identifiers.",
        )
    names = list(dict.fromkeys(key for row in rows for key in row)) or ["identifier"]
    return sheet_of(name, names, [[row.get(key) for key in names] for row in rows], labels)


def _parquet(name: str, content: bytes, _sheet: str | None) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except pa.ArrowException as error:
        raise ValidationError(f"{name} is no Parquet file: {error}.") from None
    columns = {column: table.column(column).to_pylist() for column in table.column_names}
    return replace(sheet_of_columns(name, columns, table.num_rows), labels=list(range(1, table.num_rows + 1)))


def _excel(name: str, content: bytes, sheet: str | None) -> Sheet:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise ConfigurationError(
            "Workbooks are read with openpyxl, which is not installed.", hint=EXCEL_HINT
        ) from error
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (BadZipFile, KeyError, OSError, ValueError) as error:
        raise ValidationError(f"{name} is no workbook: {error}.") from None
    names = [each.title for each in book.worksheets]
    if sheet is not None and sheet not in names:
        raise ValidationError(f"{name} has no sheet {sheet!r}.", hint=f"It has {', '.join(names)}.")
    read = {each: list(map(list, book[each].iter_rows(values_only=True))) for each in (names if not sheet else [sheet])}
    filled = {each: rows for each, rows in read.items() if any(cell is not None for row in rows for cell in row)}
    if not filled:
        raise ValidationError(f"{name} is empty.", hint="The first row names the columns.")
    if len(filled) > 1:
        raise ValidationError(
            f"{name} has several sheets that are not empty: {', '.join(filled)}.",
            hint=f"Say which: sheet={next(iter(filled))!r}.",
        )
    return _padded(name, *filled.values())


def _padded(name: str, rows: list[list[Any]]) -> Sheet:
    width = max(map(len, rows))  # blank cells at the end of a row are not stored
    padded = [row + [None] * (width - len(row)) for row in rows]
    return replace(sheet_of(name, padded[0], padded[1:], range(2, len(rows) + 1)), headed=True)


def _text(name: str, content: bytes, _sheet: str | None) -> Sheet:
    lines = content.decode("utf-8-sig").splitlines()
    filled = next((line for line in lines if line.strip()), "")
    if filled.count("\t") == 2:
        return _qlib(name, content, _sheet)
    return sheet_of(name, ["identifier"], [[line] for line in lines], range(1, len(lines) + 1))


def _qlib(name: str, content: bytes, _sheet: str | None) -> Sheet:
    lines = content.decode("utf-8-sig").splitlines()
    rows = [line.split("\t") for line in lines]
    read = sheet_of(name, ["identifier", "start", "end"], rows, range(1, len(lines) + 1))
    ends = [None if end == QLIB_OPEN_END else end for end in read.columns["end"]]
    return replace(read, columns=read.columns | {"end": ends}, inclusive_ends=True)


def _folder(path: Path, kind: str | None, sheet: str | None) -> Sheet:
    files = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    dates = {file: _date_in(file.name) for file in files}
    undated = [file.name for file in files if dates[file] is None]
    if undated or not files:
        raise ValidationError(
            f"{path} holds {len(files)} files, {len(undated)} of them without a date in the name: {undated[:20]}.",
            hint="Call each list by its date, such as 2024-06-28.csv.",
        )
    sheets = {file: _file(file, kind, sheet) for file in files}
    names = list(dict.fromkeys(name for each in sheets.values() for name in each.columns if name != "date"))
    columns: dict[str, list[Any]] = {
        name: [cell for each in sheets.values() for cell in each.columns.get(name, [None] * len(each))]
        for name in names
    }
    columns["date"] = [dates[file] for file, each in sheets.items() for _ in range(len(each))]
    labels: list[RowLabel] = [f"{file.name}:{label}" for file, each in sheets.items() for label in each.labels]
    return Sheet(str(path), columns, labels, list_dates=tuple(dates.values()))


def _date_in(name: str) -> str | None:
    if name.startswith(BEGINNING):
        return BEGINNING
    found = _DATED.search(name)
    if found is None:
        return None
    day, clock, micros = found.groups()
    day = day if "-" in day else f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return day if clock is None else f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}.{micros or '000000'}Z"


_READERS: dict[str, Callable[[str, bytes, str | None], Sheet]] = {
    "csv": _csv,
    "tsv": _csv,
    "json": _json,
    "parquet": _parquet,
    "excel": _excel,
    "qlib": _qlib,
    "text": _text,
}
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".txt": "text",
}
