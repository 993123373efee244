"""Changing universes with foresight: plans, and applying them."""

from typing import Self

from pydantic import Field, model_validator

from mainsequence.contract.operation import reading, writing
from mainsequence.domain.categories import AssetId, CategoryRecord, Reason, Weight
from mainsequence.domain.expressions import ExpressionText
from mainsequence.domain.plans import PlannedChange, PlanRecord
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value, listed
from mainsequence.errors import ValidationError


class PlanQuery(Value):
    """A change of membership to think through: nothing is changed.

    Without dates it is for all time, or from now on for a dated universe, as the verbs are.
    """

    replace: list[AssetId] | None = Field(None, description="Ids: make the universe exactly these")
    append: list[AssetId] | None = Field(None, description="Ids: make these members")
    remove: list[AssetId] | None = Field(None, description="Ids: take these out")
    expression: ExpressionText | None = Field(None, description="Make it from this, where it is made from others")
    weights: list[Weight] | None = Field(None, description="One for each asset to replace with, or to append")
    effective_from: Instant | None = None
    effective_to: Instant | None = None
    if_revision: int | None = Field(None, description="Refuse unless the head is this revision")

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        named = (self.append, self.remove)
        asked = (self.replace is not None, named != (None, None), self.expression is not None)
        if sum(asked) != 1:
            raise ValidationError(
                "Say once what shall change.",
                hint="Give replace=[…], or append=[…] and remove=[…], or weights={…}; or expression='…'.",
            )
        if self.expression is not None and (self.weights, self.effective_from, self.effective_to) != (None,) * 3:
            raise ValidationError("An expression has no weights, and no dates of its own.", hint="Leave them out.")
        both = set(self.append or ()) & set(self.remove or ())
        if both:
            raise ValidationError(
                f"Assets are named both to append and to remove: {listed(sorted(both))}.", hint="Name each once."
            )
        if self.weights is not None and self.replace is None and self.append is None:
            raise ValidationError("Removing takes no weights.", hint="Leave weights out.")
        return self


class PlanApplication(Value):
    """A plan to carry out: exactly this change, if the universe is still at its revision."""

    change: PlannedChange
    content_hash: str = Field(description="What the change hashed to when it was planned")
    reason: Reason | None = None
    force: bool = Field(False, description="Go past the guard against large removals")


_ONE = "/asset-categories/{key}"

PLAN = reading(
    "POST", f"{_ONE}/plan", "categories.plan", PlanQuery, PlanRecord, "Say what a change of membership would do."
)
APPLY = writing(
    *("POST", f"{_ONE}/apply", "categories.apply", PlanApplication, CategoryRecord),
    "Write exactly what was planned, in one revision.",
)
