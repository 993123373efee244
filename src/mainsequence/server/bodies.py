"""Bodies of requests, up to a length; bodies of answers, compressed where the client can read that."""

import asyncio
import gzip
import re
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mainsequence.contract.wire import JSON
from mainsequence.errors import RequestTooLargeError, ValidationError

WORTH_COMPRESSING = 1_024
_GZIP = re.compile(r"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)", re.IGNORECASE)
PATIENCE_SECONDS = 20
SLOWEST_BYTES_PER_SECOND = 10_000
"""A body has this long to come, and more for what came of it at this rate: then its sender is given up."""


async def read(request: Request, limit: int) -> bytes:
    """Read a whole body.

    Raises
    ------
    RequestTooLargeError
        It is longer than the limit; the rest is not read.
    HTTPException
        408: it came too slowly.
    """
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    parts, length = [], 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS) as patience:
            began = asyncio.get_running_loop().time()
            async for part in request.stream():
                length += len(part)
                if length > limit:
                    raise _too_large(limit)
                parts.append(part)
                patience.reschedule(began + PATIENCE_SECONDS + length / SLOWEST_BYTES_PER_SECOND)
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"}) from None
    return b"".join(parts)


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(
        f"The body is longer than {limit:,} bytes.", hint="Send less at a time, or start the server with --max-body."
    )


def parameters(request: Request) -> dict[str, str]:
    """Read the parameters of the address.

    Raises
    ------
    ValidationError
        One is given twice.
    """
    given = request.query_params.multi_items()
    if len(dict(given)) != len(given):
        raise ValidationError("A parameter is given twice.", hint="Give each once.")
    return dict(given)


def takes_gzip(request: Request) -> bool:
    """Say whether a client reads compressed answers."""
    return _GZIP.search(request.headers.get("Accept-Encoding", "")) is not None


def answer(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """Give a successful answer; tables are compressed already."""
    if not content:
        return Response(status_code=204, headers=headers)
    if media_type == JSON:
        headers["Vary"] = "Accept-Encoding"
        if len(content) >= WORTH_COMPRESSING and takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            content = gzip.compress(content, 1, mtime=0)
    return Response(content, headers=headers, media_type=media_type)
