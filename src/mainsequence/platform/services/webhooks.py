"""Webhooks: who is told of changes. Telling them is `mainsequence.platform.deliveries`."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import orjson
from sqlalchemy import select

from mainsequence.contract import changes as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.changes import (
    WEBHOOK_LOOKUPS,
    Change,
    Delivery,
    IssuedWebhook,
    WebhookCreation,
    WebhookRecord,
    is_public,
)
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import Page, listed
from mainsequence.errors import NotFoundError, ValidationError
from mainsequence.platform.registry import feed
from mainsequence.platform.registry import webhooks as registry
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import category
from mainsequence.platform.sending import Message, new_secret, send
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out
from mainsequence.settings import Settings

ACTIVE = {"status": "active", "status_reason": None, "attempts": 0, "failing_since": None, "next_attempt_at": 0}


def may_be_private() -> bool:
    """Say whether webhooks may go to addresses that are not of the open internet."""
    return Settings.from_environment().private_webhooks


@carries_out(contract.QUERY_WEBHOOKS)
def query(work: Work, body: Query) -> Page[WebhookRecord]:
    """Find webhooks by lookups, in the order of their ids."""
    parsed = parse_lookups(body.filters, WEBHOOK_LOOKUPS)
    found = registry.selection(work.organization_id).where(*conditions(work.connection, parsed, registry.COLUMNS))
    return page_by_id(found, registry.columns.id, body, lambda query: registry.read(work.connection, query))


@carries_out(contract.GET_WEBHOOK)
def get(work: Work, _body: None, *, key: int) -> WebhookRecord:
    """Read one webhook of the organization."""
    return registry.by_id(work.connection, work.organization_id, key)


@carries_out(contract.CREATE_WEBHOOK)
def create(work: Work, body: WebhookCreation) -> IssuedWebhook:
    """Tell somebody of changes from now on, or from a position of the feed on."""
    _check_host(body.url)
    _check_universes(work, body.category_ids)
    head = feed.head(work.connection, work.organization_id)
    if body.since is not None and body.since > head:
        raise ValidationError(f"The feed reaches position {head}, not {body.since}.", hint="Leave since out.")
    secret = new_secret()
    row = body.model_dump(mode="json", exclude={"since"}) | ACTIVE
    row |= {"organization_id": work.organization_id, "secret": secret, "created_by": work.actor.name}
    row |= {"created_at": work.now, "position": head if body.since is None else body.since, "leased_until": 0}
    made = get(work, None, key=registry.add(work.connection, row))
    return IssuedWebhook(**made.__dict__, secret=secret)


def _check_host(url: str) -> None:
    """Refuse at once what would be refused with every delivery; names are looked up when something is sent."""
    host = str(urlsplit(url).hostname)
    try:
        public = is_public(str(ip_address(host)))
    except ValueError:
        public = host != "localhost" and not host.endswith(".localhost")
    if not (public or may_be_private()):
        raise ValidationError(
            f"{host} is not an address of the open internet.",
            hint="Set MAINSEQUENCE_PRIVATE_WEBHOOKS=1 where webhooks may reach the machines around the platform.",
        )


def _check_universes(work: Work, ids: list[int] | None) -> None:
    own = (category.c.organization_id == work.organization_id, within(work.connection, category.c.id, ids or ()))
    known = set(work.connection.scalars(select(category.c.id).where(*own)))
    unknown = sorted(set(ids or ()) - known)
    if unknown:
        raise NotFoundError(f"There are no asset categories with the ids {listed(unknown)}.")


@carries_out(contract.RESUME_WEBHOOK)
def resume(work: Work, _body: None, *, key: int) -> WebhookRecord:
    """Send to a webhook again, at once, from where it stopped."""
    get(work, None, key=key)
    registry.change(work.connection, key, dict(ACTIVE))
    return get(work, None, key=key)


@carries_out(contract.DELETE_WEBHOOK)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Tell somebody no more."""
    registry.remove(work.connection, get(work, None, key=key).id)


@carries_out(contract.TEST_WEBHOOK, writes_registry=False)
def test(work: Work, _body: None, *, key: int) -> Delivery:
    """Send a message that says nothing, signed like any other."""
    get(work, None, key=key)
    target = registry.target(work.connection, key)
    if target is None:
        raise NotFoundError(f"There is no webhook with id {key}.")
    message = Message(f"msg_{key}_test_{work.now}", _body_of("webhook.test", work.now, {"webhook_id": key}))
    return send(target.url, target.secret, message, now=work.now, private=may_be_private())


def message_of(webhook_id: int, change: Change) -> Message:
    """Write an event as the message that a webhook gets; its id is the same however often it is sent."""
    body = {
        "type": f"asset_category.{change.kind}",
        "timestamp": change.recorded_at,
        "data": change.model_dump(mode="json"),
    }
    return Message(f"msg_{webhook_id}_{change.position}", orjson.dumps(body))


def _body_of(kind: str, now: int, said: dict[str, int]) -> bytes:
    return orjson.dumps({"type": kind, "timestamp": from_micros(now), "data": said})
