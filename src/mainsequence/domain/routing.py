"""Routing: which stored series serves an asset. DESIGN section 5.

A translation table is a set of rules; for one asset exactly one of them must match. The filter is what tells rules
apart: a rule given again with another target replaces the one before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from json import dumps
from typing import Any

from pydantic import Field, field_validator

from mainsequence.domain.identifiers import Figi, Label, UniqueIdentifier
from mainsequence.domain.lookups import IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.series import ColumnName
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError

TABLE_LOOKUPS = {"id": FieldLookups(LISTED, int), "unique_identifier": FieldLookups(IDENTIFYING)}
"""What translation tables can be filtered by."""


class AssetFilter(Value):
    """Which assets a rule is for: those that have every value given; a field left out accepts all.

    The fields below are all there are. They are compared exactly, with what the registry holds now; a filter without
    any accepts every asset.
    """

    security_type: Label | None = None
    security_type_2: Label | None = None
    security_market_sector: Label | None = None
    exchange_code: Label | None = None
    asset_ticker_group_id: Figi | None = None
    unique_identifier: UniqueIdentifier | None = None

    @property
    def conditions(self) -> dict[str, str]:
        """The fields given, with their values."""
        return {name: value for name, value in self.__dict__.items() if value is not None}

    @property
    def key(self) -> str:
        """The filter as canonical text: equal for equal filters only."""
        return dumps(self.conditions, sort_keys=True, ensure_ascii=False)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.conditions.items()) or "every asset"


class AssetTranslationRule(Value):
    """Assets that fit the filter are served by this series.

    Rules are equal when they route alike; the id under which a table keeps a rule does not count.
    """

    asset_filter: AssetFilter
    markets_time_serie_unique_identifier: UniqueIdentifier = Field(description="The series that serves them")
    target_exchange_code: Label | None = Field(
        None, description="Read the listing of the same share class on this exchange instead of the asset itself"
    )
    default_column_name: ColumnName = "close"
    id: int | None = Field(None, description="Given by the table that keeps the rule")

    @field_validator("asset_filter", mode="before")
    @classmethod
    def _filter_itself_refuses(cls, given: Any) -> AssetFilter:
        return AssetFilter.parse(given)  # so that the fields named as allowed are the filter's

    @property
    def target(self) -> tuple[str, str | None, str]:
        """Where the rule leads: series, exchange, column."""
        return self.markets_time_serie_unique_identifier, self.target_exchange_code, self.default_column_name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AssetTranslationRule):
            return NotImplemented
        return (self.asset_filter.key, self.target) == (other.asset_filter.key, other.target)

    def __hash__(self) -> int:
        return hash((self.asset_filter.key, self.target))

    def __str__(self) -> str:
        number = "" if self.id is None else f"#{self.id} "
        series, exchange, column = self.target
        return f"{number}({self.asset_filter}) → {series}{'' if exchange is None else f' on {exchange}'}, {column}"


class TranslationTableRecord(Value):
    """A translation table as it is stored; its rules in the order of their ids."""

    id: int
    unique_identifier: UniqueIdentifier
    rules: list[AssetTranslationRule]
    created_at: Instant

    @property
    def rules_hash(self) -> str:
        """A hash of what the rules say: the same whatever their order and ids."""
        return rules_hash(self.rules)


class Route(Value):
    """Where the observations of an asset are."""

    asset_unique_identifier: str = Field(description="The asset that was asked for")
    markets_time_serie_unique_identifier: str = Field(description="The series that serves it")
    unique_identifier: str = Field(
        description="The asset under which the series stores it: itself, or its listing on the rule's target exchange"
    )
    exchange_code: str | None = Field(description="The rule's target exchange, where it has one")
    column_name: str
    rule_id: int


class RouteStatus(StrEnum):
    """What became of the search for an asset's route."""

    ROUTED = "routed"
    NO_ROUTE = "no_route"
    AMBIGUOUS = "ambiguous"
    NO_LISTING = "no_listing"
    SEVERAL_LISTINGS = "several_listings"
    MISSING_SERIES = "missing_series"
    MISSING_COLUMN = "missing_column"
    MISSING_ASSET = "missing_asset"


