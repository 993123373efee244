"""The names that users import, from where the documentation says; a name that goes or comes is a decision."""

import importlib

import pytest

PROMISED = {
    "mainsequence.client": """
        AlreadyExistsError AlteredPlanError AmbiguousRouteError ApprovalRequiredError Asset AssetCategory
        AssetClassification AssetFilter AssetRegistration AssetSnapshot AssetTranslationRule AssetTranslationTable At
        Calendar CategoryDiff Change ChangeRequest ConflictError CoverageReport CyclicUniverseError
        DeprecatedUniverseWarning DerivedUniverseError DoesNotExist EmptyUniverseError Explanation GuardError Guards
        InUseError InvalidExpressionError ListRefusedError ListingPolicy LoadReport LockedError MainSequenceError
        Measure MemberFor NoRouteError NotFoundError OverlappingRuleError PinnedError Plan PlanRequiredError Portfolio
        PortfolioGroup PossibleOverlapWarning Ranking ReasonRequiredError ReconciliationReport RemovalGuardError
        RenamedUniverseWarning ResolutionReport Revision Route RouteStatus RoutingError Series StaleRevisionError
        StaleRouteError Team Threshold TranslationError UniverseExpression UniverseRule UnknownAssetsError
        ValidationError VerificationReport Webhook WhyMember connect disconnect session
    """,
    "mainsequence.tdag": """
        APIDataNode AssetRange DataNode DataNodeConfiguration DataNodeMetaData DisplayOnly NodeOutcome RecordDefinition
        RunResult UpdateOnly UpdateStatistics WrapperDataNode
    """,
    "mainsequence.virtualfundbuilder": """
        AUIDWeight AssetsConfiguration BacktestingWeightsConfig EqualWeights FixedWeights FrontEndDetails
        ImmediateSignal InterpolatedPrices Manifest Moments PortfolioBuildConfiguration PortfolioConfiguration
        PortfolioExecutionConfiguration PortfolioMarketsConfig PortfolioReport PortfolioStrategy PriceType
        PricesConfiguration RebalanceStrategyBase Rebuilt RunFlag SoldAsset WeightsBase rebuild
    """,
}
DEEPER = {
    "mainsequence.virtualfundbuilder.models": """
        AssetsConfiguration BacktestingWeightsConfig FrontEndDetails PortfolioBuildConfiguration PortfolioConfiguration
        PortfolioExecutionConfiguration PortfolioMarketsConfig PricesConfiguration
    """,
    "mainsequence.virtualfundbuilder.contrib.prices.data_nodes": "InterpolatedPrices",
    "mainsequence.virtualfundbuilder.contrib.data_nodes.market_cap": "AUIDWeight EqualWeights FixedWeights",
    "mainsequence.virtualfundbuilder.contrib.rebalance_strategies": "ImmediateSignal",
    "mainsequence.virtualfundbuilder.portfolio_nodes": "PortfolioStrategy",
}


@pytest.mark.parametrize("package", PROMISED)
def test_a_star_import_gives_exactly_the_promised_names(package: str):
    given: dict[str, object] = {}
    exec(f"from {package} import *", given)
    assert sorted(given.keys() - {"__builtins__"}) == sorted(PROMISED[package].split())


@pytest.mark.parametrize("module", DEEPER)
def test_users_find_the_names_where_the_tutorials_import_them(module: str):
    for name in DEEPER[module].split():
        assert hasattr(importlib.import_module(module), name)
