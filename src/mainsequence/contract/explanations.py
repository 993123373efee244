"""Everything that can be asked of the past of a universe: why, back to, is it true, and which state a pin means."""

from typing import Self

from pydantic import Field, model_validator

from mainsequence.contract.categories import AsOf
from mainsequence.contract.operation import reading, writing
from mainsequence.domain.categories import AssetId, CategoryRecord, Reason
from mainsequence.domain.explanations import Explanation
from mainsequence.domain.pins import ResolvedPin
from mainsequence.domain.plans import RecordedChange
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value
from mainsequence.domain.verification import VerificationReport
from mainsequence.errors import ValidationError


class PinReference(Value):
    """A reference to a universe, such as ``sp500_constituents@12``."""

    reference: str
    hold: bool = Field(False, description="Pin the head, as it is now, where the reference pins nothing")


class ExplainQuery(AsOf):
    """Which asset, and which state: as for reading members."""

    asset_id: AssetId


class RecordedQuery(Value):
    """Which revision."""

    revision: int = Field(ge=1)


class Reversion(Value):
    """Back to which recorded state: a revision, or what was known at a time."""

    revision: int | None = Field(None, ge=0)
    known_at: Instant | None = None
    leave_retired_out: bool = Field(False, description="Leave assets that were retired since as they are now")
    if_revision: int | None = Field(None, description="Refuse unless the head is this revision")
    reason: Reason | None = None
    force: bool = Field(False, description="Go past the guard against large removals")

    @model_validator(mode="after")
    def _one_state(self) -> Self:
        if (self.revision is None) == (self.known_at is None):
            raise ValidationError("One state is gone back to.", hint="Give revision, or known_at.")
        return self


class Verification(Value):
    """What to check the history against, beside itself."""

    expected_hash: str | None = Field(None, description="A fingerprint that was kept outside the platform")


_ONE = "/asset-categories/{key}"

RESOLVE = reading(
    "POST",
    "/asset-categories/resolve",
    "categories.resolve",
    PinReference,
    ResolvedPin,
    "Find a universe by identifier, and the recorded state that is meant where a pin follows.",
)
EXPLAIN = reading(
    "POST", f"{_ONE}/explain", "categories.explain", ExplainQuery, Explanation, "Say why an asset is in, or is not."
)
RECORDED = reading(
    *("GET", f"{_ONE}/recorded-change", "categories.recorded_change", RecordedQuery, RecordedChange),
    "Say what one revision did: who gained and lost time as a member.",
)
REVERT = writing(
    "POST",
    f"{_ONE}/revert",
    "categories.revert",
    Reversion,
    CategoryRecord,
    "Make the membership exactly what it was in a recorded state, as a new revision.",
)
VERIFY = reading(
    "POST",
    f"{_ONE}/verify",
    "categories.verify",
    Verification,
    VerificationReport,
    "Check that the history is what was recorded.",
)
