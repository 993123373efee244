"""``msc.Webhook``, and what reading the feed of changes gives."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from time import sleep
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.client.universe_base import category_ids
from mainsequence.contract import changes as contract
from mainsequence.contract.carrier import Carrier
from mainsequence.contract.queries import MAX_PAGE
from mainsequence.domain.changes import Change, ChangeKind, Delivery, WebhookCreation, WebhookRecord
from mainsequence.domain.values import Value

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20
_COLUMNS = ("position", "recorded_at", "kind", "unique_identifier", "revision", "actor", "reason", "added", "removed")


class Changes(list[Change]):
    """Part of the feed of changes, in its order.

    Parameters
    ----------
    changes
        The events.
    cursor
        Where to read on: ``changes(since=cursor)`` gives what comes behind, and nothing twice.
    """

    def __init__(self, changes: Iterable[Change], cursor: int) -> None:
        super().__init__(changes)
        self.cursor = cursor

    def to_frame(self) -> "pd.DataFrame":
        """Give the events as a frame, one row each, indexed by position."""
        import pandas as pd

        columns = list(Change.model_fields)
        return pd.DataFrame([each.model_dump() for each in self], columns=columns).set_index("position")

    def __repr__(self) -> str:
        lines = [f"Changes({len(self)}, cursor={self.cursor})", *map(line_of, self[:_SHOWN])]
        more = [f"… and {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        return "\n  ".join([*lines, *more])

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        rows = "".join(f"<tr>{_cells(each)}</tr>" for each in self[:_SHOWN])
        return f"<table><caption>{len(self)} changes, cursor {self.cursor}</caption><tr>{heads}</tr>{rows}</table>"


def line_of(change: Change) -> str:
    """Write an event as a line for people."""
    what = f"{change.unique_identifier} {change.kind}"
    if change.kind is ChangeKind.CHANGED:
        what = f"{change.unique_identifier}@{change.revision} +{change.added} −{change.removed}"
    why = f": {change.reason}" if change.reason else ""
    return f"{change.position} {change.recorded_at:%Y-%m-%d %H:%M:%S} {what} by {change.actor or 'somebody'}{why}"


def _cells(change: Change) -> str:
    values = ("" if (value := getattr(change, name)) is None else value for name in _COLUMNS)
    return "".join(f"<td>{escape(str(value))}</td>" for value in values)


def read(
    where: Carrier, since: int, category_ids: Sequence[int] | None, kinds: Iterable[str] | None, limit: int | None
) -> Changes:
    """Read the feed behind a position: up to ``limit`` events, or all there are."""
    found: list[Change] = []
    while True:
        size = MAX_PAGE if limit is None else min(MAX_PAGE, limit - len(found))
        page = where.call(contract.CHANGES, _query(since, category_ids, kinds, size))
        found, since = [*found, *page.changes], page.cursor
        if len(page.changes) < size or len(found) == limit:
            return Changes(found, since)


def follow(
    where: Carrier, since: int | None, category_ids: Sequence[int] | None, kinds: Iterable[str] | None, pause: float
) -> Iterator[Change]:
    """Give events as they come, for ever: those behind a position, or those that come from now on."""
    kinds = None if kinds is None else tuple(kinds)
    if since is None:
        since = where.call(contract.CHANGES, contract.ChangesQuery(limit=1)).head
    while True:
        page = where.call(contract.CHANGES, _query(since, category_ids, kinds, 1_000))
        yield from page.changes
        if len(page.changes) < 1_000:
            sleep(pause)
        since = page.cursor


def _query(
    since: int, category_ids: Sequence[int] | None, kinds: Iterable[str] | None, limit: int
) -> contract.ChangesQuery:
    fields: dict[str, Any] = {} if kinds is None else {"kinds": [ChangeKind(kind) for kind in kinds]}
    ids = None if category_ids is None else list(category_ids)
    return contract.ChangesQuery(since=since, category_ids=ids, limit=limit, **fields)


class Webhook(Noun[WebhookRecord], WebhookRecord):
    """An address that is told of changes of universes, signed, in order, and again until it acknowledges.

    A server delivers by itself; without one, ``mainsequence webhook deliver`` does. Managing webhooks takes an
    administrator.
    """

    _query = contract.QUERY_WEBHOOKS
    _get = contract.GET_WEBHOOK
    _shown: ClassVar[tuple[str, ...]] = ("id", "url", "status", "status_reason", "position")

    @property
    def secret(self) -> str | None:
        """The secret of the signatures: known where the webhook was just created, and nowhere else."""
        known: str | None = self.__dict__.get("secret")
        return known

    @classmethod
    def create(
        cls,
        url: str,
        *,
        categories: Iterable[Any] | None = None,
        kinds: Iterable[str] | None = None,
        description: str | None = None,
        since: int | None = None,
    ) -> Self:
        """Tell an address of changes from now on.

        Parameters
        ----------
        url
            ``https://…`` (or ``http://``), of the open internet.
        categories
            Which universes: objects, ids or identifiers; by default all, also those that come later.
        kinds
            What: ``created``, ``changed``, ``described``, ``deleted``; by default all.
        description
            What it is for.
        since
            Begin behind this position of the feed; by default with what comes next.

        Returns
        -------
        Webhook
            Its ``secret`` is shown this once: the receiver checks signatures with it.
        """
        fields: dict[str, Any] = {} if kinds is None else {"kinds": [ChangeKind(kind) for kind in kinds]}
        body = WebhookCreation(
            url=url, category_ids=category_ids(categories), description=description, since=since, **fields
        )
        where = carrier()
        return cls._bind(where.call(contract.CREATE_WEBHOOK, body), where)

    def test(self) -> Delivery:
        """Send a message that says nothing, and give what came of it."""
        return self._call(contract.TEST_WEBHOOK, None, key=self.id)

    def resume(self) -> Self:
        """Send again, at once, from where it stopped."""
        return self._refresh(self._call(contract.RESUME_WEBHOOK, None, key=self.id))

    def _refresh(self, record: Value) -> Self:
        known = {"secret": self.secret} if self.secret else {}
        super()._refresh(record)
        self.__dict__.update(known)
        return self

    def refresh(self) -> Self:
        """Read how it is doing."""
        return self._refresh(self._call(contract.GET_WEBHOOK, None, key=self.id))

    def delete(self) -> None:
        """Tell the address no more."""
        self._call(contract.DELETE_WEBHOOK, None, key=self.id)
