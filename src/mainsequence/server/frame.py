"""What surrounds every request: its id, a line in the log, headers that keep browsers careful."""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders

from mainsequence.logs import get_logger
from mainsequence.server.problems import respond_failure

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID = "X-Request-ID"
_ID_SHAPE = re.compile(r"[A-Za-z0-9._-]{1,64}")

CAREFUL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
DOCUMENTATION = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "frame-ancestors 'none'"
)

logger = get_logger("mainsequence.server.requests")


class Frame:
    """Wraps an application.

    Parameters
    ----------
    application
        What answers requests.
    documentation
        The path of the interactive documentation, the one page that loads scripts.
    """

    def __init__(self, application: Application, documentation: str) -> None:
        self.application = application
        self.documentation = documentation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        await _Exchange(scope, send, self.documentation).run(self.application, receive)


class _Exchange:
    def __init__(self, scope: Scope, send: Send, documentation: str) -> None:
        given = Headers(scope=scope).get(REQUEST_ID, "")
        self.id = given if _ID_SHAPE.fullmatch(given) else uuid4().hex
        self.scope, self.forward, self.documentation = scope, send, documentation
        self.began, self.status = time.perf_counter(), 0
        scope.setdefault("state", {})["request_id"] = self.id

    async def run(self, application: Application, receive: Receive) -> None:
        try:
            await application(self.scope, receive, self.send)
        except Exception:
            logger.exception("failed", extra=self.facts())
            if not self.status:  # where an answer has begun, the server closes the connection
                await respond_failure(self.id)(self.scope, receive, self.send)
        finally:
            logger.info("%(method)s %(path)s %(status)s", self.facts(), extra=self.facts())

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.id
            for name, value in CAREFUL.items():
                headers.setdefault(name, value)
            page = self.scope["path"] == self.documentation
            headers.setdefault("Content-Security-Policy", DOCUMENTATION if page else NO_PAGE)
        await self.forward(message)

    def facts(self) -> dict[str, Any]:
        state = self.scope.get("state", {})
        return {
            "request_id": self.id,
            "method": self.scope["method"],
            "path": self.scope["path"],
            "status": self.status,
            "operation": state.get("operation"),
            "actor": state.get("actor"),
            "client": (self.scope.get("client") or ("",))[0],
            "milliseconds": round((time.perf_counter() - self.began) * 1000, 1),
        }
