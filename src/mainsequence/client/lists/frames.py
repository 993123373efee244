"""What is asked about weights, as frames."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def weight_frame(table: "pa.Table", sum_to: float, tolerance: float) -> "pd.DataFrame":
    """Give sums of weights as a frame that says which are right."""
    frame: pd.DataFrame = table.to_pandas()
    off = frame["total"] - sum_to
    right = (off.abs() <= tolerance) & (frame["unweighted"] == 0)
    return frame.assign(off_by=off, ok=right | (frame["members"] == 0))
