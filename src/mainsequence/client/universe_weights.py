"""Weights of members, as users give them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from mainsequence.errors import InvalidWeightsError

Weights: TypeAlias = Mapping[int, float] | Sequence[float]
"""Weights of members: by asset id, or one for each asset in the order named."""


def aligned(weights: Weights | None, ids: list[int]) -> list[float] | None:
    """Give one weight for each id, in their order.

    Raises
    ------
    InvalidWeightsError
        Weights and ids do not fit, or a weight is no number.
    """
    if weights is None:
        return None
    if not isinstance(weights, Mapping):
        return [_number(weight) for weight in _listed(weights)]
    strangers = sorted(weights.keys() - set(ids))
    missing = sorted(set(ids) - weights.keys())
    if strangers or missing:
        raise InvalidWeightsError(
            f"weights and assets differ: no weight for {missing[:10]}, no asset for {strangers[:10]}.",
            hint="Give one weight for each asset id.",
        )
    return [_number(weights[each]) for each in ids]


def _listed(weights: Any) -> Iterable[Any]:
    if isinstance(weights, (str, bytes)) or not isinstance(weights, Iterable):
        raise InvalidWeightsError(
            f"weights takes a list or a mapping, got {weights!r}.", hint="Give one for each asset."
        )
    return weights


def _number(weight: Any) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise InvalidWeightsError(f"A weight is no number: {weight!r}.", hint="Give finite numbers.") from None
