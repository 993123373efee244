"""Routes, built from the list of operations: no address is written here."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from types import NoneType
from typing import Any, TypeVar

from anyio import to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mainsequence.contract.catalogue import operations
from mainsequence.contract.categories import ASSET_IDS
from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import (
    IDEMPOTENCY_KEY,
    PREFIX,
    media_type,
    read_body,
    read_parameters,
    write_answer,
)
from mainsequence.domain.access import Actor
from mainsequence.errors import MainSequenceError, ValidationError
from mainsequence.platform.platform import Platform, permitted
from mainsequence.platform.registry.idempotency import Once
from mainsequence.platform.written import WRITERS, Written
from mainsequence.server import bodies, revisions, streaming
from mainsequence.server.auth import Guard
from mainsequence.server.metrics import Metrics
from mainsequence.server.paths import number_in, only
from mainsequence.server.problems import refuse, respond
from mainsequence.server.remembered import Answer, Remembered

KEY_SHAPE = re.compile(r"[!-~]{1,200}")
Done = TypeVar("Done")
QUICK_THREADS = 2
"""How many short readings are carried out at once: more threads of one interpreter would only wait for each other."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What every endpoint needs.

    Parameters
    ----------
    platform, guard
        What carries operations out, and who asks.
    body_limit
        The longest body of a request, in bytes.
    remembered
        Answers and bearers that still hold.
    quick
        The threads of short readings.
    metrics
        Counts what was answered from memory.
    """

    platform: Platform
    guard: Guard
    body_limit: int
    remembered: Remembered
    quick: ThreadPoolExecutor
    metrics: Metrics


def routes(serving: Serving) -> list[Route]:
    """Give the route of every operation."""
    return [Endpoint(serving, operation).route() for operation in operations().values()]


class Endpoint:
    """Where one operation is asked for over HTTP."""

    def __init__(self, serving: Serving, operation: Operation[Any, Any]) -> None:
        self.serving, self.operation = serving, operation
        self.platform, self.guard, self.remembered = serving.platform, serving.guard, serving.remembered
        self.gives = media_type(operation.gives)
        self.is_on_series = operation.name.startswith("series.")
        self.is_quick = operation is ASSET_IDS or (operation.name.endswith(".get") and not self.is_on_series)
        self.is_remembered = operation.method == "GET" and operation.name in WRITERS

    def route(self) -> Route:
        """Give the route; HEAD is not answered."""
        return only({self.operation.method}, f"{PREFIX}{self.operation.path}", self.answer)

    async def answer(self, request: Request) -> Response:
        """Answer one request: from memory where it still holds, else in a thread."""
        request.state.operation, request.state.writes = self.operation.name, self.operation.writes
        version = await self.remembered.look()
        key = _key(request) if self.is_remembered else None
        held = None if key is None else self.remembered.answer(key)
        if held is not None:
            request.state.actor = held.actor
            self.serving.metrics.remembered.inc()
            return _again(held)
        try:
            secret = self.guard.secret_of(request.headers.get("Authorization"))
            content = await bodies.read(request, self.serving.body_limit)
            refused = self._media_refusal(request, content)
            if refused is not None:
                return refused
            return await self._in_a_thread(request, version, key, secret, content)
        except MainSequenceError as error:
            return respond(error)

    async def _in_a_thread(
        self, request: Request, version: object, key: Any, secret: str | None, content: bytes
    ) -> Response:
        bearer = None if secret is None else self.remembered.bearer(secret)
        work = partial(self._carry_out, request, secret, bearer, content)
        actor, response, until = await self._where_it_belongs(work)
        if secret is not None and bearer is None:
            self.remembered.introduce(version, secret, actor)
        if key is not None and until:
            self._keep(version, key, response, actor, until)
        return response

    async def _where_it_belongs(self, work: Callable[[], Done]) -> Done:
        """Do work in a thread of its kind: where series are slow to come, others still have theirs."""
        if self.is_on_series:
            return await to_thread.run_sync(work, limiter=streaming.on_series())
        return await (self._quickly(work) if self.is_quick else run_in_threadpool(work))

    async def _quickly(self, work: Callable[[], Done]) -> Done:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.serving.quick, copy_context().run, work)

    def _keep(self, version: object, key: Any, response: Response, actor: Actor, until: int) -> None:
        answer = Answer(
            response.status_code, response.raw_headers, bytes(response.body), actor.name, self.operation.name
        )
        self.remembered.keep(version, key, answer, until)

    def _media_refusal(self, request: Request, content: bytes) -> Response | None:
        expected = None if self.operation.takes_parameters else media_type(self.operation.takes)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Bodies are taken uncompressed.")
        given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if expected is None or given == expected or (not content and self.operation.takes is NoneType):
            return None
        return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {expected}, got {given or 'no type'}.")

    def _carry_out(
        self, request: Request, secret: str | None, bearer: Actor | None, content: bytes
    ) -> tuple[Actor, Response, int]:
        """Give who asked, the answer, and until when it holds where nothing is written (0: not known)."""
        actor = bearer or self.guard.actor(secret)
        request.state.actor = actor.name
        permitted(actor, self.operation)
        path = {name: number_in(value) for name, value in request.path_params.items()}
        body = revisions.with_condition(self.operation, self._body(request, content), request.headers.get("If-Match"))
        if not self.operation.writes:
            return self._read(request, actor, body, path)
        once = self._once(request, content)
        if once is None:
            found = self.platform.call_as(actor, self.operation, body, **path)
        else:
            found = self.platform.call_once(actor, once, self.operation, body, **path)
        return actor, self._respond(request, found), 0

    def _read(self, request: Request, actor: Actor, body: Any, path: dict[str, int]) -> tuple[Actor, Response, int]:
        known = revisions.known(request.headers.get("If-None-Match"))
        written = self.platform.write_as(actor, self.operation, body, known, **path)
        if written is not None:
            return actor, self._written(request, written), written.until
        reader = self.platform.stream_as(actor, self.operation, body, **path)
        if reader is not None:
            return actor, streaming.batches(reader), 0
        found = self.platform.call_as(actor, self.operation, body, **path)
        return actor, self._respond(request, found), 0

    def _written(self, request: Request, written: Written) -> Response:
        headers = {} if written.tag is None else {"ETag": f'"{written.tag}"'}
        if written.parts is not None:
            return streaming.json(request, written.parts)
        if written.content is None:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return bodies.answer(request, written.content, self.gives, headers)

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
        if streaming.is_large(self.operation, found):
            return streaming.table(found)
        content = write_answer(self.operation, found)
        headers: dict[str, str] = {}
        tag = revisions.etag(found, content)
        if tag is not None:
            headers["ETag"] = tag
            if not self.operation.writes and revisions.known(request.headers.get("If-None-Match")) == tag.strip('"'):
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return bodies.answer(request, content, self.gives, headers)


def _key(request: Request) -> Any:
    """Give all of a request that its answer depends on."""
    scope, headers = request.scope, request.headers
    varying = (headers.get("Authorization"), headers.get("Accept-Encoding"), headers.get("If-None-Match"))
    return scope["path"], scope["query_string"], *varying, headers.get("If-Match"), headers.get("Content-Encoding")


def _again(answer: Answer) -> Response:
    response = Response(answer.content, answer.status)
    response.raw_headers = list(answer.headers)
    return response
