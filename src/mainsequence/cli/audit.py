"""``mainsequence audit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainsequence.cli.naming import Where, filters
from mainsequence.cli.output import AsJson, show_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainsequence.domain.audit import AuditEntry

app = typer.Typer(no_args_is_help=True, help="The audit log: who changed what, when, why and from where.")

LISTED = (
    *("recorded_at", "actor", "operation", "unique_identifier", "objects", "revision"),
    *("carrier", "client", "outcome", "reason", "details"),
)
PAGE = 1_000


@app.callback()
def group() -> None:
    """Keep ``list`` a command of its own."""


@app.command("list")
def list_entries(
    where: Where = None,
    actor: Annotated[str | None, typer.Option(help="Only what this user changed.")] = None,
    operation: Annotated[str | None, typer.Option(help="Only this operation, like series.delete.")] = None,
    since: Annotated[str | None, typer.Option(help="Recorded at or after this date or time.")] = None,
    until: Annotated[str | None, typer.Option(help="Recorded before this date or time.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many lines; by default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what was changed in your organization, newest first; for administrators."""
    from mainsequence.domain.audit import AUDIT_LOOKUPS

    asked = filters(where, AUDIT_LOOKUPS) | {
        name: value for name, value in {"actor": actor, "operation": operation}.items() if value is not None
    }
    found = [entry.model_dump() for entry in _entries(asked, since, until, limit)]
    show_rows(found, LISTED, as_json=as_json, nothing="nothing was changed")


def _entries(asked: dict[str, Any], since: str | None, until: str | None, limit: int | None) -> Iterator[AuditEntry]:
    from mainsequence.client.connection import carrier
    from mainsequence.contract import audit as contract
    from mainsequence.domain.times import to_datetime

    span = {name: to_datetime(value, name) for name, value in {"since": since, "until": until}.items() if value}
    after, left = None, limit
    while left is None or left > 0:
        size = PAGE if left is None else min(left, PAGE)
        page = carrier().call(contract.QUERY, contract.AuditQuery(filters=asked, limit=size, after=after, **span))
        yield from page.results
        after, left = page.next_after, None if left is None else left - len(page.results)
        if after is None:
            return
