"""The audit log: one line for each write that changed something."""

from typing import Literal, TypeAlias

from pydantic import Field

from mainsequence.domain.lookups import IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value

Outcome: TypeAlias = Literal["done", "started"]
"""``started`` is a write of rows whose end is not recorded: a failure or a crash came between, look at the series."""

AUDIT_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("actor", "operation", "unique_identifier", "client", "request_id"), FieldLookups(IDENTIFYING)),
    "object_id": FieldLookups(LISTED, int),
    **dict.fromkeys(("carrier", "outcome"), FieldLookups(LISTED)),
}
"""What lines can be filtered by."""


class AuditEntry(Value):
    """Who changed what, when, why and from where."""

    id: int
    recorded_at: Instant
    actor: str
    operation: str
    object_id: int | None = Field(description="Id of the object, where it is one")
    unique_identifier: str | None = Field(description="What the object was called")
    objects: int = Field(description="How many objects, members or rows the write named")
    revision: int | None = Field(description="Revision of the universe, or version of the series, afterwards")
    reason: str | None
    details: str | None = Field(None, description="Of rights: what was asked for, as JSON: to whom, which role")
    carrier: str = Field(description="embedded or http")
    client: str | None = Field(description="Address of who asked; for embedded ones machine and process")
    request_id: str | None
    outcome: Outcome
