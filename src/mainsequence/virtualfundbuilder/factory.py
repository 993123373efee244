"""Signals and rebalance strategies by the name of their class, as configurations name them."""

from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar

from mainsequence.errors import NotFoundError, UnknownFieldError
from mainsequence.virtualfundbuilder.rebalancing import RebalanceStrategyBase
from mainsequence.virtualfundbuilder.weights import WeightsBase

Base = TypeVar("Base")

BUILT_IN = {
    "EqualWeights": "mainsequence.virtualfundbuilder.contrib.data_nodes.market_cap",
    "FixedWeights": "mainsequence.virtualfundbuilder.contrib.data_nodes.market_cap",
    "ImmediateSignal": "mainsequence.virtualfundbuilder.contrib.rebalance_strategies",
}
"""Where the classes that come with the package are."""


def signal(name: str, configuration: dict[str, Any]) -> WeightsBase:
    """Make a signal from the name of its class.

    Parameters
    ----------
    name
        ``FixedWeights``, the name of a class of your own that has been imported, or ``package.module:Class``.
    configuration
        Its arguments.

    Raises
    ------
    NotFoundError
        No such class; near names are given.
    UnknownFieldError
        An argument that it does not take.
    """
    return _made(_find(name, WeightsBase), configuration)  # type: ignore[type-abstract]


def rebalance_strategy(name: str, configuration: dict[str, Any]) -> RebalanceStrategyBase:
    """Make a rebalance strategy from the name of its class; as `signal`."""
    return _made(_find(name, RebalanceStrategyBase), configuration)  # type: ignore[type-abstract]


def full_name(kind: type) -> str:
    """Write the name under which a class can be found again."""
    return f"{kind.__module__}:{kind.__qualname__}"


def _made(kind: type[Base], configuration: dict[str, Any]) -> Base:
    try:
        return kind(**configuration)
    except TypeError as error:
        raise UnknownFieldError(
            f"{kind.__name__} does not take {configuration!r}: {error}.",
            hint="Compare the arguments of its constructor.",
        ) from error


def _find(name: str, base: type[Base]) -> type[Base]:
    module, _, own = name.rpartition(":")
    found = _known(base, module, own)
    if found is None and (module or own in BUILT_IN):
        _import(module or BUILT_IN[own])
        found = _known(base, module, own)
    if found is not None:
        return found
    near = get_close_matches(own, sorted({each.__name__ for each in _subclasses(base)} | set(BUILT_IN)), n=3)
    raise NotFoundError(
        f"There is no {base.__name__} called {name!r}.",
        hint=(f"Did you mean {', '.join(near)}? " if near else "")
        + "Import the module that defines it first, or write 'package.module:Class'.",
    )


def _known(base: type[Base], module: str, own: str) -> type[Base] | None:
    """Give the newest class of this name: one that is defined again in a notebook replaces the one before."""
    fits = [each for each in _subclasses(base) if own in (each.__qualname__, each.__name__)]
    return next((each for each in reversed(fits) if module in ("", each.__module__)), None)


def _import(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise NotFoundError(f"There is no module {module!r}.", hint="Write 'package.module:Class'.") from error


def _subclasses(base: type[Base]) -> list[type[Base]]:
    found: list[type[Base]] = []
    queue: list[type[Base]] = [base]
    while queue:
        children: list[type[Base]] = queue.pop().__subclasses__()
        found += children
        queue += children
    return found
