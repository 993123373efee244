"""Reading the audit log."""

from pydantic import Field

from mainsequence.contract import sharing
from mainsequence.contract.operation import Operation
from mainsequence.contract.queries import Query
from mainsequence.domain.access import Role
from mainsequence.domain.audit import AuditEntry
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Page

TOLD = frozenset(
    (
        *("access.create_user", "access.patch_user", "access.issue_token", "categories.guard"),
        *("teams.create", "teams.add_members", "teams.remove_members"),
        *(
            operation.name
            for verbs in (sharing.CATEGORIES, sharing.TRANSLATION_TABLES, sharing.PORTFOLIOS)
            for operation in (verbs.change, verbs.share, verbs.unshare)
        ),
    )
)
"""Operations whose line holds what they were asked for: who got which rights. None of them takes a secret."""


class AuditQuery(Query):
    """Which lines, newest first, and which page of them; ``after`` continues with lines older than that id."""

    since: Instant | None = Field(None, description="Recorded at or after this time")
    until: Instant | None = Field(None, description="Recorded before this time")


QUERY: Operation[AuditQuery, Page[AuditEntry]] = Operation(
    "audit.query",
    "POST",
    "/audit/query",
    AuditQuery,
    Page[AuditEntry],
    Role.ADMIN,
    retry_safe=True,
    summary="Find who changed what, newest first, page by page.",
    changes=False,
)
