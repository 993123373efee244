"""Writing lists: CSV, TSV, JSON, Parquet, Excel, qlib's instrument files, plain text, and folders of dated lists."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mainsequence.client.lists.qlib import first_day, last_day
from mainsequence.client.lists.readers import EXCEL_HINT
from mainsequence.domain.times import MIN_MICROS, from_micros
from mainsequence.errors import ConfigurationError, StorageError, ValidationError

Row: TypeAlias = Mapping[str, Any]

EXCEL_ROWS = 1_048_575
"""How many rows a sheet holds below its header."""


def kind_of_path(path: Path) -> str:
    """Give the format that the end of a file's name says.

    Raises
    ------
    ValidationError
        It says none.
    """
    kinds = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".parquet": "parquet", ".xlsx": "excel", ".txt": "qlib"}
    if path.suffix.lower() not in kinds:
        raise ValidationError(
            f"{path.name} does not say its format.", hint=f"End it in {', '.join(kinds)}, or give format=."
        )
    return kinds[path.suffix.lower()]


def write(path: Path, kind: str, rows: Sequence[Row], columns: Sequence[str], called: str) -> None:
    """Write a list, all of it or nothing: a file that exists is replaced when the new one is whole.

    Parameters
    ----------
    path, kind
        Where, and in which of the `FORMATS`.
    rows, columns
        What, and in which order.
    called
        What the column ``identifier`` is called in the file: the kind of its identifiers.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    names = [called if name == "identifier" else name for name in columns]
    content = FORMATS[kind]([{**row, called: row["identifier"]} for row in rows], names)
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another place.") from error


def write_folder(path: Path, times: Sequence[int], lists: Sequence[Sequence[Row]], called: str) -> int:
    """Write a CSV file for each list, called by its time; gives how many rows there are in all.

    Raises
    ------
    ValidationError
        The folder holds files already, which would be read as lists of their own.
    """
    if path.is_dir() and any(path.iterdir()):
        raise ValidationError(f"{path} is not empty.", hint="Choose a new folder.")
    every = list(zip(times, lists, strict=True)) or [(MIN_MICROS, [])]
    for time, rows in every:
        write(path / f"{_file_name(time)}.csv", "csv", rows, ("identifier", "weight"), called)
    return sum(map(len, lists))


def _file_name(time: int) -> str:
    if time <= MIN_MICROS:
        return "-infinity"
    at = from_micros(time)
    midnight = (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)
    return at.date().isoformat() if midnight else f"{at.date().isoformat()}T{at:%H%M%S.%f}Z"


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    return _separated(rows, columns, ",")


def _tsv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    return _separated(rows, columns, "\t")


def _separated(rows: Sequence[Row], columns: Sequence[str], mark: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=mark, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if row[name] is None else row[name] for name in columns] for row in rows])
    return text.getvalue().encode()


def _json(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    kept = [{name: row[name] for name in columns} for row in rows]
    return json.dumps(kept, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _parquet(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"weight": pa.float64()}
    arrays = [pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in columns]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), sink)
    return bytes(sink.getvalue().to_pybytes())


def _excel(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError as error:
        raise ConfigurationError("Workbooks need openpyxl, which is not installed.", hint=EXCEL_HINT) from error
    if len(rows) > EXCEL_ROWS:
        raise ValidationError(f"A sheet holds {EXCEL_ROWS:,} rows, these are {len(rows):,}.", hint="Write Parquet.")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("members")

    def cell(value: Any) -> Any:
        if isinstance(value, float) and float(f"{value:.16g}") != value:
            value = repr(value)  # the library writes 16 digits, some numbers need 17
        made = WriteOnlyCell(sheet, value=value)
        if isinstance(value, str):
            made.data_type = "s"  # text that begins with = is no formula
        return made

    sheet.append(list(columns))
    for row in rows:
        sheet.append([cell(row[name]) for name in columns])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _qlib(rows: Sequence[Row], _columns: Sequence[str]) -> bytes:
    lines = [f"{row['identifier']}\t{first_day(row['valid_from'])}\t{last_day(row['valid_to'])}\n" for row in rows]
    return "".join(lines).encode()


def _text(rows: Sequence[Row], _columns: Sequence[str]) -> bytes:
    return "".join(f"{row['identifier']}\n" for row in rows).encode()


FORMATS: dict[str, Callable[[Sequence[Row], Sequence[str]], bytes]] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "parquet": _parquet,
    "excel": _excel,
    "qlib": _qlib,
    "text": _text,
}
