"""The reads asked for most, written straight from rows: members of a universe, lists of assets."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.times import MIN_MICROS, to_micros
from mainsequence.platform.registry import documents, ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.services import categories as categories_service
from mainsequence.platform.services import derived
from mainsequence.platform.services.membership_reads import membership_of, state_of
from mainsequence.platform.work import Work
from mainsequence.platform.written import FOREVER, Written, writes_out

AT_ONCE = 5_000
"""How many assets are written at once."""


@dataclass(frozen=True, slots=True)
class _Membership:
    """The members of one recorded state of a universe, which are the same from one time until another."""

    revision: int
    since: int
    until: int
    content: bytes

    @property
    def tag(self) -> str:
        return f"{self.revision}-{self.since - MIN_MICROS:x}"


@writes_out(contract.ASSET_IDS)
def asset_ids(work: Work, body: contract.AsOf, *, known: str | None, key: int) -> Written:
    """Write the ids of the members, sorted; made once for each state and span of time in which they are the same."""
    head = categories_service.get(work, None, key=key)
    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    if derived.is_derived(head):
        return Written(orjson.dumps(membership_of(work, key, body.revision, body.known_at).ids(time)))
    state = _state(work, body, head)
    members = _members(work, head, state, time)
    until = members.until if body.as_of is None else FOREVER
    return Written(None if known == members.tag else members.content, members.tag, until)


def _state(work: Work, body: contract.AsOf, head: CategoryRecord) -> State:
    if body.revision is None and body.known_at is None:
        return State(head.id)
    return state_of(work, head.id, body.revision, body.known_at)


def _members(work: Work, head: CategoryRecord, state: State, time: int) -> _Membership:
    revision = head.revision if state.revision is None else state.revision
    place = (head.id, head.created_at, revision)  # a state never changes; ids are never given twice
    kept: _Membership | None = work.memory.get(place)
    if kept is not None and kept.since <= time < kept.until:
        return kept
    since, until = ledger.unchanged_around(work.connection, state, time)
    content = orjson.dumps(ledger.asset_ids(work.connection, state, time))
    made = _Membership(revision, since, until, content)
    work.memory.put(place, made, len(content) + 500)
    return made


@writes_out(contract.ASSETS)
def assets(work: Work, body: contract.MembersOf, *, known: str | None, key: int) -> Written:
    """Write the members, in the order of their ids; many of them part by part.

    Who they are is read once; what they are called, for each part when it is its turn.
    """
    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    ids = membership_of(work, key, body.revision, body.known_at).ids(time)
    first = 0 if body.after is None else bisect_right(ids, body.after)
    ids = ids[first:] if body.limit is None else ids[first : first + body.limit]
    if len(ids) <= AT_ONCE:
        return Written(orjson.dumps(_documents(work, ids), option=documents.OPTIONS))
    return Written(None, parts=_parts(work, ids))


def _documents(work: Work, ids: list[int]) -> list[dict[str, Any]]:
    query = documents.asset_selection().where(within(work.connection, asset.c.id, ids)).order_by(asset.c.id)
    return documents.assets(work.connection, query)


def _parts(work: Work, ids: list[int]) -> Iterator[bytes]:
    """Write a list of assets; the work that asked for it is over, and so each part is work of its own."""
    for start in range(0, len(ids), AT_ONCE):
        with replace(work) as part:
            found = _documents(part, ids[start : start + AT_ONCE])
        written = orjson.dumps(found, option=documents.OPTIONS)
        yield (b"," if start else b"[") + written[1:-1]
    yield b"]"


@writes_out(asset_contract.QUERY)
def asset_query(work: Work, body: asset_contract.AssetQuery, *, known: str | None) -> Written:
    """Write the assets that fit lookups, in the order of their ids."""
    query = documents.asset_selection().where(*assets_service.chosen(work, body))
    results = documents.assets(work.connection, query.order_by(asset.c.id).limit(body.limit + 1))
    more = len(results) > body.limit
    page: dict[str, Any] = {
        "results": results[: body.limit],
        "next_after": results[body.limit - 1]["id"] if more else None,
    }
    return Written(orjson.dumps(page, option=documents.OPTIONS))
