"""Whether the server runs, and whether it can work: for those who restart it and those who send it requests."""

from collections.abc import Callable

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mainsequence.domain.access import LOCAL_OWNER
from mainsequence.errors import MainSequenceError
from mainsequence.platform.platform import Platform
from mainsequence.server.problems import respond


def routes(platform: Platform) -> list[Route]:
    """Give ``/healthz`` and ``/readyz``; neither asks for a token."""
    return [Route("/healthz", _alive, methods=["GET"]), Route("/readyz", _readiness(platform), methods=["GET"])]


def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


def _readiness(platform: Platform) -> Callable[[Request], Response]:
    def ready(_request: Request) -> Response:
        try:
            with platform.work(LOCAL_OWNER, writes=False) as work:
                work.connection.execute(text("SELECT version_num FROM alembic_version"))
        except MainSequenceError as error:
            return respond(error)
        return JSONResponse({"status": "ready"})

    return ready
