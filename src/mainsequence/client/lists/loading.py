"""Loading a list into a universe: read, resolve, check, and then all of it or none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mainsequence.client.lists import columns as roles_of
from mainsequence.client.lists.asking import Asking
from mainsequence.client.lists.checks import Checked, check, differ_in_weight
from mainsequence.client.lists.columns import Layout
from mainsequence.client.lists.findings import UNRESOLVED, Fault, Finding
from mainsequence.client.lists.indices import index_sheet
from mainsequence.client.lists.load_report import LoadReport
from mainsequence.client.lists.readers import read
from mainsequence.client.lists.registering import Missing, missing_assets
from mainsequence.client.lists.report import ResolutionReport
from mainsequence.client.lists.resolving import TICKER_AND_EXCHANGE, read_kind, resolve_rows
from mainsequence.client.lists.rows import UNREAD, Rows, read_rows
from mainsequence.client.lists.sending import interval_table
from mainsequence.client.lists.sheets import Sheet
from mainsequence.compute.intervals import Bools, Intervals, Ints
from mainsequence.compute.lists import from_lists, joined
from mainsequence.contract import categories as category_contract
from mainsequence.contract import loading as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import CategoryCreation, CategoryRecord
from mainsequence.domain.loading import LoadEffect, LoadOptions
from mainsequence.domain.resolution import IdentifierKind, ListingPolicy, Outcome
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, TimeLike, from_micros, to_datetime, to_micros
from mainsequence.domain.values import Value
from mainsequence.errors import ConflictError, MainSequenceError, NotFoundError, ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

    from mainsequence.client.lists.readers import Source


class ListReading(Value):
    """How a list is read and what becomes of what is wrong with it; `AssetCategory.load` explains each field."""

    identifier: str | tuple[str, str] | None = None
    columns: dict[str, str] | None = None
    format: str | None = None
    sheet: str | None = None
    date_format: str | None = None
    ends: Literal["exclusive", "inclusive"] = "exclusive"
    as_of: Any = None
    effective_from: Any = None
    announced: Any = None
    policy: ListingPolicy = ListingPolicy()
    mode: Literal["replace", "append", "history"] = "replace"
    on_unresolved: Literal["refuse", "skip"] = "refuse"
    on_faults: Literal["refuse", "repair"] = "refuse"
    register_missing: bool = False
    allow_empty: bool = False


@dataclass(slots=True)
class Loading:
    """A list on its way into a universe."""

    where: Asking
    category: CategoryRecord
    how: ListReading
    sheet: Sheet
    roles: dict[str, str]
    rows: Rows
    kind: IdentifierKind
    table: "pa.Table"
    missing: Missing

    @property
    def report(self) -> ResolutionReport:
        """What became of the identifiers of the rows that have one."""
        named = [place for place, name in enumerate(self.rows.identifier) if name is not None]
        return ResolutionReport(self.table, [self.rows.labels[place] for place in named])


def load(
    where: Asking,
    category: CategoryRecord,
    source: "Source | Sheet",
    how: ListReading,
    options: LoadOptions,
    *,
    dry_run: bool,
) -> tuple[LoadReport, CategoryRecord | None]:
    """Load a list, or say what that would do.

    Raises
    ------
    ListRefusedError
        Rows are wrong or not resolved, and it was not said what to do with them; all are named.
    """
    loading = _begin(where, category, source, how)
    if how.register_missing and not dry_run and not _faults(loading):
        loading.missing.register(where)
        loading.table = _resolved(loading)
    owner = _owners(loading)
    checked = check(loading.rows, owner)
    places = {label: place for place, label in enumerate(loading.rows.labels)}
    findings = sorted([*loading.rows.findings, *_unresolved(loading)], key=lambda each: places[each.row])
    refused = _refused(loading, findings, checked, owner)
    loadable = checked.usable & (owner >= 0)
    sent, settled = _table(loading, owner, loadable, options)
    effect, refusal = None, None
    if dry_run and category.id and not refused and not loading.missing.rows:
        effect, refusal = _preview(where, category, sent)
    report = LoadReport(
        category=category.unique_identifier,
        source=loading.sheet.source,
        layout=loading.rows.layout,
        columns=loading.roles,
        kind=loading.kind,
        resolution=loading.report,
        findings=findings,
        registered=loading.missing.identifiers,
        loaded_rows=int((loadable | (checked.usable & _will_be_registered(loading))).sum()),
        options=settled,
        effect=effect,
        refusal=refusal,
        refused=refused,
        is_dry_run=dry_run,
    )
    if dry_run:
        return report, None
    report.raise_errors()
    record = where.call(contract.LOAD_INTERVALS, sent, key=category.id)
    return report.applied(record.revision), record


def load_index(
    where: Asking, name: str, identifier: str, how: ListReading, options: LoadOptions, *, dry_run: bool
) -> LoadReport:
    """Load an index by its name into the universe with an identifier, which is created where it does not exist.

    Raises
    ------
    ListRefusedError
        As `load`; no universe is created then.
    """
    sheet = index_sheet(name)
    creation = CategoryCreation(unique_identifier=identifier, display_name=name, description=f"From {sheet.source}.")
    query = Query(filters={"unique_identifier": identifier}, limit=1)
    found = where.call(category_contract.QUERY, query).results
    if not found:
        imagined = creation.model_dump(exclude={"assets"}) | {"id": 0, "revision": 0, "created_at": from_micros(0)}
        report, _ = load(where, CategoryRecord.parse(imagined), sheet, how, options, dry_run=True)
        if dry_run:
            return report
        report.raise_errors()
    category = found[0] if found else where.call(category_contract.GET_OR_CREATE, creation)
    return load(where, category, sheet, how, options, dry_run=dry_run)[0]


def _begin(where: Asking, category: CategoryRecord, source: Any, how: ListReading) -> Loading:
    sheet = source if isinstance(source, Sheet) else read(source, format=how.format, sheet=how.sheet)
    kind = None if how.identifier is None else IdentifierKind(read_kind(how.identifier))
    paired = not isinstance(how.identifier, str) and tuple(how.identifier or ()) == TICKER_AND_EXCHANGE
    roles = roles_of.assign(list(sheet.columns), kind, with_exchange=paired, columns=how.columns)
    _check_header(sheet, roles, how)
    rows = read_rows(sheet, roles, date_format=how.date_format, inclusive=how.ends == "inclusive")
    if how.effective_from is not None and rows.layout is not Layout.SNAPSHOT and how.mode != "history":
        raise ValidationError(
            "effective_from goes with a list without dates of its own, or with mode='history'.", hint="Leave it out."
        )
    kind = kind or roles_of.kind_of(roles["identifier"])
    loading = Loading(where, category, how, sheet, roles, rows, kind, None, Missing([], []))
    loading.table = _resolved(loading)
    if how.register_missing:
        loading.missing = missing_assets(sheet, rows, roles, loading.table, kind)
    return loading


def _check_header(sheet: Sheet, roles: dict[str, str], how: ListReading) -> None:
    """Refuse a first row that names nothing known: where it is the first member, it would be lost.

    Raises
    ------
    ValidationError
        Says how to write what is meant.
    """
    column = roles["identifier"]
    if not sheet.headed or column in (how.columns or {}).values() or roles_of.is_known(column):
        return
    raise ValidationError(
        f"The first row of {sheet.source} calls its only column {column!r}, which says nothing of what it holds.",
        hint=f"columns={{'identifier': {column!r}}} where that is its name; format='text' where it is a member.",
    )


def _resolved(loading: Loading) -> "pa.Table":
    """Resolve the rows that name somebody, each at the time that it speaks of."""
    rows, how = loading.rows, loading.how
    named = np.array([place for place, name in enumerate(rows.identifier) if name is not None], dtype=np.int64)
    names = [str(rows.identifier[place]) for place in named.tolist()]
    told = rows.exchange_code if loading.kind in (IdentifierKind.TICKER, IdentifierKind.ANY) else None
    codes = None if told is None else [told[place] for place in named.tolist()]
    return resolve_rows(loading.where, names, codes, _times(rows, how)[named], loading.kind, how.policy)


def _times(rows: Rows, how: ListReading) -> Ints:
    """Give the time at which each row's identifier is to be understood: its start, else its last moment, else as_of."""
    given = next((each for each in (how.as_of, how.effective_from) if each is not None), None)
    stated = now_micros() if given is None else to_micros(given, "as_of")
    if rows.layout is Layout.SNAPSHOTS:
        times = np.where(rows.date == UNREAD, stated, rows.date)
    elif rows.layout is Layout.INTERVALS:
        bounded = (rows.end > MIN_MICROS) & (rows.end < MAX_MICROS)
        times = np.where(bounded, rows.end - 1, stated)
        times = np.where((rows.start > MIN_MICROS) & (rows.start < MAX_MICROS), rows.start, times)
    else:
        times = np.full(len(rows), stated)
    return np.where(times <= MIN_MICROS, stated, times).astype(np.int64)


