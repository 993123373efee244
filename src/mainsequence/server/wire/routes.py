"""Every address of this face, mounted beside the platform's own."""

from starlette.routing import Route

from mainsequence.platform.platform import Platform
from mainsequence.server.auth import Guard
from mainsequence.server.sessions import Sessions
from mainsequence.server.wire import (
    assets,
    auth,
    browser,
    categories,
    groups,
    imports,
    index_assets,
    portfolios,
    routing,
)
from mainsequence.server.wire.exchange import Endpoint, Face

FACES: tuple[Face, ...] = (
    *assets.FACES,
    *index_assets.FACES,
    *categories.FACES,
    *routing.FACES,
    *portfolios.FACES,
    *groups.FACES,
    *auth.FACES,
    *browser.FACES,
    *imports.FACES,
)


def routes(platform: Platform, guard: Guard, sessions: Sessions, body_limit: int) -> list[Route]:
    """Give the route of every address."""
    endpoints = (Endpoint(face, platform, guard, sessions, body_limit) for face in FACES)
    return [*(endpoint.route() for endpoint in endpoints), browser.route(sessions)]
