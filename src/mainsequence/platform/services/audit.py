"""The audit log: reading who changed what."""

from mainsequence.contract import audit as contract
from mainsequence.domain.audit import AUDIT_LOOKUPS, AuditEntry
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.times import to_micros
from mainsequence.domain.values import Page
from mainsequence.platform.registry import audit as registry
from mainsequence.platform.registry.audit_tables import audit_entry as table
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.services.paging import page_of
from mainsequence.platform.work import Work, carries_out


@carries_out(contract.QUERY)
def query(work: Work, body: contract.AuditQuery) -> Page[AuditEntry]:
    """Find lines of the organization by lookups, newest first."""
    parsed = parse_lookups(body.filters, AUDIT_LOOKUPS)
    found = registry.selection().where(
        table.c.organization_id == work.organization_id, *conditions(work.connection, parsed, registry.COLUMNS)
    )
    if body.since is not None:
        found = found.where(table.c.recorded_at >= to_micros(body.since, "since"))
    if body.until is not None:
        found = found.where(table.c.recorded_at < to_micros(body.until, "until"))
    if body.after is not None:
        found = found.where(table.c.id < body.after)
    return page_of(registry.read(work.connection, found.order_by(table.c.id.desc()).limit(body.limit + 1)), body.limit)
