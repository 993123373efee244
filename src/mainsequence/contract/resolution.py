"""Everything that can be done with identifiers of other people's lists."""

from typing import TYPE_CHECKING

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import reading
from mainsequence.domain.resolution import ResolutionRequest

if TYPE_CHECKING:
    import pyarrow as pa

RESOLVE = reading(
    "POST",
    "/assets/resolve",
    "assets.resolve",
    ResolutionRequest,
    ArrowTable,
    "Say for each identifier which asset it means, or why none: ambiguous, unmatched, duplicate, delisted, renamed.",
)


def report_schema() -> "pa.Schema":
    """Give the columns of a resolution: one row for each identifier, in the order asked."""
    import pyarrow as pa

    candidate = pa.struct(
        [
            ("asset_id", pa.int64()),
            *((name, pa.string()) for name in ("unique_identifier", "name", "ticker", "exchange_code")),
        ]
    )
    return pa.schema(
        [
            ("identifier", pa.string()),
            ("exchange_code", pa.string()),
            ("outcome", pa.string()),
            ("asset_id", pa.int64()),
            ("unique_identifier", pa.string()),
            ("why", pa.string()),
            ("candidates", pa.list_(candidate)),
            ("nearest", pa.list_(pa.string())),
        ]
    )
