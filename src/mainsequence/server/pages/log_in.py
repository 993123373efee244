"""Coming in and going out."""

from http import HTTPStatus

from mainsequence.domain.times import MICROS_PER_SECOND
from mainsequence.errors import AccessError, AuthenticationError
from mainsequence.platform.services.credentials import SESSION_LASTS
from mainsequence.server.auth import Guard
from mainsequence.server.pages.endpoint import LOG_IN, ROOT
from mainsequence.server.pages.visits import Elsewhere, Page, Shown, Visit
from mainsequence.server.sessions import is_jwt


def pages(guard: Guard) -> tuple[Page, ...]:
    """Give the pages: who comes in by a token is asked for by the guard, which counts failures."""

    def come_in(visit: Visit) -> Shown | Elsewhere:
        """Log in by name and password, or by a token."""
        token = visit.text("token")
        try:
            if token is not None:
                return _by_token(visit, token)
            secret = visit.sessions.page_token(
                visit.given.get("name", ""), visit.given.get("password", ""), visit.client
            )
        except AccessError as error:
            return _form(visit, error)
        return Elsewhere(_next(visit), secret, SESSION_LASTS // MICROS_PER_SECOND)

    def _by_token(visit: Visit, token: str) -> Elsewhere:
        if is_jwt(token):
            raise AuthenticationError("This is no token of a user.", hint="mainsequence token create makes one.")
        guard.actor(token)
        return Elsewhere(_next(visit), token)

    return (
        Page("GET", LOG_IN, ask, is_open=True),
        Page("POST", LOG_IN, come_in, is_open=True),
        Page("POST", f"{ROOT}/log-out", go, is_open=True),
    )


def ask(visit: Visit) -> Shown | Elsewhere:
    """Ask who looks."""
    return _form(visit) if visit.actor is None else Elsewhere(_next(visit))


def _form(visit: Visit, error: AccessError | None = None) -> Shown:
    status = HTTPStatus.OK if error is None or isinstance(error, AuthenticationError) else HTTPStatus(error.status)
    problem = None if error is None else f"{error.message} {error.hint or ''}".strip()
    return Shown("log_in.html", {"next": _next(visit), "problem": problem}, status)


def _next(visit: Visit) -> str:
    """Give the page to go to: one of these pages, and nothing else."""
    wanted = visit.text("next") or f"{ROOT}/"
    inside = wanted.startswith(f"{ROOT}/") and wanted.isprintable() and "\\" not in wanted
    return wanted if inside else f"{ROOT}/"


def go(visit: Visit) -> Elsewhere:
    """Log out: the session ends, too."""
    if visit.secret is not None and is_jwt(visit.secret):
        visit.sessions.leave(visit.secret)
    return Elsewhere(LOG_IN, "")
