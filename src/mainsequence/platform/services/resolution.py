"""Resolving identifiers: which asset each row of a list means, all rows in a handful of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mainsequence.contract import resolution as contract
from mainsequence.domain.exchanges import country_of_exchange
from mainsequence.domain.identifiers import HIDDEN, check_figi, check_isin
from mainsequence.domain.resolution import (
    Candidate,
    Decision,
    IdentifierKind,
    Outcome,
    ResolutionRequest,
    decide,
)
from mainsequence.domain.times import to_micros
from mainsequence.domain.values import listed
from mainsequence.errors import InvalidIdentifierError, ValidationError
from mainsequence.platform.registry import resolution as registry
from mainsequence.platform.services.nearest import nearest_names
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[str, str | None]
"""An identifier and, with tickers, the exchange that it was given with."""

Found = tuple[IdentifierKind, Candidate]
"""Somebody whom an identifier may mean, and as which kind of identifier."""


@carries_out(contract.RESOLVE)
def resolve(work: Work, body: ResolutionRequest) -> "pa.Table":
    """Say for each identifier which asset it means, or why none."""
    import pyarrow as pa

    keys, times = _asked(work, body)
    found = _candidates(work, body.kind, keys)
    decisions = {
        asked: _decide(found.get(asked[0][0], ()), asked, body)
        for asked in dict.fromkeys(zip(keys, times, strict=True))
    }
    unmatched = {key[0] for (key, _), made in decisions.items() if made.outcome is Outcome.UNMATCHED}
    near = nearest_names(work, body.kind, unmatched, body.nearest)
    seen: dict[tuple[int, int], int] | None = None if body.repeats else {}
    rows = [
        _row(place, key, time, decisions[key, time], near, seen)
        for place, (key, time) in enumerate(zip(keys, times, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=contract.report_schema())


def _asked(work: Work, body: ResolutionRequest) -> tuple[list[Key], list[int]]:
    """Give what each row asks for, and about when."""
    count = len(body.identifiers)
    codes: Sequence[str | None] = body.exchange_codes if body.exchange_codes is not None else [None] * count
    time = work.now if body.as_of is None else to_micros(body.as_of, "as_of")
    times = body.at if body.at is not None else [time] * count
    if len(codes) != count or len(times) != count:
        raise ValidationError(
            f"There are {len(codes)} exchange codes and {len(times)} times for {count} identifiers.",
            hint="Give one for each.",
        )
    if body.exchange_codes is not None and body.kind not in (IdentifierKind.TICKER, IdentifierKind.ANY):
        raise ValidationError(f"Exchange codes go with tickers, not with {body.kind}.", hint="Ask with kind='ticker'.")
    return list(zip(body.identifiers, codes, strict=True)), times


def _candidates(work: Work, kind: IdentifierKind, keys: Iterable[Key]) -> dict[str, list[Found]]:
    """Give everybody whom each identifier may mean, and as which kind of identifier."""
    wanted = sorted({identifier for identifier, _ in keys if not HIDDEN.search(identifier)})
    found: dict[str, list[Found]] = defaultdict(list)
    for each, values in _kinds(kind, wanted).items():
        for value, candidate in registry.candidates(work.connection, work.organization_id, each, values):
            found[value].append((each, candidate))
    return found


def _kinds(kind: IdentifierKind, wanted: list[str]) -> dict[IdentifierKind, list[str]]:
    """Give the columns in which to look for which identifiers: of any kind, those that its shape allows."""
    if kind is not IdentifierKind.ANY:
        return {kind: wanted}
    figis = [each for each in wanted if _is(check_figi, each)]
    isins = [each for each in wanted if _is(check_isin, each)]
    return {
        IdentifierKind.UNIQUE_IDENTIFIER: wanted,
        **dict.fromkeys((IdentifierKind.FIGI, IdentifierKind.COMPOSITE, IdentifierKind.SHARE_CLASS), figis),
        IdentifierKind.ISIN: isins,
        **dict.fromkeys((IdentifierKind.TICKER, IdentifierKind.NAME), wanted),
    }


def _is(check: Any, value: str) -> bool:
    if len(value) != 12:
        return False
    try:
        check(value)
    except InvalidIdentifierError:
        return False
    return True


def _decide(found: Sequence[Found], asked: tuple[Key, int], body: ResolutionRequest) -> Decision:
    (_, code), time = asked
    every = [candidate for _, candidate in found]
    if code is None:
        return decide(every, time, body.policy)
    fits = _is_there if body.kind is IdentifierKind.TICKER else _is_in_that_country
    there = [candidate for kind, candidate in found if fits(kind, candidate, code)]
    if there or not found:
        return decide(there, time, body.policy)
    elsewhere = listed(sorted({str(each.exchange_code) for each in every}))
    return Decision(Outcome.UNMATCHED, None, f"not on {code}, only on {elsewhere}", tuple(every))


def _is_there(_kind: IdentifierKind, candidate: Candidate, code: str) -> bool:
    return candidate.exchange_code == code


def _is_in_that_country(kind: IdentifierKind, candidate: Candidate, code: str) -> bool:
    """Tell whether a candidate that was found by what only exchanges tell apart is on one of the same country."""
    if kind not in (IdentifierKind.TICKER, IdentifierKind.NAME) or candidate.exchange_code == code:
        return True
    country = country_of_exchange(code)
    return country is not None and country == country_of_exchange(candidate.exchange_code or "")


def _row(
    place: int,
    key: Key,
    time: int,
    made: Decision,
    near: dict[str, list[str]],
    seen: dict[tuple[int, int], int] | None,
) -> dict[str, Any]:
    outcome, why, chosen = made.outcome, made.why, made.chosen
    first = place if chosen is None or seen is None else seen.setdefault((chosen.asset_id, time), place)
    if first != place:
        outcome, why = Outcome.DUPLICATE, f"the same asset as at position {first}"
    return {
        "identifier": key[0],
        "exchange_code": key[1],
        "outcome": outcome.value,
        "asset_id": chosen.asset_id if chosen else None,
        "unique_identifier": chosen.unique_identifier if chosen else None,
        "why": why,
        "candidates": [] if chosen else [_facts(each) for each in made.candidates],
        "nearest": near.get(key[0], []) if outcome is Outcome.UNMATCHED else [],
    }


def _facts(candidate: Candidate) -> dict[str, Any]:
    names = ("asset_id", "unique_identifier", "name", "ticker", "exchange_code")
    return {name: getattr(candidate, name) for name in names}
