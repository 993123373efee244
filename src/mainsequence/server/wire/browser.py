"""Logging a command line in through a browser: the authorization code flow of OAuth 2.0 with PKCE (RFC 7636, S256).

The browser asks for name and password, and carries a code to the program that listens on the same machine. The code is
worthless without the verifier, which never left the program.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from mainsequence.domain.values import Value
from mainsequence.errors import AccessError, AuthenticationError, MainSequenceError, ValidationError
from mainsequence.server import bodies
from mainsequence.server.paths import only
from mainsequence.server.sessions import Sessions
from mainsequence.server.wire.exchange import OPEN_LIMIT, Call, Face, refusal

AUTHORIZE = "/auth/cli/authorize/"
ASKED = ("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CHALLENGE_LENGTH = 43
"""Characters of a SHA-256 in base64url."""


class Redeeming(Value):
    """A code, and what shows that it was made for who sends it."""

    client_id: str
    code: str = Field(repr=False)
    code_verifier: str = Field(repr=False)
    redirect_uri: str
    grant_type: str | None = None


def redeem(call: Call) -> dict[str, str]:
    """Make tokens of a code."""
    given = Redeeming.parse(call.fields())
    digest = sha256(given.code_verifier.encode()).digest()
    challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
    return call.sessions.redeem(given.code, _bound(given.client_id, given.redirect_uri, challenge))._asdict()


def _bound(client_id: str, redirect_uri: str, challenge: str) -> str:
    return sha256("\n".join((client_id, redirect_uri, challenge)).encode()).hexdigest()


FACES = (Face("POST", "/auth/cli/token/", redeem, is_open=True),)


def route(sessions: Sessions) -> Route:
    """Give the address that a browser opens."""

    async def answer(request: Request) -> Response:
        request.state.operation = f"wire {request.method} {AUTHORIZE}"
        try:
            asked = _asked(request.query_params)
            if request.method != "POST":
                return _page(asked)
            given = dict(parse_qsl((await bodies.read(request, OPEN_LIMIT)).decode(errors="replace")))
            return await run_in_threadpool(_log_in, sessions, request, asked, given)
        except MainSequenceError as error:
            return refusal(error)

    return only({"GET", "POST"}, AUTHORIZE, answer)


def _asked(given: Mapping[str, str]) -> dict[str, str]:
    """Read what the program asks for.

    Raises
    ------
    ValidationError
        It asks without PKCE, or wants the code to be sent to another machine.
    """
    asked = {name: given.get(name, "") for name in ASKED}
    if asked["code_challenge_method"] != "S256" or len(asked["code_challenge"]) != _CHALLENGE_LENGTH:
        raise ValidationError("A log-in through a browser needs PKCE.", hint="Send code_challenge, S256.")
    if not _is_here(asked["redirect_uri"]):
        raise ValidationError("redirect_uri must be on the machine of the browser.", hint="http://127.0.0.1:<port>/…")
    return asked


def _is_here(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    plain = parts.scheme == "http" and parts.username is None and not parts.fragment
    return plain and parts.hostname in LOOPBACK and port is not None and address.isprintable()


def _log_in(sessions: Sessions, request: Request, asked: dict[str, str], given: dict[str, str]) -> Response:
    client = "" if request.client is None else request.client.host
    bound = _bound(asked["client_id"], asked["redirect_uri"], asked["code_challenge"])
    try:
        code = sessions.code_for(given.get("username", ""), given.get("password", ""), client, bound)
    except AccessError as error:
        status = HTTPStatus.OK if isinstance(error, AuthenticationError) else HTTPStatus(error.status)
        return _page(asked, error.message, status)
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    found = urlencode({"code": code, "state": asked["state"]})
    return RedirectResponse(f"{asked['redirect_uri']}{joint}{found}", HTTPStatus.SEE_OTHER)


_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Log in</title></head>
<body>
<h1>Log in</h1>
<p>A program on this machine asks to act for you on this server. Go on only if you started it.</p>
<p role="alert">{problem}</p>
<form method="post" action="{action}">
<p><label>Name <input name="username" autocomplete="username" required autofocus></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Log in</button></p>
</form>
</body>
</html>
"""


def _page(asked: dict[str, Any], problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
    action = escape(f"{AUTHORIZE}?{urlencode(asked)}")
    return HTMLResponse(_PAGE.format(problem=escape(problem), action=action), status)
