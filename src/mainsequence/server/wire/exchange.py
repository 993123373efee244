"""One request of the vendor's client: who asks, what was given, and how it is answered or refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from pydantic_core import from_json, to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mainsequence.contract.operation import In, Operation, Out
from mainsequence.contract.wire import JSON
from mainsequence.domain.access import Actor
from mainsequence.domain.values import Value
from mainsequence.errors import (
    AlreadyExistsError,
    AuthenticationError,
    MainSequenceError,
    UnknownAssetsError,
    ValidationError,
)
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry.idempotency import Once
from mainsequence.server import bodies
from mainsequence.server.addresses import address_of
from mainsequence.server.auth import Guard
from mainsequence.server.paths import number_in, only
from mainsequence.server.problems import respond
from mainsequence.server.sessions import Sessions

REFUSED_AS_BAD = (AlreadyExistsError, UnknownAssetsError)
"""Errors that this client knows as bad requests."""

OPEN_LIMIT = 64 * 1024
"""Bytes of the longest body where nobody says who they are."""

_TOLD = ("WWW-Authenticate", "Retry-After")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read.

    Parameters
    ----------
    platform, sessions
        What carries operations out, and who is logged in.
    actor
        Who asks; ``None`` where the address is open to everybody.
    given
        Parameters of the address.
    body
        The body's JSON; ``None`` without a body.
    address
        The address as the client knows it, absolute, without parameters.
    key
        The id in the path.
    client
        The address of who asks.
    """

    platform: Platform
    sessions: Sessions
    actor: Actor | None
    given: dict[str, str]
    body: Any
    address: str
    key: int = 0
    client: str = ""

    def ask(self, operation: Operation[In, Out], body: In, /, **path: int) -> Out:
        """Carry out one operation for who asks."""
        return self.platform.call_as(self._known(), operation, body, **path)

    def ask_once(self, operation: Operation[In, Out], body: In, /, **path: int) -> Out:
        """Carry out one operation that must not fail when it is repeated, as this client sends no keys of its own."""
        key = f"wire {operation.name} {path}"
        return self.platform.call_once(self._known(), Once(key, ""), operation, body, **path)

    def read(self, operation: Operation[In, Out], body: In, /, **path: int) -> Any:
        """Carry out one reading that is written straight from rows, and give its answer as plain JSON: no models."""
        written = self.platform.write_as(self._known(), operation, body, None, **path)
        if written is None or written.content is None:
            raise LookupError(f"{operation.name} is not written straight from rows.")
        return orjson.loads(written.content)

    def _known(self) -> Actor:
        if self.actor is None:
            raise AuthenticationError("Nobody asked.", hint="Send a token.")
        return self.actor

    def fields(self) -> dict[str, Any]:
        """Give the body's object.

        Raises
        ------
        ValidationError
            The body is something else.
        """
        if isinstance(self.body, dict):
            return self.body
        raise ValidationError("The body must be a JSON object.", hint='Send {"name": value, …}.')


Answer = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Face:
    """One address, and the function that answers there.

    Parameters
    ----------
    method, path
        Where it stands; ``{key}`` is the id of an object.
    answer
        Gives what is written as JSON; ``None`` for no content.
    status
        The status of success, exactly as this client expects it.
    is_open
        Whether it is answered without credentials, and whatever credentials come along.
    """

    method: str
    path: str
    answer: Answer
    status: int = HTTPStatus.OK
    is_open: bool = field(default=False, kw_only=True)

    @property
    def writes(self) -> bool:
        """Whether something may change; queries are posted too."""
        return self.method != "GET" and not self.path.endswith("/query/")


class Endpoint:
    """Answers the requests for one face."""

    def __init__(self, face: Face, platform: Platform, guard: Guard, sessions: Sessions, body_limit: int) -> None:
        self.face, self.platform, self.guard, self.sessions = face, platform, guard, sessions
        self.body_limit = min(body_limit, OPEN_LIMIT) if face.is_open else body_limit

    def route(self) -> Route:
        """Give the route; HEAD is not answered."""
        return only({self.face.method}, self.face.path, self.answer)

    async def answer(self, request: Request) -> Response:
        """Answer one request; the work runs in a thread."""
        request.state.operation = f"wire {self.face.method} {self.face.path}"
        request.state.writes = self.face.writes
        try:
            secret = None if self.face.is_open else self.guard.secret_of(request.headers.get("Authorization"))
            content = await bodies.read(request, self.body_limit)
            return await run_in_threadpool(self._carry_out, request, secret, content)
        except MainSequenceError as error:
            return refusal(error)

    def _carry_out(self, request: Request, secret: str | None, content: bytes) -> Response:
        actor = None if self.face.is_open else self.guard.actor(secret)
        request.state.actor = None if actor is None else actor.name
        call = Call(
            self.platform,
            self.sessions,
            actor,
            bodies.parameters(request),
            _body(request, content),
            address_of(request),
            number_in(request.path_params.get("key", "0")),
            "" if request.client is None else request.client.host,
        )
        return written(request, self.face.status, self.face.answer(call))


def _body(request: Request, content: bytes) -> Any:
    if not content:
        return None
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != JSON:
        raise ValidationError("The body must be JSON.", hint="Send the header Content-Type: application/json.")
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise ValidationError(f"The body is no JSON: {error}.") from None


def written(request: Request, status: int, found: Any) -> Response:
    """Give a successful answer."""
    if found is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    made = bodies.answer(request, orjson.dumps(found, _fields, orjson.OPT_UTC_Z), JSON, {})
    made.status_code = status
    return made


def _fields(shape: Any) -> dict[str, Any]:
    if isinstance(shape, Value):
        return shape.__dict__
    raise TypeError(f"A {type(shape).__name__} is no JSON.")


def refusal(error: MainSequenceError) -> Response:
    """Give the answer that carries an error: this client shows ``detail``, and knows its classes by the status."""
    told = respond(error).headers
    headers = {name: told[name] for name in _TOLD if name in told}
    content = to_json({"detail": str(error)}, inf_nan_mode="null", fallback=str)
    return Response(content, _status(error), headers, media_type=JSON)


def _status(error: MainSequenceError) -> int:
    bad = isinstance(error, REFUSED_AS_BAD) or error.status == HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.BAD_REQUEST if bad else error.status
