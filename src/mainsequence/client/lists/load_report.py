"""What a load found and did, or would do: a report for people and programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from mainsequence.client.lists.columns import Layout
from mainsequence.client.lists.findings import Finding, counted
from mainsequence.client.lists.report import ResolutionReport
from mainsequence.domain.loading import LoadEffect, LoadOptions
from mainsequence.domain.resolution import IdentifierKind
from mainsequence.domain.values import listed
from mainsequence.errors import ListRefusedError, MainSequenceError

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 50


@dataclass(frozen=True, slots=True, repr=False)
class LoadReport:
    """What a list says, what is wrong with it, and what loading it changed or would change.

    Parameters
    ----------
    category, source
        Into which universe, from where.
    layout, columns, kind
        How the list was read: what it is, which column has which role, what its identifiers are.
    resolution
        What became of each identifier.
    findings
        Everything that is wrong with its rows.
    registered
        The unique identifiers of assets that were registered for it, or would be.
    loaded_rows
        How many rows can be loaded; the others are left out or stand for the refusal.
    options
        How the rows entered the universe.
    effect
        What it would change; of a dry run alone, and only where nothing stands against it.
    refusal
        Why the platform would refuse it: a guard, weights that do not sum up.
    refused
        The findings for which the list is refused.
    is_dry_run
        Whether nothing was to be changed.
    revision
        The head of the universe after the load; ``None`` of a dry run.
    """

    category: str
    source: str
    layout: Layout
    columns: Mapping[str, str]
    kind: IdentifierKind
    resolution: ResolutionReport
    findings: Sequence[Finding]
    registered: Sequence[str]
    loaded_rows: int
    options: LoadOptions
    effect: LoadEffect | None
    refusal: MainSequenceError | None
    refused: Sequence[Finding]
    is_dry_run: bool
    revision: int | None = None

    def __bool__(self) -> bool:
        return self.ok

    @property
    def ok(self) -> bool:
        """Whether the list was loaded, or would be."""
        return not self.refused and self.refusal is None and not (self.effect and self.effect.objections)

    @property
    def exit_code(self) -> int:
        """0 where all is well, else 1."""
        return 0 if self.ok else 1

    @property
    def asset_ids(self) -> list[int]:
        """The assets that the rows mean, each once: what ``category.plan(replace=…)`` takes."""
        return sorted({each for each in self.resolution.asset_ids if each is not None})

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        return counted(self.findings)

    def applied(self, revision: int) -> "LoadReport":
        """Give the report of the load that was carried out."""
        return replace(self, revision=revision)

    def raise_errors(self) -> None:
        """Refuse to go on with a list whose rows are wrong.

        Raises
        ------
        ListRefusedError
            Counts the findings and names the first; its ``context`` has up to a thousand, ``report`` all.
        """
        if self.refusal is not None:
            raise self.refusal
        if not self.refused:
            return
        counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counted(self.refused).items())
        error = ListRefusedError(
            f"{self.source} is refused: {counts}. {listed(self.refused, 5)}. Nothing was changed.",
            hint="dry_run=True reports everything; on_unresolved='skip' and on_faults='repair' say what to do.",
            counts=counted(self.refused),
            findings=[_plain(each) for each in self.refused[:1_000]],
        )
        error.report = self
        raise error

    def to_frame(self) -> "pd.DataFrame":
        """Give the findings as a frame: ``row, kind, identifier, message``."""
        import pandas as pd

        return pd.DataFrame([_plain(each) for each in self.findings], columns=["row", "kind", "identifier", "message"])

    def facts(self) -> dict[str, Any]:
        """Give what people and programs ask first."""
        effect = None if self.effect is None else self.effect.model_dump(exclude={"entering", "leaving"})
        changed = {} if self.effect is None else {"entering": self.effect.entering, "leaving": self.effect.leaving}
        return {
            "category": self.category,
            "source": self.source,
            "ok": self.ok,
            "is_dry_run": self.is_dry_run,
            "revision": self.revision,
            "layout": self.layout.value,
            "columns": dict(self.columns),
            "identifier": self.kind.value,
            "rows": len(self.resolution),
            "rows_loaded": self.loaded_rows,
            "resolution": self.resolution.counts,
            "findings": self.counts,
            "registered": len(self.registered),
            "refusal": None if self.refusal is None else str(self.refusal),
            "effect": effect,
            **changed,
        }

    def __repr__(self) -> str:
        found = ", ".join(f"{kind}={count}" for kind, count in self.counts.items()) or "no findings"
        if self.refusal is not None or (self.effect is not None and self.effect.objections):
            found += ", would be refused"
        done = "dry run" if self.is_dry_run else f"revision {self.revision}"
        named = f"{self.category!r}, {self.source!r}, rows={len(self.resolution)}"
        return f"LoadReport({named}, ok={self.ok}, {found}, {done})"

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        facts = {name: value for name, value in self.facts().items() if value not in (None, {}, [])}
        rows = "".join(
            f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(_short(value))}</td></tr>"
            for name, value in facts.items()
        )
        findings = "".join(f"<tr><td colspan=2 {left}>{escape(str(each))}</td></tr>" for each in self.findings[:_SHOWN])
        return f"<table><caption>LoadReport</caption>{rows}{findings}</table>"


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "row": finding.row,
        "kind": finding.kind.value,
        "identifier": finding.identifier,
        "message": finding.message,
    }


def _short(value: Any) -> str:
    if isinstance(value, list):
        return listed(value, 20)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    return str(value)
