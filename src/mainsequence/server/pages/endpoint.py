"""Answers requests for pages: who looks, may they, and errors as pages."""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mainsequence.domain.access import Actor
from mainsequence.errors import AuthenticationError, MainSequenceError, PermissionDeniedError
from mainsequence.platform.platform import Platform
from mainsequence.server import bodies
from mainsequence.server.addresses import address_of
from mainsequence.server.auth import Guard
from mainsequence.server.pages import rendering
from mainsequence.server.pages.visits import Drawn, Elsewhere, Page, Shown, Visit
from mainsequence.server.paths import number_in, only
from mainsequence.server.problems import respond
from mainsequence.server.sessions import Sessions, is_jwt

COOKIE = "mainsequence"
ROOT = "/ui"
LOG_IN = f"{ROOT}/log-in"
FORM_LIMIT = 1024 * 1024


class Endpoint:
    """Answers the requests for one page."""

    def __init__(self, page: Page, platform: Platform, guard: Guard, sessions: Sessions) -> None:
        self.page, self.platform, self.guard, self.sessions = page, platform, guard, sessions

    def route(self) -> Route:
        """Give the route; HEAD is not answered."""
        return only({self.page.method}, self.page.path, self.answer)

    async def answer(self, request: Request) -> Response:
        """Answer one request; the work runs in a thread."""
        request.state.operation = f"page {self.page.method} {self.page.path}"
        request.state.writes = self.page.writes
        try:
            content = await bodies.read(request, FORM_LIMIT)
        except MainSequenceError as error:
            return self._refusal(error, None)
        return await run_in_threadpool(self._answer, request, content)

    def _answer(self, request: Request, content: bytes) -> Response:
        actor: Actor | None = None
        try:
            if self.page.method == "POST":
                check_origin(request)
            secret = request.cookies.get(COOKIE) if self.guard.required else None
            actor = self._visitor(secret)
            request.state.actor = None if actor is None else actor.name
            if actor is None and not self.page.is_open:
                return self._to_log_in(request, secret)
            return self._written(request, self.page.answer(self._visit(request, content, actor, secret)), actor)
        except MainSequenceError as error:
            return self._refusal(error, actor)

    def _visitor(self, secret: str | None) -> Actor | None:
        """Give who looks; ``None`` where the browser shows nothing that holds."""
        if self.guard.required and not secret:
            return None
        try:
            if secret is not None and is_jwt(secret):
                return self.sessions.visitor(secret)
            return self.guard.actor(secret)
        except AuthenticationError:
            return None

    def _visit(self, request: Request, content: bytes, actor: Actor | None, secret: str | None) -> Visit:
        form = self.page.method == "POST"
        given = dict(parse_qsl(content.decode(errors="replace")) if form else request.query_params.multi_items())
        return Visit(
            self.platform,
            self.sessions,
            actor,
            {name: value.strip() for name, value in given.items() if value.strip()},
            number_in(request.path_params.get("key", "0")),
            number_in(request.path_params.get("number", "0")),
            request.url.path,
            "" if request.client is None else request.client.host,
            secret,
        )

    def _to_log_in(self, request: Request, secret: str | None) -> Response:
        if self.page.method == "POST":
            raise AuthenticationError("Nobody is logged in.", hint="Log in, and do it once more.")
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        made = RedirectResponse(f"{LOG_IN}?next={quote(asked)}", HTTPStatus.SEE_OTHER)
        if secret is not None:
            made.delete_cookie(COOKIE, path=ROOT)
        return made

    def _written(self, request: Request, found: Shown | Elsewhere | Drawn, actor: Actor | None) -> Response:
        if isinstance(found, Drawn):
            return Response(found.content, headers=rendering.HEADERS, media_type="image/svg+xml")
        if isinstance(found, Shown):
            return rendering.page(found, actor, logged_in=self.guard.required)
        made = RedirectResponse(found.path, HTTPStatus.SEE_OTHER)
        if found.secret == "":
            made.delete_cookie(COOKIE, path=ROOT)
        elif found.secret is not None:
            _keep(made, request, found.secret, found.lasts)
        return made

    def _refusal(self, error: MainSequenceError, actor: Actor | None) -> Response:
        told: dict[str, Any] = {"message": error.message, "hint": error.hint, "title": HTTPStatus(error.status).phrase}
        made = rendering.page(Shown("refusal.html", told, error.status), actor, logged_in=self.guard.required)
        retry = respond(error).headers.get("Retry-After")
        if retry is not None:
            made.headers["Retry-After"] = retry
        return made


def check_origin(request: Request) -> None:
    """Refuse a form that another site's page sends through a visitor's browser.

    Every browser says where a form was sent from, and no page can make it say something else.

    Raises
    ------
    PermissionDeniedError
        It was sent from elsewhere, or nothing says that it was not.
    """
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return
    origin = urlsplit(request.headers.get("Origin", ""))
    if origin.netloc and origin.netloc == urlsplit(address_of(request)).netloc:
        return
    raise PermissionDeniedError("The form was not sent from a page of this server.", hint="Open the page here, again.")


def _keep(answer: Response, request: Request, secret: str, lasts: int | None) -> None:
    secure = address_of(request).startswith("https:")
    answer.set_cookie(COOKIE, secret, max_age=lasts, path=ROOT, secure=secure, httponly=True, samesite="lax")
