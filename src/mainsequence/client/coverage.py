"""What became of the search for the routes of many assets: a report for people, programs and CI."""

from collections import Counter
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from mainsequence.contract.routing import facts_of, routings_of
from mainsequence.domain.routing import (
    AssetRouting,
    AssetTranslationRule,
    CoverageFacts,
    Route,
    RouteStatus,
    RuleOverlap,
)
from mainsequence.domain.routing_failures import routing_error
from mainsequence.domain.values import listed
from mainsequence.errors import RoutingError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_SHOWN = 20


class CoverageReport:
    """Which assets are served by which series, and which are not, and why.

    Assets are in the order of their ids. ``bool(report)`` is ``report.ok``; ``report.exit_code`` is for CI.
    """

    def __init__(self, rows: "pa.Table") -> None:
        self._rows = rows
        self.facts: CoverageFacts = facts_of(rows)
        """The table and its rules, the universe asked about, the versions of the series looked at."""

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __bool__(self) -> bool:
        return self.ok

    @cached_property
    def assets(self) -> list[AssetRouting]:
        """What became of each asset."""
        return list(routings_of(self._rows))

    @cached_property
    def counts(self) -> dict[RouteStatus, int]:
        """How many assets came out with each status; statuses of none are left out."""
        found = Counter(self._rows.column("status").to_pylist())
        return {status: found[status] for status in RouteStatus if found[status]}

    @property
    def ok(self) -> bool:
        """Whether every asset has exactly one route and, where series were looked at, is held by its series."""
        return set(self.counts) <= {RouteStatus.ROUTED}

    @property
    def exit_code(self) -> int:
        """0 where all is well, else 1."""
        return 0 if self.ok else 1

    @property
    def failures(self) -> list[AssetRouting]:
        """The assets that are not served."""
        return [each for each in self.assets if each.status is not RouteStatus.ROUTED]

    @property
    def dead_rules(self) -> list[AssetTranslationRule]:
        """The rules that match no asset of the report."""
        return [rule for rule in self.facts.table.rules if not self.facts.matches.get(rule.id or 0)]

    @property
    def overlaps(self) -> list[RuleOverlap]:
        """The pairs of rules that both match an asset of the report, with the first such asset as witness."""
        return self.facts.overlaps

    @property
    def possible_overlaps(self) -> list[RuleOverlap]:
        """The other pairs of rules that could match one asset, though none of the report shows it."""
        return self.facts.possible_overlaps

    def routes(self) -> dict[str, Route]:
        """Give the routes of the assets that are served, by the assets' unique identifiers."""
        return {each.unique_identifier: each.route for each in self.assets if _is_served(each) and each.route}

    def errors(self) -> dict[str, RoutingError]:
        """Give for each asset that is not served why, by unique identifier: the error that `evaluate_asset` raises."""
        return {each.unique_identifier: routing_error(each, self.facts.table) for each in self.failures}

    def raise_errors(self) -> None:
        """Refuse to go on unless every asset is served.

        Raises
        ------
        NoRouteError, AmbiguousRouteError, StaleRouteError
            Of the first asset that is not; where there are more, the message counts and names them.
        """
        errors = self.errors()
        if not errors:
            return
        first = next(iter(errors.values()))
        if len(errors) == 1:
            raise first
        raise type(first)(
            f"{len(errors)} of {len(self)} assets have no usable route: {listed(errors)}. The first: {first.message}",
            hint=first.hint,
            assets=list(errors)[:1_000],
            table=self.facts.table.unique_identifier,
        )

    def to_frame(self) -> "pd.DataFrame":
        """Give the report as a frame, one row for each asset, indexed by unique identifier.

        Returns
        -------
        pandas.DataFrame
            Columns ``asset_id, status, rule_ids, series, series_unique_identifier`` (under which the series stores the
            asset), ``exchange_code, column_name, listings, first, last, count``; times are UTC.
        """
        frame: pd.DataFrame = self._rows.replace_schema_metadata(None).to_pandas()
        return frame.set_index("unique_identifier").astype({"count": "Int64"})

    def summary(self) -> str:
        """Say in a few lines what was found."""
        return "\n".join(f"{name}: {value}" for name, value in self._facts().items())

    def _facts(self) -> dict[str, str]:
        facts = self.facts
        lines = {"table": facts.table.unique_identifier, "assets": str(len(self))}
        if facts.category is not None:
            lines["universe"] = f"{facts.category}@{facts.revision} as of {facts.as_of:%Y-%m-%d %H:%M} UTC"
        lines |= {status.value: str(count) for status, count in self.counts.items()}
        if self.dead_rules:
            lines["dead rules"] = listed(map(str, self.dead_rules))
        lines |= _overlaps("overlapping rules", facts.overlaps) | _overlaps(
            "possible overlaps", facts.possible_overlaps
        )
        return lines | {"ok": "yes" if self.ok else "no"}

    def __repr__(self) -> str:
        counted = ", ".join(f"{status.value}={count}" for status, count in self.counts.items())
        return f"CoverageReport({self.facts.table.unique_identifier!r}, assets={len(self)}, ok={self.ok}, {counted})"

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(value)}</td></tr>"
            for name, value in self._facts().items()
        )
        failing = "".join(
            f"<tr><td {left}>{escape(each.unique_identifier)}</td>"
            f"<td {left}>{escape(routing_error(each, self.facts.table).message)}</td></tr>"
            for each in self.failures[:_SHOWN]
        )
        return f"<table><caption>CoverageReport</caption>{rows}{failing}</table>"


def _is_served(found: AssetRouting) -> bool:
    return found.status is RouteStatus.ROUTED


def _overlaps(name: str, overlaps: list[RuleOverlap]) -> dict[str, str]:
    pairs = [
        f"#{each.rule_ids[0]} and #{each.rule_ids[1]}" + (f" ({each.witness})" if each.witness else "")
        for each in overlaps
    ]
    return {name: listed(pairs)} if pairs else {}
