"""Where prices came from: the rules of a translation table, and the versions of the series that they name."""

from dataclasses import dataclass

from mainsequence.client.routing import AssetTranslationTable
from mainsequence.client.series import Series


@dataclass(frozen=True)
class RoutingFacts:
    """A hash of what the rules say, and the versions of their series."""

    rules_hash: str
    versions: dict[str, int]


def routing_facts(table: str) -> RoutingFacts:
    """Read what a translation table says now."""
    found = AssetTranslationTable.get(unique_identifier=table)
    names = sorted({rule.markets_time_serie_unique_identifier for rule in found.rules})
    versions = {
        each.unique_identifier: each.statistics().version for each in Series.filter(unique_identifier__in=names)
    }
    return RoutingFacts(found.rules_hash, versions)
