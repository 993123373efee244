"""What people import as ``msc``: assets, universes, routing, series and portfolios.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mainsequence.client.assets import Asset, Calendar
    from mainsequence.client.categories import AssetCategory
    from mainsequence.client.changes import Webhook
    from mainsequence.client.connection import connect, disconnect, session
    from mainsequence.client.coverage import CoverageReport
    from mainsequence.client.portfolios import Portfolio, PortfolioGroup
    from mainsequence.client.routing import AssetTranslationTable
    from mainsequence.client.series import Series
    from mainsequence.client.teams import Team
    from mainsequence.client.universe_past import At
    from mainsequence.domain.assets import AssetRegistration, AssetSnapshot
    from mainsequence.domain.categories import CategoryDiff, Revision
    from mainsequence.domain.changes import Change
    from mainsequence.domain.explanations import Explanation
    from mainsequence.domain.routing import (
        AssetFilter,
        AssetTranslationRule,
        PossibleOverlapWarning,
        Route,
        RouteStatus,
    )
    from mainsequence.domain.verification import VerificationReport
    from mainsequence.errors import (
        AlreadyExistsError,
        AmbiguousRouteError,
        ConflictError,
        DoesNotExist,
        InUseError,
        MainSequenceError,
        NoRouteError,
        NotFoundError,
        OverlappingRuleError,
        PinnedError,
        RoutingError,
        StaleRevisionError,
        StaleRouteError,
        TranslationError,
        UnknownAssetsError,
        ValidationError,
    )

_HOMES = {
    "AlreadyExistsError": "mainsequence.errors",
    "AmbiguousRouteError": "mainsequence.errors",
    "Asset": "mainsequence.client.assets",
    "AssetCategory": "mainsequence.client.categories",
    "AssetFilter": "mainsequence.domain.routing",
    "AssetRegistration": "mainsequence.domain.assets",
    "AssetSnapshot": "mainsequence.domain.assets",
    "AssetTranslationRule": "mainsequence.domain.routing",
    "AssetTranslationTable": "mainsequence.client.routing",
    "At": "mainsequence.client.universe_past",
    "Calendar": "mainsequence.client.assets",
    "CategoryDiff": "mainsequence.domain.categories",
    "Change": "mainsequence.domain.changes",
    "ConflictError": "mainsequence.errors",
    "CoverageReport": "mainsequence.client.coverage",
    "DoesNotExist": "mainsequence.errors",
    "Explanation": "mainsequence.domain.explanations",
    "InUseError": "mainsequence.errors",
    "MainSequenceError": "mainsequence.errors",
    "NoRouteError": "mainsequence.errors",
    "NotFoundError": "mainsequence.errors",
    "OverlappingRuleError": "mainsequence.errors",
    "PinnedError": "mainsequence.errors",
    "Portfolio": "mainsequence.client.portfolios",
    "PortfolioGroup": "mainsequence.client.portfolios",
    "PossibleOverlapWarning": "mainsequence.domain.routing",
    "Revision": "mainsequence.domain.categories",
    "Route": "mainsequence.domain.routing",
    "RouteStatus": "mainsequence.domain.routing",
    "RoutingError": "mainsequence.errors",
    "Series": "mainsequence.client.series",
    "StaleRevisionError": "mainsequence.errors",
    "StaleRouteError": "mainsequence.errors",
    "Team": "mainsequence.client.teams",
    "TranslationError": "mainsequence.errors",
    "UnknownAssetsError": "mainsequence.errors",
    "ValidationError": "mainsequence.errors",
    "VerificationReport": "mainsequence.domain.verification",
    "Webhook": "mainsequence.client.changes",
    "connect": "mainsequence.client.connection",
    "disconnect": "mainsequence.client.connection",
    "session": "mainsequence.client.connection",
}

__all__ = [
    "AlreadyExistsError",
    "AmbiguousRouteError",
    "Asset",
    "AssetCategory",
    "AssetFilter",
    "AssetRegistration",
    "AssetSnapshot",
    "AssetTranslationRule",
    "AssetTranslationTable",
    "At",
    "Calendar",
    "CategoryDiff",
    "Change",
    "ConflictError",
    "CoverageReport",
    "DoesNotExist",
    "Explanation",
    "InUseError",
    "MainSequenceError",
    "NoRouteError",
    "NotFoundError",
    "OverlappingRuleError",
    "PinnedError",
    "Portfolio",
    "PortfolioGroup",
    "PossibleOverlapWarning",
    "Revision",
    "Route",
    "RouteStatus",
    "RoutingError",
    "Series",
    "StaleRevisionError",
    "StaleRouteError",
    "Team",
    "TranslationError",
    "UnknownAssetsError",
    "ValidationError",
    "VerificationReport",
    "Webhook",
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
