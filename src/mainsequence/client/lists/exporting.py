"""Writing a universe as a list: its intervals, its members at a time, or a list for each change."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mainsequence.client.lists.asking import Asking
from mainsequence.client.lists.columns import Layout
from mainsequence.client.lists.qlib import losses_of_qlib
from mainsequence.client.lists.rows import day_of
from mainsequence.client.lists.writers import FORMATS, kind_of_path, write, write_folder
from mainsequence.compute.intervals import Intervals, Ints
from mainsequence.compute.lists import to_lists
from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as category_contract
from mainsequence.contract import loading as contract
from mainsequence.domain.resolution import IdentifierKind
from mainsequence.domain.times import MAX_MICROS, MICROS_PER_DAY, MIN_MICROS, from_micros
from mainsequence.domain.values import listed
from mainsequence.errors import LossyExportError, ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

EXPORTED = tuple(kind for kind in IdentifierKind if kind is not IdentifierKind.ANY)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: where, as what, how many rows, and what the format could not hold."""

    path: Path
    format: str
    layout: Layout
    rows: int
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A universe as it is to be written: its intervals, whom they name, and when their bounds were announced."""

    rows: Intervals
    names: Mapping[int, str]
    announced: Mapping[tuple[int, int], int]

    def name(self, place: int) -> str:
        """Give whom an interval names."""
        return self.names[int(self.rows.asset[place])]


def export(
    where: Asking,
    key: int,
    path: Path,
    *,
    format: str | None,  # noqa: A002
    layout: Layout,
    span: category_contract.Span,
    as_of: int,
    identifier: IdentifierKind,
    allow_loss: bool,
) -> Exported:
    """Write a universe; `AssetCategory.export` explains the parameters.

    Raises
    ------
    LossyExportError
        The format or layout cannot hold everything, and ``allow_loss`` does not say that this is known.
    ValidationError
        There is no such format, or assets cannot be told apart by the identifier.
    """
    kind = "folder" if format is None and _is_folder(path) else (format or kind_of_path(path))
    if kind not in (*FORMATS, "folder") or (kind == "folder" and layout is not Layout.SNAPSHOTS):
        raise ValidationError(
            f"A {layout.value} layout is not written as {kind}.",
            hint=f"Formats: {', '.join(FORMATS)}; folders for snapshots.",
        )
    state = read_state(where, key, span, identifier)
    lost = _losses(state, kind, layout)
    if lost and not allow_loss:
        raise LossyExportError(
            f"{kind} with the layout {layout.value} cannot hold all of it: {'; '.join(lost)}.",
            hint="allow_loss=True writes it nevertheless; csv, tsv, json, parquet and excel hold every interval.",
            lost=list(lost),
        )
    if kind == "folder":
        return Exported(path, kind, layout, write_folder(path, *_lists(state), identifier.value), lost)
    rows = _records(state, layout, as_of)
    write(path, kind, rows, _columns(layout, state), identifier.value)
    return Exported(path, kind, layout, len(rows), lost)


def _is_folder(path: Path) -> bool:
    return path.is_dir() or path.suffix == ""


def read_state(where: Asking, key: int, span: category_contract.Span, identifier: IdentifierKind) -> State:
    """Read the intervals of a universe, whom they name, and the announcements of their bounds."""
    table = where.call(category_contract.MEMBERS, span, key=key)
    rows = intervals_of(table)
    names = dict(zip(rows.asset.tolist(), table.column("unique_identifier").to_pylist(), strict=True))
    if identifier is not IdentifierKind.UNIQUE_IDENTIFIER:
        names = _names(where, names, identifier)
    return State(rows, names, _announced(where, key))


def intervals_of(table: "pa.Table") -> Intervals:
    """Read a table of members as intervals."""
    import pyarrow as pa

    def bound(name: str, infinity: int) -> Ints:
        column = table.column(name).cast(pa.int64()).fill_null(infinity)
        return np.asarray(column.to_numpy(), dtype=np.int64)

    weight = np.asarray(table.column("weight").cast(pa.float64()).to_numpy(), dtype=np.float64)
    asset = np.asarray(table.column("asset_id").to_numpy(), dtype=np.int64)
    return Intervals(asset, bound("valid_from", MIN_MICROS), bound("valid_to", MAX_MICROS), weight)


def _names(where: Asking, identifiers: Mapping[int, str], kind: IdentifierKind) -> dict[int, str]:
    """Give another identifier of each asset; it must tell them apart."""
    names: dict[int, str] = {}
    ids = sorted(identifiers)
    for start in range(0, len(ids), 10_000):
        query = asset_contract.AssetQuery(
            filters={"id__in": ids[start : start + 10_000]}, limit=10_000, include_retired=True
        )
        for record in where.call(asset_contract.QUERY, query).results:
            names[record.id] = getattr(record, kind.value)
    lacking = sorted(identifiers[each] for each in ids if not names[each])
    holders: dict[str, list[str]] = {}
    for each in ids:
        holders.setdefault(names[each], []).append(identifiers[each])
    shared = [f"{name}: {' and '.join(held)}" for name, held in holders.items() if name and len(held) > 1]
    if lacking or shared:
        raise ValidationError(
            f"{kind.value} does not tell the assets apart: {len(lacking)} have none ({listed(lacking, 5)}), "
            f"{len(shared)} are shared ({listed(shared, 5)}).",
            hint="Export with identifier='unique_identifier'.",
        )
    return names


def _announced(where: Asking, key: int) -> dict[tuple[int, int], int]:
    import pyarrow as pa

    table = where.call(contract.ANNOUNCEMENTS, None, key=key)
    at, known = (table.column(name).cast(pa.int64()).to_pylist() for name in ("effective_at", "announced_at"))
    return dict(zip(zip(table.column("asset_id").to_pylist(), at, strict=True), known, strict=True))


def _losses(state: State, kind: str, layout: Layout) -> tuple[str, ...]:
    lost = []
    if layout is Layout.SNAPSHOTS and state.announced:
        lost.append(f"{len(state.announced)} dates of announcement")
    if kind == "qlib":
        lost += losses_of_qlib(state.rows, layout, len(state.announced))
    if kind == "text" and layout is Layout.INTERVALS:
        lost.append("all dates")
    if kind == "text":
        lost += ["weights"] if not np.isnan(state.rows.weight).all() else []
    return tuple(lost)


def _columns(layout: Layout, state: State) -> tuple[str, ...]:
    if layout is Layout.INTERVALS:
        announced = ("announced", "exit_announced") if state.announced else ()
        return ("identifier", "valid_from", "valid_to", "weight", *announced)
    return ("date", "identifier", "weight") if layout is Layout.SNAPSHOTS else ("identifier", "weight")


def _records(state: State, layout: Layout, as_of: int) -> list[dict[str, Any]]:
    if layout is Layout.INTERVALS:
        return [_interval(state, place) for place in _ordered(state)]
    if layout is Layout.SNAPSHOT:
        rows = state.rows
        return [_member(state, place) for place in _ordered(state) if rows.start[place] <= as_of < rows.end[place]]
    times, lists = _lists(state)
    return [
        {"date": stamp(time)} | member
        for time, members in zip(times, lists, strict=True)
        for member in members or [{"identifier": None, "weight": None}]
    ]


def _ordered(state: State) -> list[int]:
    return sorted(range(len(state.rows)), key=lambda place: (state.name(place), int(state.rows.start[place])))


def _interval(state: State, place: int) -> dict[str, Any]:
    asset, start, end = (int(column[place]) for column in (state.rows.asset, state.rows.start, state.rows.end))
    return {
        "identifier": state.names[asset],
        "valid_from": stamp(start),
        "valid_to": stamp(end),
        "weight": _weight(state, place),
        "announced": _known(state, asset, start),
        "exit_announced": _known(state, asset, end),
    }


def _known(state: State, asset: int, at: int) -> Any:
    known = state.announced.get((asset, at))
    return None if known is None else stamp(known)


def _member(state: State, place: int) -> dict[str, Any]:
    return {"identifier": state.name(place), "weight": _weight(state, place)}


def _weight(state: State, place: int) -> float | None:
    weight = float(state.rows.weight[place])
    return None if np.isnan(weight) else weight


def _lists(state: State) -> tuple[list[int], list[list[dict[str, Any]]]]:
    """Give the members at each time at which something changes, sorted by name."""
    times, at, rows = to_lists(state.rows, MAX_MICROS)
    lists: list[list[dict[str, Any]]] = [[] for _ in times]
    moved = State(rows, state.names, state.announced)
    for place, number in enumerate(at.tolist()):
        lists[number].append(_member(moved, place))
    return times.tolist(), [sorted(each, key=lambda member: member["identifier"]) for each in lists]


def stamp(micros: int) -> str:
    """Give a bound as it is written: a date where it is a midnight, else a time in ISO 8601, or an infinity."""
    if micros <= MIN_MICROS:
        return "-infinity"
    if micros >= MAX_MICROS:
        return "infinity"
    if micros % MICROS_PER_DAY == 0:
        return day_of(micros)
    return from_micros(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")
