"""Near names for identifiers that nobody has."""

from collections.abc import Iterable

import numpy as np

from mainsequence.domain.resolution import IdentifierKind
from mainsequence.platform.registry import resolution as registry
from mainsequence.platform.work import Work

COMPARISONS = 10_000_000
"""How many pairs are compared at most for one list, about a second; later identifiers are given no near names."""

AT_ONCE = 2_000_000
LIKENESS = 60
"""Of 100; below it a name is not near."""


def nearest_names(work: Work, kind: IdentifierKind, unmatched: Iterable[str], count: int) -> dict[str, list[str]]:
    """Give the most alike identifiers of the registry for each that nobody has, best first.

    Identifiers of any kind are compared with unique identifiers and tickers.
    """
    asked = sorted(unmatched)
    if not asked or count == 0:
        return {}
    pool = _pool(work, kind)
    if not pool:
        return {}
    asked = asked[: COMPARISONS // len(pool) + 1]
    step = AT_ONCE // len(pool) + 1
    plain = [each.casefold() for each in pool]
    found: dict[str, list[str]] = {}
    for start in range(0, len(asked), step):
        found |= _most_alike(asked[start : start + step], pool, plain, count)
    return found


def _pool(work: Work, kind: IdentifierKind) -> list[str]:
    kinds = [kind]
    if kind is IdentifierKind.ANY:
        kinds = [IdentifierKind.UNIQUE_IDENTIFIER, IdentifierKind.TICKER]
    names = [registry.known(work.connection, work.organization_id, each) for each in kinds]
    return sorted(set().union(*names))


def _most_alike(asked: list[str], pool: list[str], plain: list[str], count: int) -> dict[str, list[str]]:
    """Compare names with all of a pool, which is given as it is and without capitals."""
    from rapidfuzz.fuzz import ratio
    from rapidfuzz.process import cdist

    alike = cdist(
        [each.casefold() for each in asked],
        plain,
        scorer=ratio,
        score_cutoff=LIKENESS,
        dtype=np.uint8,
    )
    best = np.argsort(-alike.astype(np.int16), axis=1, kind="stable")[:, :count]
    return {
        name: [pool[place] for place in places if alike[row, place]]
        for row, (name, places) in enumerate(zip(asked, best, strict=True))
    }
