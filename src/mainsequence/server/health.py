"""Whether the server runs, whether it can work, what it counted: for those who watch it."""

from collections.abc import Callable

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mainsequence.domain.access import LOCAL_ORGANIZATION, LOCAL_OWNER, Role
from mainsequence.errors import BusyError, MainSequenceError, PermissionDeniedError
from mainsequence.platform.platform import Platform
from mainsequence.server.auth import Guard
from mainsequence.server.frame import Lifecycle
from mainsequence.server.metrics import CONTENT_TYPE, Metrics
from mainsequence.server.problems import respond


def routes(platform: Platform, guard: Guard, metrics: Metrics, lifecycle: Lifecycle) -> list[Route]:
    """Give ``/healthz`` and ``/readyz``, without a token, and ``/metrics``, with one of who runs the server."""
    return [
        Route("/healthz", _alive, methods=["GET"]),
        Route("/readyz", _readiness(platform, lifecycle), methods=["GET"]),
        Route("/metrics", _counters(guard, metrics), methods=["GET"]),
    ]


def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


def _readiness(platform: Platform, lifecycle: Lifecycle) -> Callable[[Request], Response]:
    def ready(_request: Request) -> Response:
        if lifecycle.leaving:
            return respond(BusyError("The server is about to stop.", hint="Ask another one, or this one again soon."))
        try:
            with platform.work(LOCAL_OWNER, writes=False) as work:
                work.connection.execute(text("SELECT version_num FROM alembic_version"))
        except MainSequenceError as error:
            return respond(error)
        return JSONResponse({"status": "ready"})

    return ready


def _counters(guard: Guard, metrics: Metrics) -> Callable[[Request], Response]:
    def counters(request: Request) -> Response:
        try:
            actor = guard.actor(guard.secret_of(request.headers.get("Authorization")))
            if actor.role < Role.ADMIN or actor.organization_id != LOCAL_ORGANIZATION:
                raise PermissionDeniedError(
                    "The server's counters are for administrators of its first organization.",
                    hint="Give Prometheus the token of one.",
                )
        except MainSequenceError as error:
            return respond(error)
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return counters
