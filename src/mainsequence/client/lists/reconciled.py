"""How far sources of one universe agree over time: a report for people and programs."""

from html import escape
from typing import TYPE_CHECKING, Any

from mainsequence.contract.reconciliation import facts_of
from mainsequence.domain.reconciliation import ReconciliationFacts
from mainsequence.domain.values import listed
from mainsequence.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_SHOWN = 20


class ReconciliationReport:
    """Every stretch of time for which some universes have an asset in and others out, the longest first.

    ``bool(report)`` is whether there is none.
    """

    def __init__(self, rows: "pa.Table") -> None:
        self._rows = rows
        self.facts: ReconciliationFacts = facts_of(rows)
        """What was compared, over which window, and how many assets are in for anybody and for all, by time."""

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __bool__(self) -> bool:
        return len(self) == 0

    @property
    def agreement(self) -> float:
        """Part of membership time on which all agree, 0 to 1."""
        return self.facts.agreement

    @property
    def exit_code(self) -> int:
        """0 where all agree, else 1."""
        return 0 if self else 1

    def rows(self) -> list[dict[str, Any]]:
        """Give every disagreement as a mapping."""
        rows: list[dict[str, Any]] = self._rows.to_pylist()
        return rows

    def to_frame(self) -> "pd.DataFrame":
        """Give the disagreements as a frame.

        Returns
        -------
        pandas.DataFrame
            Columns ``unique_identifier, start, end`` (UTC, half-open)``, days, in, out`` (lists of universes)`` ,
            weight`` (the greatest that any of them gives it at the start; NaN for none).
        """
        frame: pd.DataFrame = self._rows.replace_schema_metadata(None).to_pandas()
        for name in ("in", "out"):
            frame[name] = frame[name].map(list)
        return frame.assign(weight=frame["weight"].astype("float64"))

    def by_time(self) -> "pd.DataFrame":
        """Say how far all agree from each change on.

        Returns
        -------
        pandas.DataFrame
            Indexed by time (UTC); columns ``union`` (assets that anybody has in), ``agreed`` (that all have in) and
            ``agreement`` (their ratio; 1 where nobody is a member).
        """
        import pandas as pd

        facts = self.facts
        index = pd.DatetimeIndex(pd.to_datetime(facts.times, utc=True), name="time")
        frame = pd.DataFrame({"union": facts.union, "agreed": facts.agreed}, index=index)
        return frame.assign(agreement=(frame["agreed"] / frame["union"]).where(frame["union"] > 0, 1.0))

    def plot(self, ax: Any = None) -> Any:
        """Draw agreement over time; gives the axes.

        Raises
        ------
        ConfigurationError
            ``matplotlib`` is not installed.
        """
        by_time = self.by_time()["agreement"]
        ax = _axes() if ax is None else ax
        ax.step(by_time.index, by_time.to_numpy(), where="post")
        ax.set_ylim(0, 1.02)
        ax.set_ylabel("agreement")
        ax.set_title(" · ".join(self.facts.universes))
        return ax

    def summary(self) -> dict[str, Any]:
        """Give what people ask first."""
        facts = self.facts
        return {
            "universes": [
                name if "@" in name else f"{name}@{revision}"
                for name, revision in zip(facts.universes, facts.revisions, strict=True)
            ],
            "start": facts.start,
            "end": facts.end,
            "agreement": facts.agreement,
            "disagreements": len(self),
        }

    def __repr__(self) -> str:
        named = ", ".join(map(repr, self.facts.universes))
        return f"ReconciliationReport({named}, agreement={self.agreement:.4f}, disagreements={len(self)})"

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            "<tr>" + "".join(f"<td {left}>{escape(text)}</td>" for text in _cells(row)) + "</tr>"
            for row in self._rows.slice(0, _SHOWN).to_pylist()
        )
        head = "".join(f"<th {left}>{name}</th>" for name in ("asset", "from", "to", "days", "in", "out"))
        return f"<table><caption>{escape(repr(self))}</caption><tr>{head}</tr>{rows}</table>"


def _axes() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ConfigurationError(
            "Pictures are drawn with matplotlib, which is not installed.",
            hint="pip install 'mainsequence-platform[demo]'",
        ) from error
    return plt.subplots()[1]


def _cells(row: dict[str, Any]) -> list[str]:
    times = [f"{row[name]:%Y-%m-%d}" for name in ("start", "end")]
    return [row["unique_identifier"], *times, f"{row['days']:,.1f}", listed(row["in"]), listed(row["out"])]
