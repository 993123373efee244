"""Signals: what a portfolio is asked to hold. The base of every signal (METHODOLOGY section 3)."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mainsequence.client.assets import Asset
from mainsequence.compute.weights import Postings, postings_from_long
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.series import DType
from mainsequence.domain.times import open_datetime
from mainsequence.domain.values import listed
from mainsequence.errors import InvalidWeightsError
from mainsequence.tdag import DataNode, DataNodeMetaData, RecordDefinition
from mainsequence.virtualfundbuilder.columns import labelled

if TYPE_CHECKING:
    import pyarrow as pa

WEIGHT = "signal_weight"
"""The column of a signal's series."""


class WeightsBase(DataNode):
    """Says what to hold, in complete cross-sections: one posting per time. Subclass it for a signal of your own.

    `update` gives the postings, indexed by ``time_index`` and ``unique_identifier`` with one column ``signal_weight``.
    A posting says everything: an asset that it does not name has target 0. Null, infinite and unknown-asset weights are
    refused before anything is stored. Cash is what is missing to 1.
    """

    @abstractmethod
    def maximum_forward_fill(self) -> timedelta | None:
        """Say how long a posting stays in force; ``None`` for ever. Older ones count for nothing: cash is held."""

    def get_explanation(self) -> str:
        """Say in a sentence what the signal does; by default the first line of its docstring."""
        return (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]

    def as_reader(self) -> ReaderAbout:
        """Tell universes that this is a signal."""
        return ReaderAbout(role="signal")

    def get_table_metadata(self) -> DataNodeMetaData:
        """Describe the series: the postings of the signal."""
        return DataNodeMetaData(description=f"Postings of {type(self).__name__}", by_asset=True)

    def get_column_metadata(self) -> list[RecordDefinition]:
        """Declare the one column, ``signal_weight``."""
        return [RecordDefinition(column_name=WEIGHT, dtype=DType.FLOAT64, nullable=False)]

    def posted_assets(self, version: int | None = None) -> set[str]:
        """Give everyone that a posting names, as stored now or at a version of the series."""
        series = self.series
        return set() if series is None else set(series.statistics(version).assets)

    def postings(
        self,
        columns: tuple[str, ...],
        stamps: npt.NDArray[np.int64],
        mask: npt.NDArray[np.bool_],
        *,
        version: int | None = None,
    ) -> Postings:
        """Give the postings that may be in force at some stamps.

        Signals that follow from the universe alone override this; others read what they have stored.

        Parameters
        ----------
        columns
            N unique identifiers, everyone in `posted_assets` among them.
        stamps
            int64[T], microseconds UTC.
        mask
            bool[T, N], the members of the universe at each stamp.
        version
            Read the series as it was at this version.
        """
        series = self.series
        if series is None:
            return Postings(np.empty(0, np.int64), np.empty((0, len(columns))))
        last = open_datetime(int(stamps[-1])) if len(stamps) else None
        rows = labelled(series.read_arrow([WEIGHT], end=last, end_inclusive=True, version=version))
        return postings_from_long(rows.times, rows.positions(columns), rows.floats(WEIGHT), len(columns))

    def check_result(self, table: "pa.Table") -> None:
        """Refuse postings with null or infinite weights, or of assets that are not registered, before they are stored.

        Raises
        ------
        InvalidWeightsError
            Names the assets.
        """
        check_postings(table)


def check_postings(table: "pa.Table") -> None:
    """Refuse postings with null or infinite weights, or of assets that are not registered.

    Raises
    ------
    InvalidWeightsError
        Names the assets.
    """
    if WEIGHT not in table.column_names or "unique_identifier" not in table.column_names:
        return  # what is wrong with the columns is said where they are stored
    rows = labelled(table)
    weights = rows.floats(WEIGHT)
    bad = np.flatnonzero(~np.isfinite(weights))
    if len(bad):
        asset, at = rows.labels[rows.codes[bad[0]]], open_datetime(int(rows.times[bad[0]]))
        raise InvalidWeightsError(
            f"The posting at {at} has weight {weights[bad[0]]} for {asset!r}.",
            hint="Leave an asset out to give it weight 0; null and infinite weights are refused.",
            asset=asset,
            time=str(at),
        )
    check_known(rows.labels)


def check_known(names: Sequence[str]) -> None:
    """Refuse weights of assets that are not registered.

    Raises
    ------
    InvalidWeightsError
        Names them.
    """
    found = Asset.filter(unique_identifier__in=list(names), include_retired=True) if names else []
    unknown = sorted(set(names) - {each.unique_identifier for each in found})
    if unknown:
        raise InvalidWeightsError(
            f"Weights name {len(unknown)} assets that are not registered: {listed(unknown)}.",
            hint="msc.Asset.filter(unique_identifier__in=…) shows which are.",
            unknown=unknown[:1_000],
        )
