"""Series: declaring, describing and deleting them; writing and reading their rows."""

import re
from typing import TYPE_CHECKING
from uuid import uuid4

from mainsequence.contract import series as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.categories import Reference
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.series import (
    SERIES_LOOKUPS,
    RowSelection,
    SeriesDeclaration,
    SeriesQuery,
    SeriesRecord,
    SeriesStatistics,
    SeriesVersion,
    StatisticsQuery,
    WideQuery,
    WriteOutcome,
)
from mainsequence.domain.values import Page
from mainsequence.errors import AlreadyExistsError, SchemaMismatchError
from mainsequence.platform.registry import categories
from mainsequence.platform.registry import series as registry
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.tables import series
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out
from mainsequence.platform.written import streams_out

if TYPE_CHECKING:
    import pyarrow as pa


@carries_out(contract.QUERY)
def query(work: Work, body: Query) -> Page[SeriesRecord]:
    """Find series by lookups, in the order of their ids."""
    parsed = parse_lookups(body.filters, SERIES_LOOKUPS)
    found = registry.selection().where(
        series.c.organization_id == work.organization_id, *conditions(work.connection, parsed, registry.COLUMNS)
    )
    return page_by_id(found, series.c.id, body, lambda query: registry.read(work.connection, query))


@carries_out(contract.GET)
def get(work: Work, _body: None, *, key: int) -> SeriesRecord:
    """Read one series of the organization."""
    return registry.by_id(work.connection, work.organization_id, key)


def by_identifier(work: Work, unique_identifier: str) -> SeriesRecord:
    """Read one series of the organization by its unique identifier."""
    return registry.by_identifier(work.connection, work.organization_id, unique_identifier)


@carries_out(contract.CREATE)
def create(work: Work, body: SeriesDeclaration) -> SeriesRecord:
    """Declare a series whose identifier is not taken."""
    if not _declare(work, body):
        raise AlreadyExistsError(
            f"A series {body.unique_identifier!r} exists already.",
            hint="Series.get(unique_identifier=…) reads it; get_or_create finds or declares.",
        )
    return by_identifier(work, body.unique_identifier)


@carries_out(contract.GET_OR_CREATE)
def get_or_create(work: Work, body: SeriesDeclaration) -> SeriesRecord:
    """Read the series with this identifier, or declare it."""
    declared_now = _declare(work, body)
    record = by_identifier(work, body.unique_identifier)
    if not declared_now and not record.series_schema.same_table(body.series_schema):
        raise SchemaMismatchError(
            f"The series {body.unique_identifier!r} exists with other columns.",
            hint=f"It has {', '.join(record.series_schema.names)}; columns never change, use another name.",
        )
    return record


def _declare(work: Work, body: SeriesDeclaration) -> bool:
    """Insert the description and, before it is committed, make the table: a failure leaves no series behind."""
    table = f"{re.sub(r'[^A-Za-z0-9]+', '_', body.unique_identifier).strip('_')[:60] or 'series'}-{uuid4().hex[:16]}"
    declared = registry.create(work.connection, work.organization_id, body, table, work.now)
    if declared:
        work.lake.create(table, body.series_schema)
    return declared


@carries_out(contract.PATCH)
def patch(work: Work, body: contract.SeriesPatch, *, key: int) -> SeriesRecord:
    """Change descriptions of a series."""
    get(work, None, key=key)
    given = body.model_dump(include=body.model_fields_set)
    if "metadata" in given:
        given["metadata_json"] = given.pop("metadata") or {}
    if "description" in given:
        given["description"] = given["description"] or ""
    registry.change(work.connection, key, given)
    return get(work, None, key=key)


@carries_out(contract.DELETE)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Delete a series with all its versions."""
    table = _table(work, key)
    node = Reference(kind="node", identifier=get(work, None, key=key).unique_identifier)
    categories.drop_reference(work.connection, None, node)
    registry.erase(work.connection, key)
    work.lake.drop(table)


@carries_out(contract.APPEND, writes_registry=False)
def append(work: Work, body: "pa.Table", *, key: int) -> WriteOutcome:
    """Add rows whose index is new."""
    return work.lake.append(_table(work, key), body, once=work.once)


@carries_out(contract.UPSERT, writes_registry=False)
def upsert(work: Work, body: "pa.Table", *, key: int) -> WriteOutcome:
    """Add rows, and replace those of the same index whose values differ."""
    return work.lake.upsert(_table(work, key), body)


@carries_out(contract.REPLACE, writes_registry=False)
def replace(work: Work, body: "pa.Table", *, key: int) -> WriteOutcome:
    """Make the rows of the table's selection exactly these."""
    return work.lake.replace(_table(work, key), body, contract.selection_of(body))


@carries_out(contract.DELETE_ROWS, writes_registry=False)
def delete_rows(work: Work, body: RowSelection, *, key: int) -> WriteOutcome:
    """Delete the rows of a selection."""
    return work.lake.delete_rows(_table(work, key), body)


@carries_out(contract.READ)
def read(work: Work, body: SeriesQuery, *, key: int) -> "pa.Table":
    """Read rows, ascending by time, then asset."""
    return work.lake.read(_table(work, key), body)


@streams_out(contract.READ)
def stream(work: Work, body: SeriesQuery, *, key: int) -> "pa.RecordBatchReader":
    """Read rows as `read` does, part by part."""
    return work.lake.batches(_table(work, key), body)


@carries_out(contract.WIDE)
def wide(work: Work, body: WideQuery, *, key: int) -> "pa.Table":
    """Read one column as a date × asset matrix."""
    return work.lake.wide(_table(work, key), body).to_table()


@carries_out(contract.STATISTICS)
def statistics(work: Work, body: StatisticsQuery, *, key: int) -> SeriesStatistics:
    """Count what a version holds."""
    return work.lake.statistics(_table(work, key), body.version)


@carries_out(contract.HISTORY)
def history(work: Work, _body: None, *, key: int) -> list[SeriesVersion]:
    """List every version, oldest first."""
    return work.lake.history(_table(work, key))


def _table(work: Work, key: int) -> str:
    name = registry.storage_name(work.connection, work.organization_id, key)
    work.let_go()
    return name
