"""What became of the search for the assets that identifiers mean: a report for people and programs."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from mainsequence.client.lists.sheets import RowLabel
from mainsequence.domain.resolution import Outcome
from mainsequence.domain.values import listed
from mainsequence.errors import ListRefusedError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_SHOWN = 20
_RESOLVED = (Outcome.MATCHED, Outcome.RENAMED)


class ResolutionReport:
    """Which asset each identifier means, or why none; rows are in the order asked.

    ``bool(report)`` is ``report.ok``; ``report.exit_code`` is for scripts.
    """

    def __init__(self, rows: "pa.Table", labels: Sequence[RowLabel] | None = None) -> None:
        self._rows = rows
        self.labels: list[RowLabel] = list(range(rows.num_rows)) if labels is None else list(labels)
        """Where each row stands in its source."""

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __bool__(self) -> bool:
        return self.ok

    @cached_property
    def asset_ids(self) -> list[int | None]:
        """The asset of each row; ``None`` where there is none."""
        found: list[int | None] = self._rows.column("asset_id").to_pylist()
        return found

    @cached_property
    def outcomes(self) -> list[Outcome]:
        """What became of each row."""
        return [Outcome(each) for each in self._rows.column("outcome").to_pylist()]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows came out how; outcomes of none are left out."""
        found = Counter(self.outcomes)
        return {outcome.value: found[outcome] for outcome in Outcome if found[outcome]}

    @property
    def ok(self) -> bool:
        """Whether every row means exactly one asset, which no other row means."""
        return not self.unresolved

    @property
    def exit_code(self) -> int:
        """0 where all is well, else 1."""
        return 0 if self.ok else 1

    @cached_property
    def unresolved(self) -> list[dict[str, Any]]:
        """The rows without an asset of their own: row, identifier, outcome, why, candidates, nearest names."""
        return [row for row in self.rows() if not _is_resolved(row)]

    def rows(self) -> list[dict[str, Any]]:
        """Give every row as a mapping."""
        rows: list[dict[str, Any]] = self._rows.to_pylist()
        return [{"row": label} | row for label, row in zip(self.labels, rows, strict=True)]

    def raise_errors(self) -> None:
        """Refuse to go on unless every row is resolved.

        Raises
        ------
        ListRefusedError
            Counts and names the rows that are not.
        """
        if self.ok:
            return
        written = [f"row {each['row']} {each['identifier']!r} {each['outcome']}" for each in self.unresolved]
        raise ListRefusedError(
            f"{len(written)} of {len(self)} identifiers are not resolved: {listed(written)}.",
            hint="The report says why; a ListingPolicy chooses among listings.",
            counts=self.counts,
        )

    def to_frame(self) -> "pd.DataFrame":
        """Give the report as a frame.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``row``; columns ``identifier, exchange_code, outcome, asset_id`` (Int64)``, unique_identifier,
            why, candidates, nearest``, the last two lists of text.
        """
        import pandas as pd

        table = self._rows.drop_columns(["candidates"])
        frame: pd.DataFrame = table.to_pandas().astype({"asset_id": "Int64"})
        candidates = [_named(each) for each in self._rows.column("candidates").to_pylist()]
        frame.insert(6, "candidates", pd.Series(candidates, dtype=object))
        frame.index = pd.Index(self.labels, name="row")
        return frame

    def __repr__(self) -> str:
        counted = ", ".join(f"{name}={count}" for name, count in self.counts.items())
        return f"ResolutionReport(rows={len(self)}, ok={self.ok}{', ' if counted else ''}{counted})"

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            "<tr>" + "".join(f"<td {left}>{escape(text)}</td>" for text in cells) + "</tr>"
            for cells in map(_cells, self.unresolved[:_SHOWN])
        )
        more = f"<tr><td>… {len(self.unresolved):,} in all</td></tr>" if len(self.unresolved) > _SHOWN else ""
        return f"<table><caption>{escape(repr(self))}</caption>{rows}{more}</table>"


def _is_resolved(row: dict[str, Any]) -> bool:
    return row["outcome"] in _RESOLVED and row["asset_id"] is not None


def _named(candidates: list[dict[str, Any]]) -> list[str]:
    return [each["unique_identifier"] for each in candidates]


def _cells(row: dict[str, Any]) -> list[str]:
    near = f"nearest: {', '.join(row['nearest'])}" if row["nearest"] else ""
    return [str(row["row"]), str(row["identifier"]), row["outcome"], row["why"], near]