class AssetRouting(Value):
    """One asset, and what became of the search for its route.

    ``route`` is set where exactly one rule matches and leads to one listing, even when its series does not serve it.
    """

    asset_id: int
    unique_identifier: str
    status: RouteStatus
    rule_ids: tuple[int, ...] = Field(description="Every rule that matches")
    listings: tuple[str, ...] = Field((), description="Listings found where one was needed and several were")
    route: Route | None = None
    first: Instant | None = Field(None, description="Stamp of its first observation in the series")
    last: Instant | None = Field(None, description="Stamp of its last observation in the series")
    count: int | None = Field(None, description="Number of its observations in the series")


class RuleOverlap(Value):
    """Two rules that both match an asset (the witness), or could match one."""

    rule_ids: tuple[int, int]
    witness: str | None = None


class CoverageFacts(Value):
    """What a coverage report says beside its rows: which rules, how often each matched, what overlaps.

    ``series`` gives the version of each routed series that was looked at, ``None`` where it does not exist.
    """

    table: TranslationTableRecord
    category: str | None = None
    revision: int | None = None
    as_of: Instant | None = None
    matches: dict[int, int] = Field(description="Assets that each rule matches, by rule id")
    overlaps: list[RuleOverlap] = Field(description="Rules that both match an asset of the report")
    possible_overlaps: list[RuleOverlap] = Field(description="Other rules that both could match an asset")
    series_checked: bool
    series: dict[str, int | None] = Field(default_factory=dict)


class PossibleOverlapWarning(UserWarning):
    """Two rules could match one asset, though none that is registered; once one is, its route is ambiguous."""


def rules_hash(rules: Iterable[AssetTranslationRule]) -> str:
    """Hash what rules say (SHA-256 in hex), whatever their order and ids."""
    lines = sorted(dumps([rule.asset_filter.key, *rule.target], ensure_ascii=False) for rule in rules)
    return sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What giving rules to a table changes: rules to add, rules that say something else now, rules to leave out."""

    added: list[AssetTranslationRule]
    replaced: list[AssetTranslationRule]
    dropped: list[AssetTranslationRule]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.added or self.replaced or self.dropped)


def plan_rules(stored: Sequence[AssetTranslationRule], given: Sequence[AssetTranslationRule]) -> RuleChanges:
    """Work out what giving rules to a table changes, the filter being what tells rules apart.

    Raises
    ------
    ValidationError
        One filter is given with two targets.
    """
    wanted = _by_filter(given)
    plan = RuleChanges([], [], [])
    for key, rule in wanted.items():
        same = [each for each in stored if each.asset_filter.key == key]
        if not same:
            plan.added.append(rule)
        elif same[0] != rule:
            plan.replaced.append(rule.model_copy(update={"id": same[0].id}))
        plan.dropped.extend(same[1:])
    return plan


def _by_filter(given: Sequence[AssetTranslationRule]) -> dict[str, AssetTranslationRule]:
    wanted: dict[str, AssetTranslationRule] = {}
    for rule in given:
        if wanted.setdefault(rule.asset_filter.key, rule) != rule:
            raise ValidationError(
                f"Two rules give the filter ({rule.asset_filter}) two targets: {rule} and "
                f"{wanted[rule.asset_filter.key]}.",
                hint="Give one target for each filter; nothing was changed.",
            )
    return wanted


def plan_every_rule(stored: Sequence[AssetTranslationRule], given: Sequence[AssetTranslationRule]) -> RuleChanges:
    """Work out what is new where rules of one filter may stand beside each other, as other clients write them."""
    present = {(rule.asset_filter.key, rule.target[:2]) for rule in stored}
    new = {(rule.asset_filter.key, rule.target[:2]): rule for rule in given}
    return RuleChanges([rule for key, rule in new.items() if key not in present], [], [])
