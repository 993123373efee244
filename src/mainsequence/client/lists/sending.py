"""Intervals as the platform takes them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mainsequence.compute.intervals import Intervals, Ints
from mainsequence.contract.loading import interval_schema
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS

if TYPE_CHECKING:
    import pyarrow as pa


def interval_table(rows: Intervals, announced: Mapping[tuple[int, int], int]) -> "pa.Table":
    """Give intervals as columns, with when their bounds were announced, by asset and bound."""
    import pyarrow as pa

    stamp = pa.timestamp("us", "UTC")

    def known(bounds: Ints) -> "pa.Array":
        keys = zip(rows.asset.tolist(), bounds.tolist(), strict=True)
        return pa.array([announced.get(key) for key in keys], pa.int64()).cast(stamp)

    return pa.Table.from_arrays(
        [
            pa.array(rows.asset),
            pa.array(rows.start, mask=rows.start <= MIN_MICROS).cast(stamp),
            pa.array(rows.end, mask=rows.end >= MAX_MICROS).cast(stamp),
            pa.array(rows.weight, mask=np.isnan(rows.weight)),
            known(rows.start),
            known(rows.end),
        ],
        schema=interval_schema(),
    )
