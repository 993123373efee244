"""Which asset an identifier of somebody else's list means: candidates, the policy that chooses, and what came out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from mainsequence.domain.exchanges import country_of_exchange
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, Instant, from_micros
from mainsequence.domain.values import Value, listed


class IdentifierKind(StrEnum):
    """What a list names its assets by; ``any`` takes every kind that an identifier can be by its shape."""

    UNIQUE_IDENTIFIER = "unique_identifier"
    FIGI = "figi"
    COMPOSITE = "composite"
    SHARE_CLASS = "share_class"
    ISIN = "isin"
    TICKER = "ticker"
    NAME = "name"
    ANY = "any"


class Outcome(StrEnum):
    """What became of one row of a list."""

    MATCHED = "matched"
    RENAMED = "renamed"
    DUPLICATE = "duplicate"
    AMBIGUOUS = "ambiguous"
    DELISTED = "delisted"
    UNMATCHED = "unmatched"


class ListingPolicy(Value):
    """How to choose where an identifier fits several assets; without one that says so, nothing is chosen.

    Parameters
    ----------
    preferred_exchanges
        Exchange codes, best first: the first on which a candidate is listed narrows the choice to that exchange.
    prefer
        ``composite``: the candidate that is the composite of its listings (its FIGI or key is the composite FIGI);
        ``primary``: the candidate on an exchange of the country where its ISIN was issued.
    accept_renamed
        Whether a ticker or name that an asset had at another time than the one asked about is taken for that asset,
        where nobody has it at the time asked about. Such rows are reported either way.
    """

    preferred_exchanges: tuple[str, ...] = ()
    prefer: Literal["composite", "primary"] | None = None
    accept_renamed: bool = True


class ResolutionRequest(Value):
    """Identifiers to resolve, in the order of the list that they are from."""

    identifiers: list[str]
    kind: IdentifierKind = IdentifierKind.ANY
    exchange_codes: list[str | None] | None = Field(
        None,
        description="With tickers: the exchange of each, or null. With kind any: tickers and names in other countries "
        "than that of the exchange do not count",
    )
    as_of: Instant | None = Field(None, description="When they were called so; by default now")
    at: list[int] | None = Field(None, description="The same for each identifier, microseconds since 1970 UTC")
    policy: ListingPolicy = ListingPolicy()
    repeats: bool = Field(False, description="Whether an asset may be named more than once")
    nearest: int = Field(3, ge=0, le=10, description="How many near names to give for an identifier nobody has")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An asset that an identifier may mean, and when the identifier was its own: ``[held_from, held_to)``."""

    asset_id: int
    unique_identifier: str
    name: str
    ticker: str | None
    exchange_code: str | None
    figi: str | None
    composite: str | None
    share_class: str | None
    isin: str | None
    retired_at: int | None
    held_from: int = MIN_MICROS
    held_to: int = MAX_MICROS

    def __str__(self) -> str:
        where = f" on {self.exchange_code}" if self.exchange_code else ""
        return f"{self.unique_identifier}{where}"

    def lives_at(self, time: int) -> bool:
        """Tell whether it was not retired then."""
        return self.retired_at is None or self.retired_at > time

    def holds_at(self, time: int) -> bool:
        """Tell whether the identifier was its own then."""
        return self.held_from <= time < self.held_to

    def is_composite(self) -> bool:
        """Tell whether it stands for all listings of one country."""
        return self.composite is not None and self.composite in (self.figi, self.unique_identifier)

    def is_primary(self) -> bool:
        """Tell whether it is listed where its ISIN was issued."""
        country = country_of_exchange(self.exchange_code) if self.exchange_code else None
        return country is not None and self.isin is not None and self.isin[:2] == country


@dataclass(frozen=True, slots=True)
class Decision:
    """What an identifier means: the asset chosen, if any, and why."""

    outcome: Outcome
    chosen: Candidate | None
    why: str
    candidates: tuple[Candidate, ...] = ()


def decide(candidates: Sequence[Candidate], time: int, policy: ListingPolicy) -> Decision:
    """Choose the asset that an identifier means at a time.

    Those retired by then count only where nobody else fits; those that had the identifier at another time, only where
    nobody had it then. Of several the policy chooses, or nobody is chosen.
    """
    if not candidates:
        return Decision(Outcome.UNMATCHED, None, "nobody has it")
    living = [each for each in candidates if each.lives_at(time)]
    if not living:
        return Decision(Outcome.DELISTED, None, _retirement(candidates), tuple(candidates))
    holding = [each for each in living if each.holds_at(time)]
    pool = _distinct(holding or living)
    chosen, rule = (pool[0], "") if len(pool) == 1 else _narrowed(pool, policy)
    if chosen is None:
        return Decision(Outcome.AMBIGUOUS, None, _ambiguity(pool, reused=not holding), tuple(pool))
    if holding:
        return Decision(Outcome.MATCHED, chosen, rule or _others(chosen, living))
    return Decision(Outcome.RENAMED, chosen if policy.accept_renamed else None, _renaming(chosen), (chosen,))


def _distinct(pool: Iterable[Candidate]) -> list[Candidate]:
    return list({each.asset_id: each for each in pool}.values())


def _narrowed(pool: list[Candidate], policy: ListingPolicy) -> tuple[Candidate | None, str]:
    rules = [f"exchange {code}" for code in policy.preferred_exchanges]
    groups = [[each for each in pool if each.exchange_code == code] for code in policy.preferred_exchanges]
    applied = next(((rule, group) for rule, group in zip(rules, groups, strict=True) if group), None)
    said = [applied[0]] if applied else []
    left = applied[1] if applied else pool
    if len(left) > 1 and policy.prefer is not None:
        fitting = [each for each in left if (each.is_composite if policy.prefer == "composite" else each.is_primary)()]
        left, said = fitting, [*said, policy.prefer]
    return (left[0], f"of {len(pool)} by policy: {', '.join(said)}") if len(left) == 1 else (None, "")


def _ambiguity(pool: list[Candidate], *, reused: bool) -> str:
    if reused:
        return "reused over time: " + listed(f"{each} {_period(each)}" for each in pool)
    classes = {each.share_class for each in pool if each.share_class is not None}
    if len(classes) > 1:
        return f"{len(classes)} share classes: {listed(pool)}"
    if len(classes) == 1 or len({each.isin for each in pool}) == 1:
        return f"{len(pool)} listings of one share: {listed(pool)}"
    return f"{len(pool)} assets: {listed(pool)}"


def _others(chosen: Candidate, living: list[Candidate]) -> str:
    others = [each for each in living if each.asset_id != chosen.asset_id]
    return "also of " + listed(f"{each} {_period(each)}" for each in others) if others else ""


def _renaming(chosen: Candidate) -> str:
    return f"it was so called {_period(chosen)}; now {chosen.ticker or chosen.name}"


def _retirement(candidates: Sequence[Candidate]) -> str:
    return listed(f"{each} was retired {_day(each.retired_at or 0)}" for each in _distinct(candidates))


def _period(held: Candidate) -> str:
    since = f"since {_day(held.held_from)}" if held.held_from > MIN_MICROS else ""
    until = f"until {_day(held.held_to)}" if held.held_to < MAX_MICROS else ""
    return " ".join(part for part in (since, until) if part) or "at all times"


def _day(time: int) -> str:
    return from_micros(time).date().isoformat()
