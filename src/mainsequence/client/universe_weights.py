"""Weights of members, as users give them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from mainsequence.client.assets import Asset
from mainsequence.contract.carrier import Carrier
from mainsequence.domain.values import listed
from mainsequence.errors import InvalidWeightsError

if TYPE_CHECKING:
    import pandas as pd

Weights: TypeAlias = Union[Mapping[int, float], Mapping[str, float], Sequence[float], "pd.Series[float]"]
"""Weights of members: by asset id or by unique identifier (a mapping or a Series), or a list in the order named."""

Keyed: TypeAlias = dict[int, Any] | list[Any] | None
"""Weights by asset id, or in the order named."""


def keyed(weights: Weights | None, where: Carrier | None) -> Keyed:
    """Read weights that a user gave; identifiers become ids in one reading.

    Raises
    ------
    InvalidWeightsError
        They are neither a list nor keyed by assets that exist, all in one way.
    """
    if weights is None:
        return None
    given: Any = weights.to_dict() if hasattr(weights, "to_dict") else weights
    if not isinstance(given, Mapping):
        return list(_listed(given))
    if not any(isinstance(key, str) for key in given):
        return dict(given)
    named = Asset._named(where, unique_identifier__in=_names(given))  # noqa: SLF001 (of the same room)
    found = {asset.unique_identifier: asset.id for asset in named}
    strangers = sorted(given.keys() - found.keys())
    if strangers:
        raise InvalidWeightsError(
            f"{len(strangers)} of {len(given)} weights are for assets that do not exist: {listed(strangers)}.",
            hint="Key weights by unique_identifier or by asset id.",
        )
    return {found[name]: weight for name, weight in given.items()}


def _names(weights: Mapping[Any, Any]) -> list[str]:
    names = list(weights)
    if not all(isinstance(name, str) for name in names):
        raise InvalidWeightsError(
            f"weights are keyed by identifiers and by something else: {listed(map(repr, names))}.",
            hint="Key all by unique_identifier, or all by asset id.",
        )
    return names


def aligned(weights: Keyed, ids: list[int]) -> list[float] | None:
    """Give one weight for each id, in their order.

    Raises
    ------
    InvalidWeightsError
        Weights and ids do not fit, or a weight is no number.
    """
    if weights is None:
        return None
    if isinstance(weights, list):
        return [_number(weight) for weight in weights]
    strangers = sorted(weights.keys() - set(ids))
    missing = sorted(set(ids) - weights.keys())
    if strangers or missing:
        raise InvalidWeightsError(
            f"weights and assets differ: no weight for {missing[:10]}, no asset for {strangers[:10]}.",
            hint="Give one weight for each asset.",
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
