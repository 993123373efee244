"""What surrounds every request: its id, how much its client may ask for, a line in the log, careful headers."""

import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote
from uuid import uuid4

from starlette.responses import Response

from mainsequence.logs import get_logger
from mainsequence.platform.origin import Origin, asked_from
from mainsequence.server.auth import shown_secret
from mainsequence.server.limits import Buckets, Decision, refused
from mainsequence.server.metrics import Metrics
from mainsequence.server.problems import refuse, respond, respond_failure

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]

_ID_SHAPE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

CAREFUL = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""Headers of every answer that does not say otherwise."""

SECURE = (b"strict-transport-security", b"max-age=31536000")
PROBES = frozenset({"/healthz", "/readyz"})
"""Those who watch the server are never told to come back later."""

logger = get_logger("mainsequence.server.requests")


class Lifecycle:
    """Whether the server is on its way out: it still answers, but wants no new clients."""

    def __init__(self) -> None:
        self.leaving = False
        self.at_the_end: list[Callable[[], Awaitable[None]]] = []


class Frame:
    """Wraps an application.

    Parameters
    ----------
    application
        What answers requests.
    metrics
        Counts them.
    limits
        How much each token, and each address without one, may ask for; ``None`` for as much as they like.
    lifecycle
        Whether the server is on its way out.
    """

    def __init__(
        self, application: Application, metrics: Metrics, limits: Buckets | None, lifecycle: Lifecycle
    ) -> None:
        self.application = application
        self.metrics, self.limits, self.lifecycle = metrics, limits, lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await _Exchange(self, scope, send).run(receive)
        else:
            await self.application(scope, receive, send)


class _Exchange:
    def __init__(self, frame: Frame, scope: Scope, send: Send) -> None:
        given = authorization = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"authorization":
                authorization = value
        self.id = given.decode() if _ID_SHAPE.fullmatch(given) else uuid4().hex
        self.client: str = (scope.get("client") or ("",))[0]
        self.frame, self.scope, self.forward = frame, scope, send
        self.bucket = shown_secret(authorization.decode("latin-1")) or self.client
        self.decision: Decision | None = None
        self.began, self.status = time.perf_counter(), 0
        self.plain: MutableMapping[str, Any] | None = None
        scope.setdefault("state", {})["request_id"] = self.id

    async def run(self, receive: Receive) -> None:
        asked_from.set(Origin("http", self.client or None, self.id))
        self.frame.metrics.in_flight.inc()
        try:
            refusal = self._refusal()
            await (refusal or self.frame.application)(self.scope, receive, self.send)
        except Exception:
            logger.exception("failed", extra=self.facts())
            if not self.status:  # where an answer has begun, the server closes the connection
                await respond_failure(self.id)(self.scope, receive, self.send)
        finally:
            self._finish()

    def _refusal(self) -> Response | None:
        limits = self.frame.limits
        if limits is None or self.scope["path"] in PROBES:
            return None
        self.decision = limits.take(self.bucket)
        if self.decision.allowed:
            return None
        self.frame.metrics.limited.inc()
        return respond(refused("There were too many requests.", self.decision.wait))

    def _finish(self) -> None:
        state, metrics = self.scope["state"], self.frame.metrics
        metrics.in_flight.dec()
        seconds = time.perf_counter() - self.began
        operation, writes = state.get("operation"), state.get("writes", False)
        metrics.count(operation, self.scope["method"], self.status, seconds, writes=writes)
        facts = self.facts()
        logger.info("%(method)s %(path)s %(status)s", facts, extra=facts)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if _is_plain_refusal(message):
                self.plain = message
                return
            message["headers"] = self._complete(message.get("headers", ()))
        elif self.plain is not None:
            await self._refuse(self.plain, message["body"].decode())
            return
        await self.forward(message)

    async def _refuse(self, plain: MutableMapping[str, Any], text: str) -> None:
        """Send a problem document in place of the few words in which what surrounds the application refuses."""
        self.plain = None
        answer = refuse(HTTPStatus(plain["status"]), f"{text.rstrip('.')}.")
        kept = [pair for pair in plain["headers"] if not pair[0].startswith(b"content-")]
        answer.raw_headers.extend(kept)
        await answer(self.scope, _nothing, self.send)

    def _complete(self, headers: RawHeaders) -> list[tuple[bytes, bytes]]:
        made = [*headers, (b"x-request-id", self.id.encode())]
        said = {name for name, _ in made}
        made += [pair for pair in CAREFUL.items() if pair[0] not in said]
        if self.scope["scheme"] == "https":
            made.append(SECURE)
        if self.frame.lifecycle.leaving:
            made.append((b"connection", b"close"))
        if self.decision is not None and self.frame.limits is not None:
            made += _shown(self.decision, self.frame.limits)
        return made

    def facts(self) -> dict[str, Any]:
        state = self.scope["state"]
        return {
            "request_id": self.id,
            "method": self.scope["method"],
            "path": _on_one_line(self.scope["path"]),
            "status": self.status or int(HTTPStatus.INTERNAL_SERVER_ERROR),
            "operation": state.get("operation"),
            "actor": state.get("actor"),
            "client": self.client,
            "milliseconds": round((time.perf_counter() - self.began) * 1000, 1),
        }


def _on_one_line(path: str) -> str:
    return path if path.isprintable() else quote(path)


def _is_plain_refusal(start: MutableMapping[str, Any]) -> bool:
    if start["status"] < HTTPStatus.BAD_REQUEST:
        return False
    kinds = (value for name, value in start.get("headers", ()) if name == b"content-type")
    return next(kinds, b"").startswith(b"text/plain")


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


def _shown(decision: Decision, limits: Buckets) -> list[tuple[bytes, bytes]]:
    """Write the limit in the words of the IETF's RateLimit headers."""
    policy = f'"requests";q={limits.rate.burst};w={limits.rate.window}'
    left = f'"requests";r={decision.remaining};t={decision.reset}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
