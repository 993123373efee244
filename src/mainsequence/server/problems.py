"""Every error as an RFC 9457 problem document, those of the framework too."""

from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mainsequence.contract.problems import MEDIA_TYPE, to_problem
from mainsequence.errors import (
    AuthenticationError,
    BusyError,
    MainSequenceError,
    NotFoundError,
    TooManyRequestsError,
    UnreachableStorageError,
)


def respond(error: MainSequenceError) -> Response:
    """Give the answer that carries an error."""
    headers = {}
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, BusyError | UnreachableStorageError):
        headers["Retry-After"] = "1"
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.context["retry_after"])
    return _document(to_problem(error), error.status, headers)


async def respond_framework(request: Request, error: Any) -> Response:
    """Give the answer for what the framework refuses (no such address, no such method there), or for a failure."""
    if not isinstance(error, HTTPException):
        return respond_failure(request.state.request_id)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return respond(NotFoundError("There is nothing at this address.", hint="/openapi.json lists every address."))
    status = HTTPStatus(error.status_code)
    return refuse(status, f"{status.description or status.phrase}.", dict(error.headers or {}))


def refuse(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Give the answer for a request that is refused before any operation begins."""
    code = f"http.{status.phrase.lower().replace(' ', '_').replace('-', '_')}"
    problem = {"type": f"urn:mainsequence:error:{code}", "title": status.phrase, "status": int(status)}
    return _document(problem | {"detail": detail, "code": code, "hint": None, "context": {}}, status, headers or {})


def respond_failure(request_id: str) -> Response:
    """Give the answer for a failure of the server itself; what happened is in its log only."""
    return respond(
        MainSequenceError("The server failed.", hint=f"Its log says why, under the request id {request_id}.")
    )


def _document(problem: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    content = to_json(problem, inf_nan_mode="null", fallback=str)
    return Response(content, status, headers, media_type=MEDIA_TYPE)
