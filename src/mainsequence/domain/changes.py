"""What happens to universes, as a feed; and webhooks, which carry the feed to others."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from mainsequence.domain.identifiers import Description, check_visible
from mainsequence.domain.lookups import EXACT_ONLY, IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError


class ChangeKind(StrEnum):
    """What can happen to a universe."""

    CREATED = "created"
    CHANGED = "changed"
    DESCRIBED = "described"
    DELETED = "deleted"


class Change(Value):
    """One thing that happened to a universe: its creation or deletion, a revision of its members, a new description."""

    position: int = Field(description="Its place in the feed of the organization; reading goes on behind it")
    kind: ChangeKind
    category_id: int
    unique_identifier: str = Field(description="What the universe was called then")
    recorded_at: Instant
    actor: str
    revision: int = Field(description="The head of the universe after it")
    operation: str | None = None
    reason: str | None = None
    added: int | None = Field(None, description="Assets that gained time as members, where members changed")
    removed: int | None = Field(None, description="Assets that lost time as members")
    content_hash: str | None = Field(None, description="The fingerprint of the universe at this revision")


class ChangePage(Value):
    """Part of the feed, in its order."""

    changes: list[Change]
    cursor: int = Field(description="How far was read: what follows has later positions")
    head: int = Field(description="How far the feed reaches")


MAX_URL = 2_000
WEBHOOK_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    "url": FieldLookups(IDENTIFYING),
    "status": FieldLookups(EXACT_ONLY),
}
"""What webhooks can be filtered by."""


def check_url(url: str) -> str:
    """Accept an address that a webhook may be sent to; where its host leads is looked at when something is sent.

    Raises
    ------
    ValidationError
        It is not ``http(s)://host…``, carries a user name or a fragment, or is too long.
    """
    check_visible(url)
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or len(url) > MAX_URL or any(map(str.isspace, url)):
        raise ValidationError(f"{url[:100]!r} is no address for a webhook.", hint="Write it like https://host/path.")
    if parts.username or parts.password or parts.fragment:
        raise ValidationError(
            f"{url[:100]!r} carries a user, a password or a fragment.",
            hint="Receivers know us by the signature; leave them out.",
        )
    return url


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the open internet: not private, loopback, link-local, reserved or multicast.

    One that carries IPv4 addresses inside (mapped, 6to4, Teredo, NAT64) counts as those.
    """
    found = ip_address(address.partition("%")[0])
    inside = _carried(found) if isinstance(found, IPv6Address) else ()
    return all(each.is_global and not each.is_multicast for each in inside or (found,))


def _carried(address: IPv6Address) -> tuple[IPv4Address, ...]:
    if address.packed[:12] == _NAT64:
        return (IPv4Address(address.packed[12:]),)
    return tuple(filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))))


_NAT64 = bytes.fromhex("0064ff9b0000000000000000")


WebhookUrl = Annotated[str, AfterValidator(check_url)]
WebhookStatus: TypeAlias = Literal["active", "failing", "disabled"]


class WebhookCreation(Value):
    """Who is to be told of what."""

    url: WebhookUrl
    kinds: list[ChangeKind] = Field(default_factory=lambda: list(ChangeKind), min_length=1)
    category_ids: list[int] | None = Field(None, description="Of which universes; by default of all, also later ones")
    description: Description | None = None
    since: int | None = Field(None, ge=0, description="Begin behind this position; by default with what comes next")


class WebhookRecord(Value):
    """A webhook as it is stored, without its secret."""

    id: int
    url: str
    kinds: list[ChangeKind]
    category_ids: list[int] | None
    description: str | None
    created_at: Instant
    created_by: str
    status: WebhookStatus
    status_reason: str | None = Field(description="Why it is failing or disabled")
    position: int = Field(description="How far of the feed the receiver has acknowledged")
    attempts: int = Field(description="How often in a row the next event was sent in vain")
    next_attempt_at: Instant | None = Field(description="When that is sent again")
    last_delivery_at: Instant | None


class IssuedWebhook(WebhookRecord):
    """A new webhook with the secret of its signatures, shown this once."""

    secret: str = Field(repr=False)


class Delivery(Value):
    """What came of sending one message to a webhook."""

    delivered: bool
    status_code: int | None = None
    error: str | None = None
    milliseconds: int
