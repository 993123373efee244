"""Columnar series on Delta Lake; polars inside, Arrow at the edge."""

from mainsequence.contract.arrow import WideMatrix
from mainsequence.platform.lake.lake import Lake

__all__ = ["Lake", "WideMatrix"]