def now_micros() -> int:
    """Give the time of this machine, at which identifiers are understood that nothing dates."""
    import time

    return time.time_ns() // 1_000


def _owners(loading: Loading) -> Ints:
    """Give whom each row is about: the asset; -2, -3 … for each identifier that is not resolved; -1 for nobody."""
    rows = loading.rows
    ids = iter(loading.table.column("asset_id").to_pylist())
    codes = rows.exchange_code or [None] * len(rows)
    unknown: dict[tuple[str, str | None], int] = {}
    owners = np.full(len(rows), -1, dtype=np.int64)
    for place, (name, code) in enumerate(zip(rows.identifier, codes, strict=True)):
        if name is not None:
            asset = next(ids)
            owners[place] = asset if asset is not None else unknown.setdefault((name, code), -2 - len(unknown))
    return owners


def _will_be_registered(loading: Loading) -> Bools:
    rows = set(loading.missing.rows)
    return np.array([label in rows for label in loading.rows.labels], dtype=bool)


def _faults(loading: Loading) -> bool:
    """Tell whether the list would be refused for what is wrong with its rows, before anything is registered."""
    owner = _owners(loading)
    before = list(loading.rows.findings)
    checked = check(loading.rows, owner)
    findings = [*loading.rows.findings, *_unresolved(loading)]
    refused = _refused(loading, findings, checked, owner)
    loading.rows.findings[:] = before
    return bool(refused)


