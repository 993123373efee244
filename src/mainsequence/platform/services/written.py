"""The reads asked for most, written straight from rows: members of a universe, lists of assets."""

from dataclasses import dataclass
from typing import Any

import orjson

from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as contract
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.times import MIN_MICROS, to_micros
from mainsequence.platform.registry import documents, ledger
from mainsequence.platform.registry.ledger import State
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.services import categories as categories_service
from mainsequence.platform.services import derived
from mainsequence.platform.services.membership_reads import membership_of, state_of
from mainsequence.platform.work import Work
from mainsequence.platform.written import FOREVER, Written, writes_out


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
def assets(work: Work, body: contract.AsOf, *, known: str | None, key: int) -> Written:
    """Write the members, in the order of their ids."""
    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    members = membership_of(work, key, body.revision, body.known_at).condition(time)
    query = documents.asset_selection().where(members).order_by(asset.c.id)
    return Written(orjson.dumps(documents.assets(work.connection, query), option=documents.OPTIONS))


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
