"""Everything that compares sources of one universe, or asks whether one is still kept up."""

from typing import TYPE_CHECKING

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import reading
from mainsequence.domain.reconciliation import Freshness, FreshnessQuery, Reconciliation, ReconciliationFacts

if TYPE_CHECKING:
    import pyarrow as pa

_FACTS = b"mainsequence.reconciliation"


def with_facts(table: "pa.Table", facts: ReconciliationFacts) -> "pa.Table":
    """Write into a table of disagreements what was compared."""
    return table.replace_schema_metadata({_FACTS: facts.model_dump_json()})


def facts_of(table: "pa.Table") -> ReconciliationFacts:
    """Read what a table of disagreements compared."""
    return ReconciliationFacts.model_validate_json(table.schema.metadata[_FACTS], extra="ignore")


RECONCILE = reading(
    "POST",
    "/asset-categories/reconcile",
    "categories.reconcile",
    Reconciliation,
    ArrowTable,
    "List every disagreement of several universes over time: who, when, which have it in and which out.",
)
FRESHNESS = reading(
    "GET",
    "/asset-categories/{key}/freshness",
    "categories.freshness",
    FreshnessQuery,
    Freshness,
    "Say whether the universe has not moved for longer than its own history suggests.",
)
