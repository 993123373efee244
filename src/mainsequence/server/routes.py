"""Routes, built from the list of operations: no address is written here."""

import re
from hashlib import sha256
from http import HTTPStatus
from types import NoneType
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mainsequence.contract.catalogue import operations
from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import (
    IDEMPOTENCY_KEY,
    PREFIX,
    media_type,
    read_body,
    read_parameters,
    write_answer,
)
from mainsequence.errors import MainSequenceError, NotFoundError, ValidationError
from mainsequence.platform.platform import Platform, permitted
from mainsequence.platform.registry.idempotency import Once
from mainsequence.server import bodies, revisions
from mainsequence.server.auth import Guard
from mainsequence.server.problems import refuse, respond

KEY_SHAPE = re.compile(r"[!-~]{1,200}")
LONGEST_ID = 18
"""Digits of an id: what fits into 64 bits."""


def routes(platform: Platform, guard: Guard, body_limit: int) -> list[Route]:
    """Give the route of every operation."""
    return [Endpoint(platform, guard, body_limit, operation).route() for operation in operations().values()]


class Endpoint:
    """Where one operation is asked for over HTTP."""

    def __init__(self, platform: Platform, guard: Guard, body_limit: int, operation: Operation[Any, Any]) -> None:
        self.platform, self.guard, self.body_limit, self.operation = platform, guard, body_limit, operation
        self.gives = media_type(operation.gives)

    def route(self) -> Route:
        """Give the route; HEAD is not answered."""
        made = Route(f"{PREFIX}{self.operation.path}", self.answer, methods=[self.operation.method])
        made.methods = {self.operation.method}
        return made

    async def answer(self, request: Request) -> Response:
        """Answer one request; the work runs in a thread."""
        request.state.operation = self.operation.name
        try:
            secret = self.guard.secret_of(request.headers.get("Authorization"))
            content = await bodies.read(request, self.body_limit)
            refused = self._media_refusal(request, content)
            if refused is not None:
                return refused
            return await run_in_threadpool(self._carry_out, request, secret, content)
        except MainSequenceError as error:
            return respond(error)

    def _media_refusal(self, request: Request, content: bytes) -> Response | None:
        expected = None if self.operation.takes_parameters else media_type(self.operation.takes)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Bodies are taken uncompressed.")
        given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if expected is None or given == expected or (not content and self.operation.takes is NoneType):
            return None
        return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {expected}, got {given or 'no type'}.")

    def _carry_out(self, request: Request, secret: str | None, content: bytes) -> Response:
        actor = self.guard.actor(secret)
        request.state.actor = actor.name
        permitted(actor, self.operation)
        path = {name: _id(value) for name, value in request.path_params.items()}
        body = revisions.with_condition(self.operation, self._body(request, content), request.headers.get("If-Match"))
        once = self._once(request, content)
        if once is None:
            found = self.platform.call_as(actor, self.operation, body, **path)
        else:
            found = self.platform.call_once(actor, once, self.operation, body, **path)
        return self._respond(request, found)

    def _body(self, request: Request, content: bytes) -> Any:
        given = bodies.parameters(request)
        if self.operation.takes_parameters:
            return read_parameters(self.operation, given)
        if given:
            raise ValidationError(f"{self.operation.name} takes no parameters, got {', '.join(given)}.")
        return read_body(self.operation, content)

    def _once(self, request: Request, content: bytes) -> Once | None:
        key = request.headers.get(IDEMPOTENCY_KEY)
        if key is None or not self.operation.writes or self.operation.answer_is_secret:
            return None
        if not KEY_SHAPE.fullmatch(key):
            raise ValidationError("An idempotency key has 1 to 200 printable ASCII characters and no blanks.")
        asked = sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
        asked.update(request.headers.get("If-Match", "").encode() + b"\n" + content)
        return Once(key, asked.hexdigest())

    def _respond(self, request: Request, found: Any) -> Response:
        content = write_answer(self.operation, found)
        headers: dict[str, str] = {}
        tag = revisions.etag(found, content)
        if tag is not None:
            headers["ETag"] = tag
            if not self.operation.writes and request.headers.get("If-None-Match") == tag:
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return bodies.answer(request, content, self.gives, headers)


def _id(value: str) -> int:
    if value.isascii() and value.isdecimal() and len(value) <= LONGEST_ID:
        return int(value)
    raise NotFoundError(f"There is nothing with the id {value[:40]!r}.", hint="Ids are whole numbers.")
