"""The application: the platform's operations under ``/api/v1``, their documentation, and probes."""

from importlib.metadata import version
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mainsequence.platform.platform import Platform
from mainsequence.server import health, openapi
from mainsequence.server.auth import Guard
from mainsequence.server.frame import Application, Frame
from mainsequence.server.problems import respond_framework
from mainsequence.server.routes import routes
from mainsequence.server.sessions import Sessions
from mainsequence.server.wire.routes import routes as wire_routes
from mainsequence.settings import Settings

BODY_LIMIT = 256 * 1024 * 1024
DOCUMENTATION = "/docs"


def create_app(platform: Platform, *, authentication: bool = True, body_limit: int = BODY_LIMIT) -> Application:
    """Give the application that serves a platform.

    Parameters
    ----------
    platform
        What carries the operations out.
    authentication
        Whether requests need a token. Without, only requests addressed to this machine are answered.
    body_limit
        The longest body of a request, in bytes.
    """
    sessions = Sessions(platform, Settings.from_environment().jwt_key)
    guard = Guard(platform, required=authentication, sessions=sessions)
    app = _Application(
        title="mainsequence-platform",
        summary="Reusable, point-in-time asset universes, and what hangs from them.",
        version=version("mainsequence-platform"),
        docs_url=DOCUMENTATION,
        redoc_url=None,
        exception_handlers={HTTPException: respond_framework, Exception: respond_framework},
        redirect_slashes=False,
    )
    app.router.routes.extend([*health.routes(platform), *routes(platform, guard, body_limit)])
    app.router.routes.extend(wire_routes(platform, guard, sessions, body_limit))
    if not authentication:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]"])
    return Frame(app, DOCUMENTATION)


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
