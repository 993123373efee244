"""What can go wrong with routes, said in one way wherever it is noticed."""

from collections.abc import Sequence
from typing import Any

from mainsequence.domain.routing import (
    AssetRouting,
    AssetTranslationRule,
    Route,
    RouteStatus,
    TranslationTableRecord,
)
from mainsequence.domain.values import listed
from mainsequence.errors import (
    AmbiguousRouteError,
    NoRouteError,
    OverlappingRuleError,
    RoutingError,
    StaleRouteError,
)


def overlapping_rules(witness: str, rules: Sequence[AssetTranslationRule]) -> OverlappingRuleError:
    """Say that a registered asset would match several rules."""
    return OverlappingRuleError(
        f"The asset {witness!r} would match {len(rules)} rules: {_rules(rules)}.",
        hint="Narrow their filters until every asset fits one; nothing was changed.",
        witness=witness,
        rules=[str(rule) for rule in rules],
    )


def served(found: AssetRouting, table: TranslationTableRecord) -> Route:
    """Give the route of an asset.

    Raises
    ------
    NoRouteError
        No rule matches, or the rule's exchange has no listing of the share class.
    AmbiguousRouteError
        Several rules match, or that exchange has several listings.
    StaleRouteError
        The series was looked at and does not serve the asset.
    """
    if found.route is None or found.status is not RouteStatus.ROUTED:
        raise routing_error(found, table)
    return found.route


def routing_error(found: AssetRouting, table: TranslationTableRecord) -> RoutingError:
    """Say why an asset is not served."""
    matching = [rule for rule in table.rules if rule.id in found.rule_ids]
    kind, explanation = _EXPLANATIONS[found.status]
    facts = {
        "asset": found.unique_identifier,
        "table": table.unique_identifier,
        "rule": _rules(matching),
        "rules": _rules(table.rules) or "none",
        "listings": listed(found.listings),
        "series": found.route and found.route.markets_time_serie_unique_identifier,
        "column": found.route and found.route.column_name,
        "stored_as": found.route and found.route.unique_identifier,
        "exchange": matching[0].target_exchange_code if matching else None,
        "count": len(matching) if found.status is RouteStatus.AMBIGUOUS else len(found.listings),
    }
    context: dict[str, Any] = {
        "asset": found.unique_identifier,
        "table": table.unique_identifier,
        "status": found.status.value,
        "rules": [str(rule) for rule in matching or table.rules],
    }
    said, hint = (text.format(**facts) for text in explanation)
    return kind(said, hint=hint, **context)


_BY_RULE = "(rule {rule} of the translation table {table!r})"
_EXPLANATIONS: dict[RouteStatus, tuple[type[RoutingError], tuple[str, str]]] = {
    RouteStatus.NO_ROUTE: (
        NoRouteError,
        (
            "No rule of the translation table {table!r} matches the asset {asset!r}; its rules: {rules}.",
            "Add a rule for it with add_rules(…).",
        ),
    ),
    RouteStatus.AMBIGUOUS: (
        AmbiguousRouteError,
        (
            "{count} rules of the translation table {table!r} match the asset {asset!r}: {rule}.",
            "Remove all but one with remove_rules(…), or narrow their filters.",
        ),
    ),
    RouteStatus.NO_LISTING: (
        NoRouteError,
        (
            "The share class of the asset {asset!r} has no listing on {exchange} " + _BY_RULE + ".",
            "Register that listing with the same asset_ticker_group_id, or route the asset by a rule of its own.",
        ),
    ),
    RouteStatus.SEVERAL_LISTINGS: (
        AmbiguousRouteError,
        (
            "The share class of the asset {asset!r} has {count} listings on {exchange}: {listings} " + _BY_RULE + ".",
            "Retire those that are not meant, or route the asset by a rule of its own.",
        ),
    ),
    RouteStatus.MISSING_SERIES: (
        StaleRouteError,
        (
            "The asset {asset!r} is routed to the series {series!r}, which does not exist " + _BY_RULE + ".",
            "Create that series, or change the rule's target.",
        ),
    ),
    RouteStatus.MISSING_COLUMN: (
        StaleRouteError,
        (
            "The asset {asset!r} is routed to the column {column!r} of the series {series!r}, which has none of that "
            "name " + _BY_RULE + ".",
            "Change the rule's default_column_name.",
        ),
    ),
    RouteStatus.MISSING_ASSET: (
        StaleRouteError,
        (
            "The asset {asset!r} is routed to the series {series!r}, which holds nothing of {stored_as!r} "
            + _BY_RULE
            + ".",
            "Write its observations into that series, or change the rule's target.",
        ),
    ),
}


def _rules(rules: Sequence[AssetTranslationRule]) -> str:
    return "; ".join(str(rule) for rule in rules[:10]) + (f"; and {len(rules) - 10} more" if len(rules) > 10 else "")
