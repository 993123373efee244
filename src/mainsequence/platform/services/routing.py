"""Translation tables: finding and deleting them, giving them rules, and routing assets by them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement

from mainsequence.compute.routing import Bools, Rulebook, overlapping
from mainsequence.contract import routing as contract
from mainsequence.contract.queries import Query
from mainsequence.domain.lookups import parse_lookups
from mainsequence.domain.routing import (
    TABLE_LOOKUPS,
    AssetTranslationRule,
    CoverageFacts,
    Route,
    RuleChanges,
    RuleOverlap,
    TranslationTableRecord,
    plan_every_rule,
    plan_rules,
)
from mainsequence.domain.routing_failures import overlapping_rules, served
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.domain.values import Page, listed
from mainsequence.errors import InUseError, NotFoundError, UnknownAssetsError, ValidationError
from mainsequence.platform import rights
from mainsequence.platform.registry import routing as registry
from mainsequence.platform.registry.lookups import conditions
from mainsequence.platform.registry.sets import within
from mainsequence.platform.registry.sharing import seen_by
from mainsequence.platform.registry.tables import asset, translation_table
from mainsequence.platform.services import assets as assets_service
from mainsequence.platform.services import membership_reads, pins
from mainsequence.platform.services.coverage import Routing, evaluate, find_listings, look_into_series, to_table
from mainsequence.platform.services.paging import page_by_id
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa

Referrers = Callable[[Work, str], list[str]]


def _portfolios(work: Work, unique_identifier: str) -> list[str]:
    seen, every = (
        registry.portfolios_routed_by(work.connection, actor, unique_identifier) for actor in (work.actor, work.steward)
    )
    return rights.named([f"portfolio {each}" for each in seen], len(every))


REFERRERS: list[Referrers] = [_portfolios]
"""Functions that name what refers to a table, given its identifier; a noun whose objects do adds its own."""


@carries_out(contract.QUERY)
def query(work: Work, body: Query) -> Page[TranslationTableRecord]:
    """Find translation tables by lookups, in the order of their ids."""
    parsed = parse_lookups(body.filters, TABLE_LOOKUPS)
    columns = translation_table.c
    found = registry.selection().where(
        *seen_by(work.actor, translation_table), *conditions(work.connection, parsed, registry.COLUMNS)
    )
    return page_by_id(found, columns.id, body, lambda query: registry.read(work.connection, query))


@carries_out(contract.GET)
def get(work: Work, _body: None, *, key: int) -> TranslationTableRecord:
    """Read one translation table of the organization."""
    return registry.by_id(work.connection, work.actor, key)


@carries_out(contract.GET_OR_CREATE)
def get_or_create(work: Work, body: contract.TableDeclaration) -> contract.TableChange:
    """Read the table with this identifier, or create it, and let it have these rules."""
    if registry.create(work.connection, work.actor, body.unique_identifier, work.now):
        return add_rules(work, body, key=registry.by_identifier(work.connection, work.actor, body.unique_identifier).id)
    found = _seen(work, body.unique_identifier)
    if body.rules:
        rights.check_edit(work.connection, work.actor, "translation_table", found.id)
    return add_rules(work, body, key=found.id)


def _seen(work: Work, unique_identifier: str) -> TranslationTableRecord:
    """Read the table that has an identifier; one that is hidden has taken it all the same."""
    try:
        return registry.by_identifier(work.connection, work.actor, unique_identifier)
    except NotFoundError:
        raise rights.taken("translation_table", unique_identifier) from None


@carries_out(contract.DELETE)
def delete(work: Work, _body: None, *, key: int) -> None:
    """Delete a table with its rules, unless something refers to it."""
    record = get(work, None, key=key)
    registry.lock(work.connection, key)
    readers = [reader for referrers in REFERRERS for reader in referrers(work, record.unique_identifier)]
    if readers:
        raise InUseError(
            f"The asset translation table {record.unique_identifier!r} is read by {listed(readers)}.",
            hint="Delete those first, or let them read another table.",
            referrers=readers,
        )
    registry.erase(work.connection, key)


# -- rules


@carries_out(contract.ADD_RULES)
def add_rules(work: Work, body: contract.RuleEdit, *, key: int) -> contract.TableChange:
    """Give rules to a table: new filters are added, a filter that it has leads to the new target."""
    registry.lock(work.connection, key)
    before = get(work, None, key=key)
    plan = (plan_every_rule if body.overlaps == "accept" else plan_rules)(before.rules, body.rules)
    if plan.is_empty:
        return contract.TableChange(table=before, added=[], replaced=[], possible_overlaps=[])
    table = _carry_out(work, key, plan)
    old = {rule.id for rule in before.rules}
    added = [rule for rule in table.rules if rule.id not in old]
    replaced = [rule for rule in table.rules if rule.id in {each.id for each in plan.replaced}]
    possible = _overlaps(work, table.rules, added, refuse=body.overlaps == "refuse")
    return contract.TableChange(table=table, added=added, replaced=replaced, possible_overlaps=possible)


def _carry_out(work: Work, key: int, plan: RuleChanges) -> TranslationTableRecord:
    registry.erase_rules(work.connection, [rule.id for rule in plan.dropped])
    for rule in plan.replaced:
        registry.retarget_rule(work.connection, rule)
    registry.insert_rules(work.connection, key, plan.added, work.now)
    return get(work, None, key=key)


def _overlaps(
    work: Work, rules: list[AssetTranslationRule], added: list[AssetTranslationRule], *, refuse: bool
) -> list[RuleOverlap]:
    """List the pairs of an added and another rule that could match one asset; refuse where a registered one does."""
    book = Rulebook.of(rule.asset_filter.conditions for rule in rules)
    ids = {rule.id for rule in added}
    new = np.array([rule.id in ids for rule in rules], np.bool_)
    compatible = np.triu(book.compatible() & (new | new[:, None]), 1)
    if refuse and compatible.any():
        _refuse_witnessed(work, rules, new)
    return [_pair(rules, int(a), int(b)) for a, b in np.argwhere(compatible)]


def _pair(rules: list[AssetTranslationRule], a: int, b: int, witness: str | None = None) -> RuleOverlap:
    return RuleOverlap.parse({"rule_ids": (rules[a].id, rules[b].id), "witness": witness})


def _refuse_witnessed(work: Work, rules: list[AssetTranslationRule], new: Bools) -> None:
    everyone = evaluate(work, rules, registry.registered(work.organization_id))
    matched = everyone.matched_by_several()
    guilty = np.flatnonzero(matched[new].any(axis=0))
    if not len(guilty):
        return
    first = guilty[0]
    witness = everyone.identifiers[everyone.several[first]]
    named = [
        rule.model_copy(update={"id": None}) if is_new else rule
        for rule, is_new, holds in zip(rules, new, matched[:, first], strict=True)
        if holds
    ]
    raise overlapping_rules(witness, named)


@carries_out(contract.REMOVE_RULES)
def remove_rules(work: Work, body: contract.RuleRemoval, *, key: int) -> TranslationTableRecord:
    """Take rules out of a table; where one named is not there, none is taken out."""
    registry.lock(work.connection, key)
    table = get(work, None, key=key)
    keys = {asset_filter.key: str(asset_filter) for asset_filter in body.asset_filters}
    present_ids, present_keys = (
        {rule.id for rule in table.rules},
        {rule.asset_filter.key for rule in table.rules},
    )
    missing = [f"#{each}" for each in body.rule_ids if each not in present_ids]
    missing += [f"({text})" for each, text in keys.items() if each not in present_keys]
    if missing:
        raise NotFoundError(
            f"The translation table {table.unique_identifier!r} has no rule {listed(missing)}.",
            hint="Its rules are in .rules; nothing was changed.",
            missing=missing,
        )
    gone = [rule.id for rule in table.rules if rule.id in body.rule_ids or rule.asset_filter.key in keys]
    registry.erase_rules(work.connection, gone)
    return get(work, None, key=key)


# -- routes


@carries_out(contract.EVALUATE_ASSET)
def evaluate_asset(work: Work, body: contract.OneAsset, *, key: int) -> Route:
    """Find the one route of one asset."""
    table = get(work, None, key=key)
    routing = evaluate(work, table.rules, _assets(work, [body.asset_id]))
    find_listings(work, routing)
    return served(next(contract.routings_of(to_table(routing))), table)


@carries_out(contract.COVERAGE)
def coverage(work: Work, body: contract.CoverageQuery, *, key: int) -> "pa.Table":
    """Route many assets at once and report what became of each."""
    table = get(work, None, key=key)
    whom, scope = _scope(work, body)
    routing = evaluate(work, table.rules, whom)
    find_listings(work, routing)
    if body.check_series:
        look_into_series(work, routing)
    return contract.with_facts(to_table(routing), _facts(table, routing, scope, checked=body.check_series))


def _scope(work: Work, body: contract.CoverageQuery) -> tuple[list[ColumnElement[bool]], dict[str, Any]]:
    """Give whom to route, and how the report says so."""
    if body.category is None:
        if body.as_of is not None or body.revision is not None:
            raise ValidationError("as_of and revision ask about the members of a universe.", hint="Give category=….")
        if body.asset_ids is None:
            return registry.registered(work.organization_id), {}
        return _assets(work, body.asset_ids), {}
    if body.asset_ids is not None:
        raise ValidationError("Say once whom to route.", hint="Give assets or a category, one of the two.")
    universe, pinned = pins.named(work, body.category, body.revision)
    known_at = None if pinned is None else pinned.known_at
    revision = body.revision if pinned is None else pinned.revision
    held = membership_reads.membership_of(work, universe.id, revision, known_at)
    as_of = body.as_of or (None if pinned is None else pinned.as_of)
    time = work.now if as_of is None else to_micros(as_of, "as_of")
    revision = universe.revision if revision is None else revision
    scope = {"category": universe.unique_identifier, "revision": revision, "as_of": from_micros(time)}
    return [held.condition(time)], scope


def _assets(work: Work, ids: list[int]) -> list[ColumnElement[bool]]:
    """Give the condition of these assets, retired or not; all of them must exist."""
    unknown = assets_service.unknown_ids(work, ids, retired=True)
    if unknown:
        raise UnknownAssetsError(
            f"{len(unknown)} of {len(ids)} asset ids do not exist: {listed(unknown)}.",
            hint="msc.Asset.filter(id__in=…) shows which do.",
            unknown=unknown[:1_000],
        )
    return [within(work.connection, asset.c.id, ids)]


def _facts(table: TranslationTableRecord, routing: Routing, scope: dict[str, Any], *, checked: bool) -> CoverageFacts:
    rules = table.rules
    names, several = routing.identifiers, routing.several
    found = overlapping(routing.matched_by_several())
    witnessed = {(a, b) for a, b, _ in found}
    possible = np.argwhere(np.triu(routing.book.compatible(), 1)).tolist()
    return CoverageFacts(
        table=table,
        matches={int(rule.id or 0): hits for rule, hits in zip(rules, routing.matches.hits.tolist(), strict=True)},
        overlaps=[_pair(rules, a, b, names[several[first]]) for a, b, first in found],
        possible_overlaps=[_pair(rules, a, b) for a, b in possible if (a, b) not in witnessed],
        series_checked=checked,
        series=routing.series,
        **scope,
    )
