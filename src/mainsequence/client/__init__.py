"""What people import as ``msc``: assets, universes, routing, series and portfolios.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from typing import TYPE_CHECKING

from mainsequence.lazy import loaded_when_used

if TYPE_CHECKING:
    from mainsequence.client.assets import Asset, Calendar
    from mainsequence.client.categories import AssetCategory, UniverseExpression
    from mainsequence.client.changes import Webhook
    from mainsequence.client.connection import connect, disconnect, session
    from mainsequence.client.coverage import CoverageReport
    from mainsequence.client.lists.load_report import LoadReport
    from mainsequence.client.lists.reconciled import ReconciliationReport
    from mainsequence.client.lists.report import ResolutionReport
    from mainsequence.client.plans import ChangeRequest, Plan
    from mainsequence.client.portfolios import Portfolio, PortfolioGroup
    from mainsequence.client.routing import AssetTranslationTable
    from mainsequence.client.series import Series
    from mainsequence.client.teams import Team
    from mainsequence.client.universe_past import At
    from mainsequence.domain.assets import AssetClassification, AssetRegistration, AssetSnapshot
    from mainsequence.domain.categories import CategoryDiff, Revision
    from mainsequence.domain.changes import Change
    from mainsequence.domain.explanations import Explanation
    from mainsequence.domain.guards import DeprecatedUniverseWarning, Guards, RenamedUniverseWarning
    from mainsequence.domain.resolution import ListingPolicy
    from mainsequence.domain.routing import (
        AssetFilter,
        AssetTranslationRule,
        PossibleOverlapWarning,
        Route,
        RouteStatus,
    )
    from mainsequence.domain.universe_rules import Measure, MemberFor, Ranking, Threshold, UniverseRule, WhyMember
    from mainsequence.domain.verification import VerificationReport
    from mainsequence.errors import (
        AlreadyExistsError,
        AlteredPlanError,
        AmbiguousRouteError,
        ApprovalRequiredError,
        ConflictError,
        CyclicUniverseError,
        DerivedUniverseError,
        DoesNotExist,
        EmptyUniverseError,
        GuardError,
        InUseError,
        InvalidExpressionError,
        ListRefusedError,
        LockedError,
        MainSequenceError,
        NoRouteError,
        NotFoundError,
        OverlappingRuleError,
        PinnedError,
        PlanRequiredError,
        ReasonRequiredError,
        RemovalGuardError,
        RoutingError,
        StaleRevisionError,
        StaleRouteError,
        TranslationError,
        UnknownAssetsError,
        ValidationError,
    )

_HOMES = {
    "AlreadyExistsError": "mainsequence.errors",
    "AlteredPlanError": "mainsequence.errors",
    "AmbiguousRouteError": "mainsequence.errors",
    "ApprovalRequiredError": "mainsequence.errors",
    "Asset": "mainsequence.client.assets",
    "AssetCategory": "mainsequence.client.categories",
    "AssetClassification": "mainsequence.domain.assets",
    "AssetFilter": "mainsequence.domain.routing",
    "AssetRegistration": "mainsequence.domain.assets",
    "AssetSnapshot": "mainsequence.domain.assets",
    "AssetTranslationRule": "mainsequence.domain.routing",
    "AssetTranslationTable": "mainsequence.client.routing",
    "At": "mainsequence.client.universe_past",
    "Calendar": "mainsequence.client.assets",
    "CategoryDiff": "mainsequence.domain.categories",
    "Change": "mainsequence.domain.changes",
    "ChangeRequest": "mainsequence.client.plans",
    "ConflictError": "mainsequence.errors",
    "CoverageReport": "mainsequence.client.coverage",
    "CyclicUniverseError": "mainsequence.errors",
    "DeprecatedUniverseWarning": "mainsequence.domain.guards",
    "DerivedUniverseError": "mainsequence.errors",
    "DoesNotExist": "mainsequence.errors",
    "EmptyUniverseError": "mainsequence.errors",
    "Explanation": "mainsequence.domain.explanations",
    "GuardError": "mainsequence.errors",
    "Guards": "mainsequence.domain.guards",
    "InUseError": "mainsequence.errors",
    "InvalidExpressionError": "mainsequence.errors",
    "ListRefusedError": "mainsequence.errors",
    "ListingPolicy": "mainsequence.domain.resolution",
    "LoadReport": "mainsequence.client.lists.load_report",
    "LockedError": "mainsequence.errors",
    "MainSequenceError": "mainsequence.errors",
    "Measure": "mainsequence.domain.universe_rules",
    "MemberFor": "mainsequence.domain.universe_rules",
    "NoRouteError": "mainsequence.errors",
    "NotFoundError": "mainsequence.errors",
    "OverlappingRuleError": "mainsequence.errors",
    "PinnedError": "mainsequence.errors",
    "Plan": "mainsequence.client.categories",
    "PlanRequiredError": "mainsequence.errors",
    "Portfolio": "mainsequence.client.portfolios",
    "PortfolioGroup": "mainsequence.client.portfolios",
    "PossibleOverlapWarning": "mainsequence.domain.routing",
    "Ranking": "mainsequence.domain.universe_rules",
    "ReasonRequiredError": "mainsequence.errors",
    "ReconciliationReport": "mainsequence.client.lists.reconciled",
    "RemovalGuardError": "mainsequence.errors",
    "RenamedUniverseWarning": "mainsequence.domain.guards",
    "ResolutionReport": "mainsequence.client.lists.report",
    "Revision": "mainsequence.domain.categories",
    "Route": "mainsequence.domain.routing",
    "RouteStatus": "mainsequence.domain.routing",
    "RoutingError": "mainsequence.errors",
    "Series": "mainsequence.client.series",
    "StaleRevisionError": "mainsequence.errors",
    "StaleRouteError": "mainsequence.errors",
    "Team": "mainsequence.client.teams",
    "Threshold": "mainsequence.domain.universe_rules",
    "TranslationError": "mainsequence.errors",
    "UniverseExpression": "mainsequence.client.categories",
    "UniverseRule": "mainsequence.domain.universe_rules",
    "UnknownAssetsError": "mainsequence.errors",
    "ValidationError": "mainsequence.errors",
    "VerificationReport": "mainsequence.domain.verification",
    "Webhook": "mainsequence.client.changes",
    "WhyMember": "mainsequence.domain.universe_rules",
    "connect": "mainsequence.client.connection",
    "disconnect": "mainsequence.client.connection",
    "session": "mainsequence.client.connection",
}

__all__ = [
    "AlreadyExistsError",
    "AlteredPlanError",
    "AmbiguousRouteError",
    "ApprovalRequiredError",
    "Asset",
    "AssetCategory",
    "AssetClassification",
    "AssetFilter",
    "AssetRegistration",
    "AssetSnapshot",
    "AssetTranslationRule",
    "AssetTranslationTable",
    "At",
    "Calendar",
    "CategoryDiff",
    "Change",
    "ChangeRequest",
    "ConflictError",
    "CoverageReport",
    "CyclicUniverseError",
    "DeprecatedUniverseWarning",
    "DerivedUniverseError",
    "DoesNotExist",
    "EmptyUniverseError",
    "Explanation",
    "GuardError",
    "Guards",
    "InUseError",
    "InvalidExpressionError",
    "ListRefusedError",
    "ListingPolicy",
    "LoadReport",
    "LockedError",
    "MainSequenceError",
    "Measure",
    "MemberFor",
    "NoRouteError",
    "NotFoundError",
    "OverlappingRuleError",
    "PinnedError",
    "Plan",
    "PlanRequiredError",
    "Portfolio",
    "PortfolioGroup",
    "PossibleOverlapWarning",
    "Ranking",
    "ReasonRequiredError",
    "ReconciliationReport",
    "RemovalGuardError",
    "RenamedUniverseWarning",
    "ResolutionReport",
    "Revision",
    "Route",
    "RouteStatus",
    "RoutingError",
    "Series",
    "StaleRevisionError",
    "StaleRouteError",
    "Team",
    "Threshold",
    "TranslationError",
    "UniverseExpression",
    "UniverseRule",
    "UnknownAssetsError",
    "ValidationError",
    "VerificationReport",
    "Webhook",
    "WhyMember",
    "connect",
    "disconnect",
    "session",
]

__getattr__, __dir__ = loaded_when_used(__name__, _HOMES)
