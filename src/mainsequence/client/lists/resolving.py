"""Asking the platform which assets identifiers mean."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mainsequence.client.lists.asking import Asking
from mainsequence.client.lists.report import ResolutionReport
from mainsequence.compute.intervals import Ints
from mainsequence.contract import resolution as contract
from mainsequence.domain.resolution import IdentifierKind, ListingPolicy, Outcome, ResolutionRequest
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

_STEADY = (Outcome.MATCHED, Outcome.UNMATCHED)
TICKER_AND_EXCHANGE = ("ticker", "exchange_code")


def resolve(
    where: Asking,
    identifiers: Iterable[Any],
    kind: str | tuple[str, str],
    as_of: TimeLike | None,
    policy: ListingPolicy | None,
) -> ResolutionReport:
    """Resolve identifiers, or pairs of ticker and exchange code, as they were at a time."""
    what, codes, names = IdentifierKind(read_kind(kind)), None, list(identifiers)
    if any(isinstance(each, tuple) for each in names):
        names, codes = _pairs(names), [each[1] for each in names]
        what = IdentifierKind.TICKER if what is IdentifierKind.ANY else what
    _check_texts(names)
    request = ResolutionRequest(
        identifiers=names,
        kind=what,
        exchange_codes=codes,
        as_of=None if as_of is None else to_datetime(as_of, "as_of"),
        policy=policy or ListingPolicy(),
    )
    return ResolutionReport(where.call(contract.RESOLVE, request))


def read_kind(kind: str | tuple[str, str] | list[str]) -> str:
    """Read what a list names its assets by.

    Raises
    ------
    ValidationError
        There is no such kind.
    """
    if not isinstance(kind, str):
        if tuple(kind) != TICKER_AND_EXCHANGE:
            raise ValidationError(
                f"identifier {kind!r} is no pair that is known.", hint="The pair is ('ticker', 'exchange_code')."
            )
        return "ticker"
    if kind not in set(IdentifierKind):
        raise ValidationError(
            f"There is no kind of identifier {kind!r}.", hint=f"Kinds: {', '.join(IdentifierKind)}, or a pair."
        )
    return kind


def _pairs(names: Sequence[Any]) -> list[Any]:
    wrong = [each for each in names if not (isinstance(each, tuple) and len(each) == 2)]
    if wrong:
        raise ValidationError(
            f"Some identifiers are pairs, {wrong[0]!r} is none.", hint="Give ('AAPL', 'US') for each."
        )
    return [each[0] for each in names]


def _check_texts(names: Sequence[Any]) -> None:
    wrong = [each for each in names if not isinstance(each, str)]
    if wrong:
        raise ValidationError(f"Identifiers are text, got {wrong[0]!r}.", hint="Write them as text.")


def resolve_rows(
    where: Asking,
    names: list[str],
    codes: list[str | None] | None,
    at: Ints,
    kind: IdentifierKind,
    policy: ListingPolicy,
) -> "pa.Table":
    """Resolve the rows of a list, each at its own time; a table as `contract.report_schema`, a row for each.

    A name that means the same asset at its first time and at its last is not asked about in between.
    """
    keys = list(zip(names, codes or [None] * len(names), strict=True))
    distinct = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    group = np.array([distinct[key] for key in keys], dtype=np.int64)
    first, last = np.full(len(distinct), np.iinfo(np.int64).max), np.full(len(distinct), np.iinfo(np.int64).min)
    np.minimum.at(first, group, at)
    np.maximum.at(last, group, at)
    ask = _Asking(where, kind, policy, paired=codes is not None)
    ends = ask.table([*distinct, *distinct], np.concatenate([first, last]))
    count = len(distinct)
    ids, outcomes = ends.column("asset_id").to_pylist(), ends.column("outcome").to_pylist()
    steady = np.array(
        [ids[n] == ids[n + count] and outcomes[n] == outcomes[n + count] in _STEADY for n in range(count)],
        dtype=bool,
    )
    place = group.copy()
    wavering = np.flatnonzero(~steady[group])
    if len(wavering) == 0:
        return ends.take(place)
    asked = {(int(group[row]), int(at[row])): None for row in wavering}
    spots = {key: 2 * count + number for number, key in enumerate(asked)}
    every = list(distinct)
    more = ask.table([every[which] for which, _ in asked], np.array([time for _, time in asked], dtype=np.int64))
    place[wavering] = [spots[int(group[row]), int(at[row])] for row in wavering]
    return _joined(ends, more).take(place)


def _joined(*tables: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    return pa.concat_tables(tables)


class _Asking:
    def __init__(self, where: Asking, kind: IdentifierKind, policy: ListingPolicy, *, paired: bool) -> None:
        self._where, self._kind, self._policy, self._paired = where, kind, policy, paired

    def table(self, keys: list[tuple[str, str | None]], at: Ints) -> "pa.Table":
        """Ask about names at times."""
        request = ResolutionRequest(
            identifiers=[name for name, _ in keys],
            kind=self._kind,
            exchange_codes=[code for _, code in keys] if self._paired else None,
            at=at.tolist(),
            policy=self._policy,
            repeats=True,
        )
        return self._where.call(contract.RESOLVE, request)