def _unresolved(loading: Loading) -> list[Finding]:
    """Give a finding for each row that is not resolved and whose asset will not be registered."""
    report = loading.report
    known = {Outcome(kind.value): kind for kind in UNRESOLVED}
    will_be = set(loading.missing.rows)
    return [
        Finding(row["row"], known[Outcome(row["outcome"])], row["identifier"], _why(row))
        for row in report.unresolved
        if row["row"] not in will_be
    ]


def _why(row: dict[str, Any]) -> str:
    return str(row["why"]) + (f"; near: {', '.join(row['nearest'])}" if row["nearest"] else "")


def _refused(loading: Loading, findings: list[Finding], checked: Checked, owner: Ints) -> list[Finding]:
    """Give the findings for which the list is refused, by what was said to do with them."""
    how, rows = loading.how, loading.rows
    skipped = set(UNRESOLVED) if how.on_unresolved == "skip" else set()
    if how.on_faults == "repair":
        skipped |= set(Fault) - set(UNRESOLVED) - {Fault.EMPTY}
    refused = [each for each in findings if each.kind not in skipped]
    if how.on_faults == "repair":
        differing = {rows.labels[place] for place in differ_in_weight(rows, checked, owner)}
        refused += [each for each in findings if each.kind in skipped and each.row in differing]
    if not checked.usable.any() and not (how.allow_empty or _is_marked_empty(loading)):
        empty = Finding("-", Fault.EMPTY, None, "no row says anything; allow_empty=True loads an empty universe")
        findings.append(empty)
        refused.append(empty)
    return refused


