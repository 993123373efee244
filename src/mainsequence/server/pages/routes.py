"""Every page, and what they load."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mainsequence.platform.platform import Platform
from mainsequence.server.auth import Guard
from mainsequence.server.pages import (
    assets,
    changes,
    finding,
    log_in,
    members,
    portfolios,
    rendering,
    requests,
    universes,
    verifying,
    what_if,
)
from mainsequence.server.pages.endpoint import ROOT, Endpoint
from mainsequence.server.pages.visits import Page, Shown
from mainsequence.server.sessions import Sessions

PAGES: tuple[Page, ...] = (
    *universes.PAGES,
    *members.PAGES,
    *what_if.PAGES,
    *verifying.PAGES,
    *assets.PAGES,
    *requests.PAGES,
    *changes.PAGES,
    *portfolios.PAGES,
    *finding.PAGES,
)


def routes(platform: Platform, guard: Guard, sessions: Sessions) -> list[Route]:
    """Give the route of every page."""
    endpoints = (Endpoint(page, platform, guard, sessions) for page in (*PAGES, *log_in.pages(guard)))
    return [
        Route("/", _home, methods=["GET"]),
        Route(ROOT, _home, methods=["GET"]),
        Route(f"{ROOT}/style.css", _style, methods=["GET"]),
        *(endpoint.route() for endpoint in endpoints),
        Route(f"{ROOT}/{{rest:path}}", _nothing, methods=["GET"]),
    ]


def _home(_request: Request) -> Response:
    return RedirectResponse(f"{ROOT}/")


def _nothing(_request: Request) -> Response:
    told = {"title": "Not Found", "message": "There is nothing at this address.", "hint": None}
    return rendering.page(Shown("refusal.html", told, HTTPStatus.NOT_FOUND), None, logged_in=False)


def _style(_request: Request) -> Response:
    return Response(rendering.style(), headers={"Cache-Control": "no-cache"}, media_type="text/css")
