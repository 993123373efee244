"""Everything that can be done with the feed of changes and the webhooks that carry it."""

from types import NoneType

from pydantic import Field

from mainsequence.contract.operation import administering, reading
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.changes import (
    ChangeKind,
    ChangePage,
    Delivery,
    IssuedWebhook,
    WebhookCreation,
    WebhookRecord,
)
from mainsequence.domain.values import Page, Value


class ChangesQuery(Value):
    """Which part of the feed."""

    since: int = Field(0, ge=0, description="Read behind this position; 0 is the beginning")
    category_ids: list[int] | None = Field(None, description="Of which universes, also deleted ones; by default all")
    kinds: list[ChangeKind] | None = Field(None, description="What happened; by default anything")
    limit: int = Field(1_000, ge=1, le=MAX_PAGE)


CHANGES = reading(
    "POST", "/changes/query", "changes.query", ChangesQuery, ChangePage, "Read what happened to universes, in order."
)

_ALL, _ONE = "/webhooks", "/webhooks/{key}"

QUERY_WEBHOOKS = administering(
    "POST", f"{_ALL}/query", "webhooks.query", Query, Page[WebhookRecord], "Find webhooks, page by page.", changes=False
)
GET_WEBHOOK = administering(
    "GET", _ONE, "webhooks.get", NoneType, WebhookRecord, "Read one webhook and how it is doing.", changes=False
)
CREATE_WEBHOOK = administering(
    "POST",
    _ALL,
    "webhooks.create",
    WebhookCreation,
    IssuedWebhook,
    "Tell somebody of changes; the secret of the signatures is shown this once.",
    retry_safe=False,
    secret=True,
)
RESUME_WEBHOOK = administering(
    "POST",
    f"{_ONE}/resume",
    "webhooks.resume",
    NoneType,
    WebhookRecord,
    "Send to a failing or disabled webhook again, at once, from where it stopped.",
)
TEST_WEBHOOK = administering(
    "POST", f"{_ONE}/test", "webhooks.test", NoneType, Delivery, "Send a message that says nothing, and say what came."
)
DELETE_WEBHOOK = administering("DELETE", _ONE, "webhooks.delete", NoneType, NoneType, "Tell somebody no more.")
