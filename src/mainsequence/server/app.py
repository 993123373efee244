"""The application: the platform's operations under ``/api/v1``, their documentation, probes and counters."""

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mainsequence.contract.wire import IDEMPOTENCY_KEY
from mainsequence.platform.platform import Platform
from mainsequence.server import documentation, health, openapi
from mainsequence.server.frame import Application, Frame, Lifecycle
from mainsequence.server.limits import Attempts, Buckets, Rate, WatchedGuard
from mainsequence.server.metrics import Metrics
from mainsequence.server.pages.routes import routes as page_routes
from mainsequence.server.problems import respond_framework
from mainsequence.server.remembered import Remembered, changes_of
from mainsequence.server.routes import QUICK_THREADS, Serving, routes
from mainsequence.server.sessions import Sessions
from mainsequence.server.wire.routes import routes as wire_routes
from mainsequence.settings import Settings

BODY_LIMIT = 256 * 1024 * 1024


def create_app(
    platform: Platform,
    *,
    authentication: bool = True,
    body_limit: int = BODY_LIMIT,
    rate: Rate | None = None,
    cors_origins: tuple[str, ...] = (),
    lifecycle: Lifecycle | None = None,
) -> Application:
    """Give the application that serves a platform.

    Parameters
    ----------
    platform
        What carries the operations out.
    authentication
        Whether requests need a token. Without, only requests addressed to this machine are answered.
    body_limit
        The longest body of a request, in bytes.
    rate
        How much each token, and each address without one, may ask for; ``None`` for as much as they like.
    cors_origins
        The origins whose pages may read answers; by default none.
    lifecycle
        Says when the server is on its way out.
    """
    metrics, found = Metrics(platform.engine), lifecycle or Lifecycle()
    attempts = Attempts(metrics.failed_logins.inc)
    sessions = Sessions(platform, Settings.from_environment().jwt_key, attempts.attempt)
    guard = WatchedGuard(platform, attempts, required=authentication, sessions=sessions)
    remembered = Remembered(changes_of(platform.engine), platform.clock)
    found.at_the_end.append(remembered.changes.close)
    quick = ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix="mainsequence-quick")
    app = _Application(
        title="mainsequence-platform",
        summary="Reusable, point-in-time asset universes, and what hangs from them.",
        version=version("mainsequence-platform"),
        docs_url=None,
        redoc_url=None,
        exception_handlers={HTTPException: respond_framework, Exception: respond_framework},
        redirect_slashes=False,
    )
    serving = Serving(platform, guard, body_limit, remembered, quick, metrics)
    app.router.routes.extend([*routes(serving), *health.routes(platform, guard, metrics, found)])
    app.router.routes.extend([*documentation.routes(), *wire_routes(platform, guard, sessions, body_limit)])
    app.router.routes.extend(page_routes(platform, guard, sessions))
    _open_to(app, authentication, cors_origins)
    return Frame(app, metrics, None if rate is None else Buckets(rate), found)


def _open_to(app: FastAPI, authentication: bool, cors_origins: tuple[str, ...]) -> None:
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "If-None-Match", IDEMPOTENCY_KEY],
            expose_headers=["ETag", "X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy"],
        )
    if not authentication:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]"])


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI document, made from the list of operations."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self.title, str(self.summary), self.version)
        return self.openapi_schema


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
