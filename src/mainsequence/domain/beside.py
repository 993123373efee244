"""What is recorded together with a change of members: dates that were announced, and dates that a rule decided."""

import json
from typing import Any, Self

from pydantic import Field, model_validator

from mainsequence.domain.categories import AssetId
from mainsequence.domain.times import Instant, Micros, from_micros
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError


class AnnouncedDates(Value):
    """When changes of membership were made known, as columns of equal length: microseconds since 1970 UTC."""

    asset_id: list[AssetId] = Field(default_factory=list)
    effective_at: list[Micros] = Field(default_factory=list)
    announced_at: list[Micros] = Field(default_factory=list)

    @model_validator(mode="after")
    def _equal_length(self) -> Self:
        if not len(self.asset_id) == len(self.effective_at) == len(self.announced_at):
            raise ValidationError("The columns of announcements have different lengths.", hint="Use them as given.")
        return self


class Announcement(Value):
    """A change of membership at ``effective_at``, and when it was made known."""

    asset_id: int
    unique_identifier: str
    effective_at: Instant
    announced_at: Instant
    before: Instant | None = Field(description="When it was announced, as far as was noted until then")


class Decision(Value):
    """Effective dates of a rule that are decided together, and from what."""

    dates: int = Field(description="How many")
    first: Instant
    last: Instant
    rule_hash: str
    known_at: Instant = Field(description="When it was decided: what is known later does not count")
    inputs: dict[str, str] = Field(description="What they were decided from: series@version, base")

    def __str__(self) -> str:
        dates = f"{self.dates:,} effective date{'' if self.dates == 1 else 's'}"
        told = f"{dates}, {self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}, by rule {self.rule_hash[:16]}"
        return f"{told} from {', '.join(self.inputs.values())}" if self.inputs else told


class DecidedDates(Value):
    """Effective dates of a rule, and all that is needed to decide the same again."""

    dates: int = Field(ge=1, description="How many")
    first: Micros
    last: Micros
    rule_hash: str
    rule: str = Field(description="The rule, as JSON")
    known_at: Micros
    versions: dict[str, int]
    told: dict[str, str]
    after_run: int | None = Field(description="The newest run of the rule then; null: the first")

    @property
    def inputs(self) -> dict[str, Any]:
        """Give what is kept with the run, as `why` reads it."""
        rule = json.loads(self.rule)
        return {"rule": rule, "known_at": self.known_at, "versions": self.versions, "told": self.told}

    @property
    def summary(self) -> dict[str, Any]:
        """Give what a listing says, and what tells whether it is stale; times in microseconds."""
        told = self.model_dump(include={"dates", "first", "last", "rule_hash", "known_at", "after_run"})
        return told | {"inputs": self.told}


def decision_of(summary: dict[str, Any]) -> Decision:
    """Give what people read of a `DecidedDates.summary`."""
    return Decision(
        dates=summary["dates"],
        first=from_micros(summary["first"]),
        last=from_micros(summary["last"]),
        rule_hash=summary["rule_hash"],
        known_at=from_micros(summary["known_at"]),
        inputs=summary["inputs"],
    )
