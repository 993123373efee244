"""Everything that can be done with universes made from others, and by rules."""

from types import NoneType

from pydantic import Field

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.categories import AsOf
from mainsequence.contract.operation import reading, writing
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import AssetId, CategoryRecord, Reason
from mainsequence.domain.expressions import ExpressionText
from mainsequence.domain.identifiers import Description, Name, UniverseIdentifier
from mainsequence.domain.plans import PlanRecord
from mainsequence.domain.times import Instant
from mainsequence.domain.universe_rules import UniverseRule, WhyMember
from mainsequence.domain.values import Value


class Derivation(Value):
    """What creates a universe that is made from others."""

    unique_identifier: UniverseIdentifier
    display_name: Name
    description: Description | None = None
    expression: ExpressionText
    reason: Reason | None = None


class Redefinition(Value):
    """Another expression for a universe that is made from others."""

    expression: ExpressionText
    if_revision: int | None = Field(None, description="Refuse unless the definition is at this revision")
    reason: Reason | None = None
    force: bool = Field(False, description="Go past the guard against large removals")


class RuleCreation(Value):
    """What creates a universe that a rule fills."""

    unique_identifier: UniverseIdentifier
    display_name: Name
    description: Description | None = None
    rule: UniverseRule
    reason: Reason | None = None


class RuleChange(Value):
    """Another rule for a universe that a rule fills; what is decided stays decided."""

    rule: UniverseRule
    if_revision: int | None = Field(None, description="Refuse unless the universe is at this revision")
    reason: Reason | None = None


class Refresh(Value):
    """Which effective dates of a rule to decide: those not yet decided, or with ``start`` all in ``[start, until]``."""

    start: Instant | None = None
    until: Instant | None = Field(None, description="By default now")
    force: bool = Field(False, description="Let more members leave than the guards of the universe allow")
    reason: Reason | None = None


class RefreshOutcome(Value):
    """What deciding did: how many dates were decided, and the universe behind it."""

    category: CategoryRecord
    decided: int = Field(description="How many effective dates were decided")
    first: Instant | None = Field(description="The first of them")
    last: Instant | None = Field(description="The last of them")
    rule_hash: str
    inputs: dict[str, str] = Field(description="What they were decided from: series@version, base")
    waiting: str | None = Field(None, description="What later dates wait for: which series end too early, and when")

    def __str__(self) -> str:
        what = f"{self.category.unique_identifier} at revision {self.category.revision}"
        if self.first is None or self.last is None:
            told = f"nothing new to decide; {what}"
        else:
            told = f"{self.decided} effective dates decided, {self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}; {what}"
        return told if self.waiting is None else f"{told}; {self.waiting}"


class KnownAt(Value):
    """As known at a time, by default now."""

    known_at: Instant | None = None


class Definition(Value):
    """What a universe is made by: an expression, or a rule."""

    kind: str
    revision: int = Field(description="The revision that brought it into force")
    recorded_at: Instant
    expression: str | None = None
    rule: UniverseRule | None = None


class Stamp(Value):
    """When anything that a universe is read from last changed: read as known at that time it is the same for ever."""

    known_at: Instant
    sources: dict[str, int] = Field(description="The ledgers that are read, each with its revision")


class Evaluation(Value):
    """Who an expression of universes holds: at a time (by default now), as known at a time."""

    expression: ExpressionText
    as_of: Instant | None = None
    known_at: Instant | None = None


class SpanEvaluation(Value):
    """Whom an expression of universes holds when: intervals that overlap ``[start, end)``, as known at a time."""

    expression: ExpressionText
    start: Instant | None = None
    end: Instant | None = None
    known_at: Instant | None = None


class WhyQuery(AsOf):
    """Which asset, and which state: as for reading members."""

    asset_id: AssetId


_ALL, _ONE = "/asset-categories", "/asset-categories/{key}"

DERIVE = writing(
    "POST",
    f"{_ALL}/derive",
    "categories.derive",
    Derivation,
    CategoryRecord,
    "Create a universe that is made from others; one that exists with the same expression is returned.",
)
REDEFINE = writing(
    "POST", f"{_ONE}/redefine", "categories.redefine", Redefinition, CategoryRecord, "Give it another expression."
)
DEFINE_RULE = writing(
    "POST",
    f"{_ALL}/define-rule",
    "categories.define_rule",
    RuleCreation,
    CategoryRecord,
    "Create a universe that a rule fills; one that exists with the same rule is returned.",
)
CHANGE_RULE = writing(
    "POST", f"{_ONE}/change-rule", "categories.change_rule", RuleChange, CategoryRecord, "Give it another rule."
)
REFRESH = writing(
    "POST", f"{_ONE}/refresh", "categories.refresh", Refresh, RefreshOutcome, "Decide effective dates of its rule."
)
PLAN_REFRESH = reading(
    *("POST", f"{_ONE}/plan-refresh", "categories.plan_refresh", Refresh, PlanRecord),
    "Say what deciding effective dates of its rule would do.",
)
DEFINITION = reading(
    "GET", f"{_ONE}/definition", "categories.definition", KnownAt, Definition, "Read what a universe is made by."
)
STAMP = reading("GET", f"{_ONE}/stamp", "categories.stamp", NoneType, Stamp, "Read when it last changed, in any way.")
EVALUATE = reading(
    "POST",
    f"{_ALL}/evaluate",
    "categories.evaluate",
    Evaluation,
    list[AssetRecord],
    "Read the assets that an expression of universes holds.",
)
EVALUATE_IDS = reading(
    "POST",
    f"{_ALL}/evaluate-ids",
    "categories.evaluate_ids",
    Evaluation,
    list[int],
    "Read the ids of the assets that an expression of universes holds.",
)
EVALUATE_MEMBERS = reading(
    "POST",
    f"{_ALL}/evaluate-members",
    "categories.evaluate_members",
    SpanEvaluation,
    ArrowTable,
    "Read the validity intervals of an expression of universes.",
)
WHY = reading(
    "GET", f"{_ONE}/why", "categories.why", WhyQuery, WhyMember, "Say why an asset is in a universe, or is not."
)
