"""Plans: what a change of a universe would do, written down before it is done."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from mainsequence.domain.beside import AnnouncedDates, Announcement, DecidedDates, Decision
from mainsequence.domain.categories import AssetId, Revision, Weight
from mainsequence.domain.readers import ReaderRole
from mainsequence.domain.times import Instant, Micros
from mainsequence.domain.universe_rules import UniverseRule
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError


def _is_left_out(value: Any) -> bool:
    """Tell whether a field that most changes do not have is left out where they are written, and so hashed."""
    return not value


class Rows(Value):
    """Validity intervals as columns of equal length: microseconds since 1970 UTC, null is open."""

    asset_id: list[AssetId] = Field(default_factory=list)
    valid_from: list[Micros | None] = Field(default_factory=list)
    valid_to: list[Micros | None] = Field(default_factory=list)
    weight: list[Weight | None] = Field(default_factory=list)

    @model_validator(mode="after")
    def _equal_length(self) -> Self:
        lengths = {len(column) for column in (self.asset_id, self.valid_from, self.valid_to, self.weight)}
        if len(lengths) > 1:
            raise ValidationError("The columns of rows have different lengths.", hint="Use the plan as it was made.")
        return self


class PlannedChange(Value):
    """Exactly what is written: the rows to close and to open, at one revision of one universe.

    A plan is no more than that, or gives an expression that a universe shall be made from. What is asked for may note
    announcements besides, or settle dates of a rule, or give a universe another rule.
    """

    category_id: int
    revision: int = Field(ge=0, description="The head that it was made for")
    operation: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9 _-]{0,49}$")]
    closed: Rows
    opened: Rows
    announced: AnnouncedDates | None = Field(None, exclude_if=_is_left_out)
    decided: DecidedDates | None = Field(None, exclude_if=_is_left_out)
    expression: str | None = Field(
        None,
        exclude_if=_is_left_out,
        description="What the universe shall be made from; closed and opened are then what follows",
    )
    rule: UniverseRule | None = Field(
        None, exclude_if=_is_left_out, description="The rule that shall fill the universe; it decides nothing yet"
    )

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything it says."""
        return sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def is_rows_alone(self) -> bool:
        """Whether it changes membership and records nothing besides."""
        return self.announced is None and self.decided is None and not self.defines

    @property
    def defines(self) -> bool:
        """Whether it gives the universe another definition: an expression, or a rule."""
        return self.expression is not None or self.rule is not None

    def as_known(self, known_at: int) -> "PlannedChange":
        """Give the change as if its rule had decided the same at another time."""
        decided = self.decided and self.decided.model_copy(update={"known_at": known_at})
        return self.model_copy(update={"decided": decided})


class Spell(Value):
    """Time that an asset gains or loses as a member; null is open."""

    asset_id: int
    unique_identifier: str
    valid_from: Instant | None
    valid_to: Instant | None
    weight: float | None = None


class Reweighting(Value):
    """Time over which a member that stays weighs something else."""

    asset_id: int
    unique_identifier: str
    valid_from: Instant | None
    valid_to: Instant | None
    before: float | None
    after: float | None


class RecordedChange(Value):
    """What one revision did: who gained and lost time as a member, and who weighs something else since."""

    revision: Revision
    enters: list[Spell]
    leaves: list[Spell]
    reweighted: list[Reweighting]

    def __repr__(self) -> str:
        counted = ((name, _assets(getattr(self, name))) for name in ("enters", "leaves", "reweighted"))
        return f"RecordedChange(revision={self.revision.revision}, {', '.join(f'{a}={b}' for a, b in counted)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        signs = (("+", self.enters), ("-", self.leaves), ("~", self.reweighted))
        rows = "".join(
            f"<tr><td>{sign}</td><td>{escape(each.unique_identifier)}</td>"
            f"<td>{_day(each.valid_from)}</td><td>{_day(each.valid_to)}</td></tr>"
            for sign, spells in signs
            for each in spells
        )
        return f"<table><caption>{escape(repr(self))}</caption>{rows}</table>"


class AffectedReader(Value):
    """Something that reads the universe, and what the change means to it."""

    kind: str = Field(description="portfolio, node or category")
    identifier: str
    role: ReaderRole
    names: tuple[str, ...] = Field((), description="How it names the universe")
    through: tuple[str, ...] = Field((), description="The universes between, for one that reads this through others")
    affected: bool
    differs_from: Instant | None = Field(
        None, description="From when its results would differ; null, where it is affected: from the beginning"
    )
    exact: bool = Field(False, description="Whether that is the first time to differ, not only the earliest possible")
    why: str


