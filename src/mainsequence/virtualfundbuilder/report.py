"""What a run has to say beside its numbers: flags, and assets sold because their prices ended."""

from datetime import datetime
from typing import Any

from pydantic import Field

from mainsequence.domain.values import Value

HINDSIGHT = "hindsight_universe"
STALE_SALES = "stale_sales"
CASH = "cash"
UNPRICED = "unpriced_weight"
UNSERVED = "unserved_assets"
REVISED = "revised_prices"


class RunFlag(Value):
    """Something about a run that a reader of its numbers should know.

    Parameters
    ----------
    code
        ``hindsight_universe``, ``stale_sales``, ``cash``, ``unpriced_weight``, ``unserved_assets`` or
        ``revised_prices``.
    message, hint
        What was found, and what to do about it.
    facts
        The same for programs.
    """

    code: str
    message: str
    hint: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" {self.hint}" if self.hint else "")


class SoldAsset(Value):
    """An asset that was sold at its last price, because no price followed within the staleness limit."""

    time: datetime
    unique_identifier: str
    weight: float
    price: float


class PortfolioReport(Value):
    """What one run of a portfolio did.

    Parameters
    ----------
    first, last
        The stamps that it added; ``None`` where nothing was new.
    rows
        How many.
    universe
        The universe with the revision that was read, ``name@revision``; ``None`` where the signal defines it.
    flags
        What a reader should know.
    stale_sales
        Assets sold because their prices ended.
    """

    first: datetime | None = None
    last: datetime | None = None
    rows: int = 0
    universe: str | None = None
    flags: tuple[RunFlag, ...] = ()
    stale_sales: tuple[SoldAsset, ...] = ()

    def flag(self, code: str) -> RunFlag | None:
        """Give the flag with this code, ``None`` where it was not raised."""
        return next((each for each in self.flags if each.code == code), None)
