"""The whole list of operations, for those who serve or document all of them."""

from functools import cache
from types import ModuleType
from typing import Any

from mainsequence.contract import (
    access,
    assets,
    audit,
    categories,
    changes,
    composition,
    credentials,
    explanations,
    guards,
    loading,
    plans,
    portfolios,
    reconciliation,
    resolution,
    routing,
    series,
    sharing,
    teams,
)
from mainsequence.contract.operation import Operation

_NOUNS: tuple[ModuleType, ...] = (
    assets,
    composition,
    resolution,
    categories,
    explanations,
    plans,
    guards,
    loading,
    reconciliation,
    changes,
    portfolios,
    routing,
    series,
    access,
    credentials,
    teams,
    sharing,
    audit,
)


@cache
def operations() -> dict[str, Operation[Any, Any]]:
    """Give every operation by its name."""
    every = (value for noun in _NOUNS for value in vars(noun).values())
    return {value.name: value for value in every if isinstance(value, Operation)}
