"""What people import as ``msc``: assets, universes, routing, series and portfolios.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mainsequence.client.assets import Asset, Calendar
    from mainsequence.client.categories import AssetCategory
    from mainsequence.client.connection import connect, disconnect, session
    from mainsequence.client.portfolios import Portfolio, PortfolioGroup
    from mainsequence.client.series import Series
    from mainsequence.domain.assets import AssetRegistration, AssetSnapshot
    from mainsequence.domain.categories import CategoryDiff, Revision
    from mainsequence.errors import (
        AlreadyExistsError,
        AmbiguousRouteError,
        ConflictError,
        DoesNotExist,
        InUseError,
        MainSequenceError,
        NoRouteError,
        NotFoundError,
        RoutingError,
        StaleRevisionError,
        TranslationError,
        UnknownAssetsError,
        ValidationError,
    )

_HOMES = {
    "AlreadyExistsError": "mainsequence.errors",
    "AmbiguousRouteError": "mainsequence.errors",
    "Asset": "mainsequence.client.assets",
    "AssetCategory": "mainsequence.client.categories",
    "AssetRegistration": "mainsequence.domain.assets",
    "AssetSnapshot": "mainsequence.domain.assets",
    "Calendar": "mainsequence.client.assets",
    "CategoryDiff": "mainsequence.domain.categories",
    "ConflictError": "mainsequence.errors",
    "DoesNotExist": "mainsequence.errors",
    "InUseError": "mainsequence.errors",
    "MainSequenceError": "mainsequence.errors",
    "NoRouteError": "mainsequence.errors",
    "NotFoundError": "mainsequence.errors",
    "Portfolio": "mainsequence.client.portfolios",
    "PortfolioGroup": "mainsequence.client.portfolios",
    "Revision": "mainsequence.domain.categories",
    "RoutingError": "mainsequence.errors",
    "Series": "mainsequence.client.series",
    "StaleRevisionError": "mainsequence.errors",
    "TranslationError": "mainsequence.errors",
    "UnknownAssetsError": "mainsequence.errors",
    "ValidationError": "mainsequence.errors",
    "connect": "mainsequence.client.connection",
    "disconnect": "mainsequence.client.connection",
    "session": "mainsequence.client.connection",
}

__all__ = [
    "AlreadyExistsError",
    "AmbiguousRouteError",
    "Asset",
    "AssetCategory",
    "AssetRegistration",
    "AssetSnapshot",
    "Calendar",
    "CategoryDiff",
    "ConflictError",
    "DoesNotExist",
    "InUseError",
    "MainSequenceError",
    "NoRouteError",
    "NotFoundError",
    "Portfolio",
    "PortfolioGroup",
    "Revision",
    "RoutingError",
    "Series",
    "StaleRevisionError",
    "TranslationError",
    "UnknownAssetsError",
    "ValidationError",
    "connect",
    "disconnect",
    "session",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