def _is_marked_empty(loading: Loading) -> bool:
    """Tell whether the list says by a date alone that there were no members then."""
    rows = loading.rows
    return rows.layout is Layout.SNAPSHOTS and len(rows) > 0 and not any(rows.identifier)


def _table(loading: Loading, owner: Ints, usable: Bools, options: LoadOptions) -> tuple["pa.Table", LoadOptions]:
    places = np.flatnonzero(usable)
    intervals = _intervals(loading, owner, places)
    begins = int(intervals.start.min()) if len(intervals) else MIN_MICROS
    settled = _settled(loading, options, begins)
    announced = _announcements(loading, owner, places)
    return contract.with_options(interval_table(intervals, announced), settled), settled


def _intervals(loading: Loading, owner: Ints, places: Ints) -> Intervals:
    rows, how = loading.rows, loading.how
    owners, weight = owner[places], rows.weight[places]
    if rows.layout is Layout.INTERVALS:
        return joined(Intervals(owners, rows.start[places], rows.end[places], weight))
    if rows.layout is Layout.SNAPSHOTS:
        return _dated(loading, owners, rows.date[places], weight)
    begins = _list_begins(how)
    start = MIN_MICROS if begins is None else to_micros(begins, "effective_from")
    count = len(places)
    return joined(Intervals(owners, np.full(count, start), np.full(count, MAX_MICROS), weight))


def _dated(loading: Loading, owners: Ints, dates: Ints, weight: Any) -> Intervals:
    every = loading.rows.date[loading.rows.date != UNREAD]
    named = [to_micros(each) for each in loading.sheet.list_dates if each != "-infinity"]
    times = np.unique(np.concatenate([every, np.array(named, dtype=np.int64)]))
    once = np.unique(np.stack([dates, owners]), axis=1, return_index=True)[1] if len(owners) else owners
    owners, dates, weight = owners[once], dates[once], weight[once]
    return from_lists(times, np.searchsorted(times, dates), owners, weight, MAX_MICROS)


def _list_begins(how: ListReading) -> TimeLike | None:
    begins: TimeLike | None = how.as_of if how.effective_from is None and how.mode == "history" else how.effective_from
    return begins


def _settled(loading: Loading, options: LoadOptions, begins: int) -> LoadOptions:
    """Complete how the list enters: one without dates takes effect like the verbs, others as their dates say."""
    how, rows = loading.how, loading.rows
    given: dict[str, Any] = {"mode": how.mode}
    if how.announced is not None:
        given["announced"] = to_datetime(how.announced, "announced")
    if rows.layout is Layout.SNAPSHOT:
        begins_at = _list_begins(how)
        from_now = begins_at is None and loading.category.dated
        given |= {"weighted": rows.weighted, "since_now": from_now}
        if how.mode != "append" and (begins_at is not None or from_now):
            given |= {"mode": "history", "since": None if from_now else to_datetime(begins_at or "", "effective_from")}
    elif how.mode == "history" and how.effective_from is not None:
        given["since"] = to_datetime(how.effective_from, "effective_from")
    return options.model_copy(update=given)


def _announcements(loading: Loading, owner: Ints, places: Ints) -> dict[tuple[int, int], int]:
    """Give when changes were announced, by asset and the time at which they take effect."""
    rows, begins = loading.rows, _list_begins(loading.how)
    pairs = [(rows.start, rows.announced), (rows.end, rows.exit_announced), (rows.date, rows.announced)]
    if rows.layout is Layout.SNAPSHOT and begins is not None:
        pairs.append((np.full(len(rows), to_micros(begins, "effective_from")), rows.announced))
    return {
        (int(owner[place]), int(at[place])): int(known[place])
        for at, known in pairs
        for place in places[(at[places] != UNREAD) & (known[places] != UNREAD)].tolist()
    }


def _preview(
    where: Asking, category: CategoryRecord, sent: "pa.Table"
) -> tuple[LoadEffect | None, MainSequenceError | None]:
    try:
        return where.call(contract.PREVIEW_INTERVALS, sent, key=category.id), None
    except (ValidationError, NotFoundError, ConflictError) as error:
        return None, error
