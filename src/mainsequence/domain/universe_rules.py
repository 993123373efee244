"""Rules that fill universes: by attributes, membership elsewhere and ranks of numbers, decided on which dates."""

import json
from datetime import date
from hashlib import sha256
from html import escape
from typing import Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from mainsequence.domain.assets import ASSET_ALIASES, ASSET_LOOKUPS
from mainsequence.domain.expressions import ExpressionText
from mainsequence.domain.lookups import Condition, parse_lookups
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError

RULE_LOOKUPS = {name: lookups for name, lookups in ASSET_LOOKUPS.items() if name not in {"id", "name"}}
"""What rules can look at: names, types and sectors are those of the time; the others have no history."""

Statistic: TypeAlias = Literal["median", "mean", "sum", "last", "min", "max"]
RuleFrequency: TypeAlias = Literal["daily", "weekly", "monthly", "quarterly"]


class Measure(Value):
    """A number of each asset: a statistic of a series over the last sessions before an effective date.

    Parameters
    ----------
    column
        The column of the series.
    times
        A second column to multiply it with, row by row: close times volume is the traded value.
    statistic
        Of the sessions in the window that have a value.
    window
        How many sessions.
    minimum_sessions
        How many of them must have a value; by default half of them, rounded up, and one for ``last``.
    per_session
        What becomes of several rows in one session: their sum, or the last; by default the sum of products, else the
        last.
    """

    column: str = "close"
    times: str | None = None
    statistic: Statistic = "median"
    window: int = Field(60, ge=1, le=5_000)
    minimum_sessions: int | None = Field(None, ge=1)
    per_session: Literal["sum", "last"] | None = None

    @classmethod
    def traded_value(cls, window: int = 60, statistic: Statistic = "median") -> Self:
        """Give the measure of close times volume."""
        return cls(column="close", times="volume", statistic=statistic, window=window)

    @property
    def least(self) -> int:
        """How many sessions must have a value."""
        if self.minimum_sessions is not None:
            return self.minimum_sessions
        return 1 if self.statistic == "last" else -(-self.window // 2)

    @property
    def sums_sessions(self) -> bool:
        """Whether the rows of one session are added up."""
        return self.per_session == "sum" if self.per_session is not None else self.times is not None

    def __str__(self) -> str:
        what = self.column if self.times is None else f"{self.column}*{self.times}"
        return f"{self.statistic}({what}, {self.window} sessions)"


class Threshold(Value):
    """Bounds, both included, of a measure."""

    measure: Measure
    at_least: float | None = None
    at_most: float | None = None


class Ranking(Value):
    """The best assets by a measure, with a buffer so that those near the border do not come and go.

    Those ranked ``enter`` or better are in; members ranked ``leave`` or better stay while there is room; what room is
    left is given by rank. So there are ``top`` of them wherever so many are eligible.

    Parameters
    ----------
    measure
        What is ranked, the largest first (``ascending``: the smallest).
    top
        How many.
    enter, leave
        The buffer: ``enter ≤ top ≤ leave``; by default both ``top``, which is no buffer.
    """

    measure: Measure
    top: int = Field(ge=1)
    enter: int | None = Field(None, ge=1)
    leave: int | None = Field(None, ge=1)
    ascending: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.enters <= self.top <= self.leaves:
            raise ValidationError(
                f"enter {self.enters}, top {self.top} and leave {self.leaves} are not in order.",
                hint="enter is at most top, leave at least top: enter=450, top=500, leave=550.",
            )
        return self

    @property
    def enters(self) -> int:
        """The rank with which an asset enters for certain."""
        return self.top if self.enter is None else self.enter

    @property
    def leaves(self) -> int:
        """The last rank with which a member may stay."""
        return self.top if self.leave is None else self.leave


class MemberFor(Value):
    """Membership of another universe, without a break for at least so many days."""

    universe: ExpressionText
    days: int = Field(0, ge=0)


class UniverseRule(Value):
    """Which assets a universe holds, decided on effective dates from what was known before each.

    On every effective date the rule looks at what holds at the close ``lag`` sessions before: attributes, membership
    and numbers up to and including that close. What it decides holds from midnight UTC of the effective date until the
    next one.

    Parameters
    ----------
    base
        An expression of universes to choose from; by default all assets.
    where
        Lookups of attributes, as `msc.Asset.filter` takes them: ``{"security_type": "Common Stock"}``. An asset fits
        while all of them hold at once; names, types and sectors are those of the time.
    member_of
        Universes that an asset must have been a member of.
    thresholds
        Bounds of measures.
    ranking
        The best by a measure.
    series, translation_table
        Where numbers come from: one series, or the series to which a table routes each asset.
    calendar
        The trading calendar that counts sessions.
    frequency
        Effective on the first session of each week, month or quarter, or on every session (``daily``).
    dates
        Effective dates instead of a frequency.
    start
        No date before this one is effective.
    lag
        How many sessions before an effective date its data end.
    """

    base: ExpressionText | None = None
    where: dict[str, Any] = Field(default_factory=dict)
    member_of: tuple[MemberFor, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    ranking: Ranking | None = None
    series: str | None = None
    translation_table: str | None = None
    calendar: str
    frequency: RuleFrequency | None = None
    dates: tuple[date, ...] | None = None
    start: Instant
    lag: int = Field(1, ge=1, le=1_000)

    @field_validator("where")
    @classmethod
    def _known_lookups(cls, where: dict[str, Any]) -> dict[str, Any]:
        parse_lookups(where, RULE_LOOKUPS, ASSET_ALIASES)
        return where

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.frequency is None) == (self.dates is None):
            raise ValidationError("A rule is effective by a frequency or on dates.", hint="Give one of the two.")
        if self.dates is not None and list(self.dates) != sorted(set(self.dates)):
            raise ValidationError("The dates of a rule are not in order, or one is named twice.", hint="Sort them.")
        sources = [each for each in (self.series, self.translation_table) if each is not None]
        if bool(self.measures) != (len(sources) == 1):
            raise ValidationError(
                f"The rule has {len(self.measures)} measures and {len(sources)} sources of numbers.",
                hint="A rule with measures names series= or translation_table=, one of the two; others name neither.",
            )
        return self

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure that it looks at, each once."""
        ranked = () if self.ranking is None else (self.ranking.measure,)
        return tuple(dict.fromkeys((*(each.measure for each in self.thresholds), *ranked)))

    @property
    def universes(self) -> tuple[str, ...]:
        """The expressions of universes that it reads: the base first, where there is one."""
        return (*(() if self.base is None else (self.base,)), *(each.universe for each in self.member_of))

    @property
    def conditions(self) -> list[Condition]:
        """The lookups of attributes, parsed."""
        return parse_lookups(self.where, RULE_LOOKUPS, ASSET_ALIASES)

    @property
    def hash(self) -> str:
        """SHA-256 of all that it says: the same in every process and release."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(f"universe rule 1: {said}".encode()).hexdigest()


def differences(before: UniverseRule | None, after: UniverseRule) -> list[tuple[str, str, str]]:
    """Give the fields in which a rule differs from the one before, with what they said and say, as JSON."""
    then, now = ({} if each is None else each.model_dump(mode="json") for each in (before, after))
    return [(name, _said(then.get(name)), _said(value)) for name, value in now.items() if then.get(name) != value]


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class Outcome(Value):
    """What a rule asked of an asset, and what it found."""

    condition: str
    found: str
    passed: bool


class WhyMember(Value):
    """Why an asset is in a universe that is made from others or by a rule, or is not."""

    category: str
    unique_identifier: str
    as_of: Instant
    member: bool
    verdict: str
    outcomes: list[Outcome] = Field(default_factory=list)
    expression: str | None = None
    decided_for: Instant | None = Field(None, description="The effective date whose decision holds")
    data_until: Instant | None = Field(None, description="The close up to which the rule looked at data")
    rank: int | None = None
    ranked: int | None = Field(None, description="How many assets were eligible")
    was_member: bool | None = Field(None, description="Whether it was a member before that date")
    rule_hash: str | None = None
    inputs: dict[str, str] = Field(default_factory=dict)

    def lines(self) -> list[str]:
        """Say it in lines: the verdict, then what was asked and found."""
        where = f"{'in' if self.member else 'not in'} {self.category}"
        asked = [f"{each.condition}: {each.found}" for each in self.outcomes]
        return [f"{self.unique_identifier} is {where} at {self.as_of:%Y-%m-%d %H:%M} UTC: {self.verdict}", *asked]

    def __str__(self) -> str:
        return "\n  ".join(self.lines())

    def _repr_html_(self) -> str:
        first, *asked = map(escape, self.lines())
        return f"<p>{first}</p><ul>{''.join(f'<li>{each}</li>' for each in asked)}</ul>"
