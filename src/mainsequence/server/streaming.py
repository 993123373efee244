"""Answers that are sent while they are made, so that the server never holds more than a part of them.

An answer that fails half way is cut off: the connection closes before the end, which the client sees and asks again.
"""

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.requests import Request
from starlette.responses import StreamingResponse

from mainsequence.contract import arrow
from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import JSON
from mainsequence.server import bodies

if TYPE_CHECKING:
    import pyarrow as pa

LARGE = 4 * 1024 * 1024
"""From how many bytes on a table is written part by part."""

PART = 1024 * 1024
"""About how many bytes are sent at once."""

THREADS_ON_SERIES = 24
_ON_SERIES: RunVar[CapacityLimiter] = RunVar("threads on series")


def on_series() -> CapacityLimiter:
    """Give what limits the threads that work on series, so that a store that hangs leaves threads for all the rest."""
    limiter = _ON_SERIES.get(None)
    if limiter is None:
        limiter = CapacityLimiter(THREADS_ON_SERIES)
        _ON_SERIES.set(limiter)
    return limiter


def is_large(operation: Operation[Any, Any], found: Any) -> bool:
    """Say whether an answer is a table that is better sent in parts."""
    return operation.gives is ArrowTable and found.nbytes >= LARGE


def table(found: "pa.Table") -> StreamingResponse:
    """Send a table that is in memory, without a second copy of it."""
    return batches(found.to_reader(max_chunksize=arrow.ROWS_AT_ONCE))


def batches(reader: "pa.RecordBatchReader") -> StreamingResponse:
    """Send record batches as an Arrow stream; the first is made before anything is sent, so that it may be refused."""
    parts = arrow.encode_batches(reader)
    return StreamingResponse(_sent(_from_first(parts), are_series=True), media_type=arrow.MEDIA_TYPE)


def json(request: Request, parts: Iterator[bytes]) -> StreamingResponse:
    """Send JSON that is made part by part, compressed where that is understood; the first part as in `batches`."""
    headers = {"Vary": "Accept-Encoding"}
    made = _from_first(parts)
    if bodies.takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        made = _compressed(made)
    return StreamingResponse(_sent(made), headers=headers, media_type=JSON)


def _from_first(parts: Iterator[bytes]) -> Iterator[bytes]:
    first = next(parts, b"")

    def whole() -> Iterator[bytes]:
        yield first
        yield from parts

    return whole()


def _compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for part in parts:
        packed = packer.compress(part)
        if packed:
            yield packed
    yield packer.flush()


async def _sent(parts: Iterator[bytes], *, are_series: bool = False) -> AsyncIterator[bytes]:
    limiter = on_series() if are_series else None
    while part := await to_thread.run_sync(_gathered, parts, limiter=limiter):
        yield part


def _gathered(parts: Iterator[bytes]) -> bytes:
    """Give the next parts, about a mebibyte of them; nothing at the end."""
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size >= PART:
            break
    return b"".join(found)