class HeldWeight(Value):
    """What a portfolio holds today of a member that would leave."""

    portfolio: str
    unique_identifier: str
    weight: float
    at: Instant


class UnroutedMember(Value):
    """An entering member that a table, by which readers find prices, does not route."""

    unique_identifier: str
    table: str
    status: str
    reason: str


class UnpricedMember(Value):
    """An entering member whose routed series has no observations for all the dates that readers need."""

    unique_identifier: str
    table: str
    series: str
    needed_from: Instant | None
    needed_to: Instant | None
    first: Instant | None = Field(description="Its first observation; null where there is none")
    last: Instant | None


class ChangeSize(Value):
    """How big a change is, against the universe and against its own history."""

    changed: int = Field(description="Assets that enter or leave")
    members: int = Field(description="Members before, when the change takes effect")
    fraction: float | None = Field(description="Changed by members; null for an empty universe")
    revisions: int = Field(description="Past revisions to compare with; the first filled the universe, it is left out")
    smaller: int = Field(description="How many of those changed fewer assets")
    largest: int | None = Field(description="The most that one of them changed")

    @property
    def percentile(self) -> float | None:
        """The share of past revisions that changed fewer assets."""
        return self.smaller / self.revisions if self.revisions else None

    def __str__(self) -> str:
        if not self.revisions:
            return "no earlier change to compare with"
        if self.smaller == self.revisions:
            return f"the largest of {self.revisions + 1} changes"
        if not self.smaller:
            return f"not larger than any of {count(self.revisions, 'earlier change')}"
        return f"larger than {self.smaller} of {self.revisions} changes"


class Objection(Value):
    """A guard that would refuse the change as it stands."""

    code: str
    message: str
    hint: str | None = None


class PlanRecord(Value):
    """What a change would do: who enters, leaves, is reweighted, whom it affects from when, what would be missing."""

    unique_identifier: str
    planned_at: Instant
    change: PlannedChange
    content_hash: str
    enters: list[Spell]
    leaves: list[Spell]
    reweighted: list[Reweighting]
    readers: list[AffectedReader]
    hidden_readers: int = Field(0, description="Readers that who asked may not see")
    held: list[HeldWeight]
    unrouted: list[UnroutedMember]
    unpriced: list[UnpricedMember]
    size: ChangeSize
    objections: list[Objection]
    announced: list[Announcement] = Field(default_factory=list, exclude_if=_is_left_out)
    decision: Decision | None = Field(None, exclude_if=_is_left_out)
    made_from: str | None = Field(None, exclude_if=_is_left_out, description="The expression that it is made from now")
    filled_by: UniverseRule | None = Field(
        None, exclude_if=_is_left_out, description="The rule that fills it now, where another one shall"
    )

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        rows = self.change.closed.asset_id or self.change.opened.asset_id
        same = self.change.expression == self.made_from and self.change.rule == self.filled_by
        return same and not (rows or self.announced)

    @property
    def affected(self) -> list[AffectedReader]:
        """The readers whose results would differ."""
        return [each for each in self.readers if each.affected]

    @property
    def summary(self) -> str:
        """The plan in one line."""
        if self.is_empty:
            return "Plan: nothing would change"
        if self.change.rule is not None:
            return "Plan: another rule to fill it; no date is decided by that"
        enter, leave, weigh = (_assets(each) for each in (self.enters, self.leaves, self.reweighted))
        noted = f", {count(len(self.announced), 'announcement')} to note" if self.announced else ""
        return f"Plan: {enter} to enter, {leave} to leave, {weigh} reweighted{noted}; {self._told()}"

    def _told(self) -> str:
        portfolios = [each for each in self.affected if each.role == "portfolio"]
        others = len(self.affected) - len(portfolios)
        counts = [count(len(portfolios), "portfolio")] if portfolios else []
        counts += [count(others, "other reader")] if others else []
        if not counts:
            return "nothing that is known to read it is affected"
        return f"{' and '.join(counts)} affected {since(self.affected)}"


def since(readers: Sequence[AffectedReader]) -> str:
    """Say from when the first of some readers differs."""
    dates = [each.differs_from for each in readers]
    first = None if None in dates else min(each for each in dates if each is not None)
    return "from the beginning" if first is None else f"from {first:%Y-%m-%d}"


def _day(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d}"


def count(number: int, what: str) -> str:
    """Write a number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _assets(spells: Sequence[Any]) -> int:
    return len({each.asset_id for each in spells})
