"""The remote carrier: operations over HTTP, repeated where an answer was lost."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
from pydantic_core import from_json

from mainsequence.contract import problems
from mainsequence.contract.arrow import ArrowTable, decode_parts
from mainsequence.contract.operation import In, Operation, Out
from mainsequence.contract.queries import MAX_PAGE
from mainsequence.contract.wire import (
    IDEMPOTENCY_KEY,
    PREFIX,
    media_type,
    read_answer,
    write_body,
    write_parameters,
)
from mainsequence.errors import AuthenticationError, ConfigurationError, MainSequenceError, TransportError

TIMEOUT = httpx.Timeout(connect=10, read=300, write=300, pool=60)
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)

_PASSING = {429, 502, 503, 504}
"""Statuses of a server that may do better in a moment."""

_LOST = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and how far apart, something is asked again.

    Parameters
    ----------
    attempts
        How many times in all: enough to outlast the restart of a server, about half a minute.
    at_first
        How many times in all where there is no connection and never was one: rather the address is wrong.
    first, longest
        Seconds before the second attempt, doubling up to the longest; half of each wait is left to chance.
    longest_asked
        Seconds for which a server may tell a client to wait (``Retry-After``); one that asks for more is not asked
        again, its refusal is raised.
    """

    attempts: int = 13
    at_first: int = 4
    first: float = 0.2
    longest: float = 4.0
    longest_asked: float = 60.0

    def wait(self, attempt: int, asked: float = 0.0) -> float:
        """Give the seconds to wait after an attempt (from 1): never fewer than the server asks for."""
        longest = min(self.longest, self.first * 2 ** (attempt - 1))
        own: float = longest * random.uniform(0.5, 1.0)  # noqa: S311 (spreads load, keeps no secret)
        return max(asked, own)


class HttpCarrier:
    """Carries operations to a server.

    Connections are kept and shared by threads; a forked process makes its own. Every write carries an idempotency key:
    repeated after a lost answer it changes nothing twice.

    Parameters
    ----------
    endpoint
        Address of the server, ``https://…``.
    token
        Access token.
    patience
        How often something is asked again that met a lost connection or a busy server.
    transport
        Another transport of httpx, for proxies of one's own.

    Raises
    ------
    ConfigurationError
        The address cannot be one of a server.
    AuthenticationError
        The token cannot be one.
    """

    at_once: int | None = MAX_PAGE
    """More objects cross in several answers, so that neither end holds the text of all of them."""

    def __init__(
        self,
        endpoint: str,
        token: str | None = None,
        *,
        patience: Patience = Patience(),
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if token is not None and not (token.isascii() and token.isprintable()):
            raise AuthenticationError("The token holds characters that no token has.", hint="Copy it again, whole.")
        self.endpoint = endpoint.rstrip("/")
        self._headers = {"User-Agent": "mainsequence-platform"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        self._patience, self._transport, self._sleep = patience, transport, sleep
        self._answered = False
        self._open()

    def _open(self) -> None:
        self._process = os.getpid()
        encrypted = self.endpoint.startswith("https://")
        try:
            self._client = httpx.Client(
                base_url=f"{self.endpoint}{PREFIX}",
                headers=self._headers,
                timeout=TIMEOUT,
                limits=LIMITS,
                transport=self._transport,
                verify=encrypted,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigurationError(
                f"{self.endpoint!r} is no address of a server: {error}.", hint="Write it like https://host:8000."
            ) from None

    def call(self, operation: Operation[In, Out], body: In, /, **path: int | str) -> Out:
        """Carry out one operation on the server.

        Raises
        ------
        MainSequenceError
            The error that the platform raised there, of the same class.
        TransportError
            The server could not be reached, or its answer was not understood.
        """
        if self._process != os.getpid():
            self._open()
        answer: Out = self._send(operation, self._request(operation, body, path))
        return answer

    def _request(self, operation: Operation[Any, Any], body: Any, path: dict[str, int | str]) -> httpx.Request:
        headers = {"Accept": f"{media_type(operation.gives)}, {problems.MEDIA_TYPE}"}
        if operation.writes:
            headers[IDEMPOTENCY_KEY] = uuid4().hex
        target = operation.path.format(**path)
        if operation.takes_parameters:
            parameters = write_parameters(operation, body)
            return self._client.build_request(operation.method, target, params=parameters, headers=headers)
        headers["Content-Type"] = media_type(operation.takes)
        return self._client.build_request(
            operation.method, target, content=write_body(operation, body), headers=headers
        )

    def _send(self, operation: Operation[Any, Any], request: httpx.Request) -> Any:
        for attempt in count(1):
            asked = 0.0
            try:
                response, answer = self._exchange(operation, request)
            except httpx.TransportError as error:
                stranger = _never_sent(error) and not self._answered
                patience = self._patience.at_first if stranger else self._patience.attempts
                if attempt >= patience or not _may_repeat(operation, error):
                    raise self._unreached(operation, error, attempt) from error
            else:
                self._answered = True
                last = attempt >= self._patience.attempts
                if response.is_success:
                    return answer
                asked = _asked(response.headers.get("Retry-After"))
                passing = response.status_code in _PASSING and asked <= self._patience.longest_asked
                if last or operation.answer_is_secret or not passing:
                    raise self._refusal(response)
            self._sleep(self._patience.wait(attempt, asked))
        raise AssertionError("unreachable")

    def _exchange(self, operation: Operation[Any, Any], request: httpx.Request) -> tuple[httpx.Response, Any]:
        """Send a request once; tables are read while they arrive."""
        response = self._client.send(request, stream=True)
        try:
            if response.is_success and operation.gives is ArrowTable:
                return response, decode_parts(response.iter_bytes())
            content = response.read()
        finally:
            response.close()
        return response, read_answer(operation, content) if response.is_success else None

    def _unreached(self, operation: Operation[Any, Any], error: httpx.TransportError, attempts: int) -> TransportError:
        tried = f" after {attempts} attempts" if attempts > 1 else ""
        what = str(error) or type(error).__name__
        lost = operation.writes and not _never_sent(error)
        return TransportError(
            f"{operation.name} did not reach {self.endpoint}{tried}: {what}.",
            hint="It may have been carried out; read before you repeat it." if lost else "Is the server running?",
        )

    def _refusal(self, response: httpx.Response) -> MainSequenceError:
        if response.headers.get("Content-Type", "").startswith(problems.MEDIA_TYPE):
            return problems.from_problem(from_json(response.content))
        elsewhere = response.headers.get("Location")
        return TransportError(
            f"{self.endpoint} answered {response.status_code} {response.reason_phrase} and no reason.",
            hint=f"It points to {elsewhere}." if elsewhere else "Is this the address of a platform server?",
        )

    def describe(self) -> str:
        """Say where the platform is."""
        return f"server at {self.endpoint}"

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _asked(retry_after: str | None) -> float:
    """Read the seconds that a server asks to wait: so many, or until a date; 0 where it asks for none."""
    if retry_after is None:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # no date, or one without a zone
        return 0.0


def _may_repeat(operation: Operation[Any, Any], error: httpx.TransportError) -> bool:
    return _never_sent(error) or (isinstance(error, _LOST) and not operation.answer_is_secret)


def _never_sent(error: httpx.TransportError) -> bool:
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
