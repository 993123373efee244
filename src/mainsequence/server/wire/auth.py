"""Logging in and out, and who is logged in, as the vendor's client asks for it."""

from typing import Any

from pydantic import Field

from mainsequence.domain.access import LOCAL_OWNER
from mainsequence.domain.times import Instant, from_micros
from mainsequence.domain.values import Value
from mainsequence.errors import NotFoundError
from mainsequence.platform.services import access
from mainsequence.server.sessions import Tokens
from mainsequence.server.wire.exchange import Call, Face


class Login(Value):
    """Who wants in."""

    username: str
    password: str = Field(repr=False)


class Continuing(Value):
    """What continues a session."""

    refresh: str = Field(repr=False)


class UserShape(Value):
    """A user; this platform keeps no addresses of mail and asks for no second factor."""

    id: int
    username: str
    email: str
    date_joined: Instant
    is_active: bool
    api_request_limit: int
    mfa_enabled: bool


def log_in(call: Call) -> dict[str, str]:
    """Open a session for a name and a password."""
    given = Login.parse(call.fields())
    return _pair(call.sessions.log_in(given.username, given.password, call.client))


def refresh(call: Call) -> dict[str, str]:
    """Continue a session; whatever ``Authorization`` comes along is stale and not looked at."""
    return _pair(call.sessions.refresh(Continuing.parse(call.fields()).refresh))


def _pair(tokens: Tokens) -> dict[str, str]:
    return {"access": tokens.access, "refresh": tokens.refresh}


def log_out(call: Call) -> dict[str, Any]:
    """End a session."""
    call.sessions.log_out(Continuing.parse(call.fields()).refresh)
    return {"detail": "Logged out."}


def me(call: Call) -> UserShape:
    """Say who asks."""
    actor = call.actor or LOCAL_OWNER
    with call.platform.work(actor, writes=False) as work:
        found = access.own_record(work)
    name = actor.name
    return UserShape(
        id=1 if found is None else found.id,
        username=name,
        email=name if "@" in name else "",
        date_joined=from_micros(0) if found is None else found.created_at,
        is_active=True,
        api_request_limit=0,
        mfa_enabled=False,
    )


def user(call: Call) -> UserShape:
    """Read the user who asks; others are not shown here."""
    found = me(call)
    if found.id != call.key:
        raise NotFoundError(f"There is no user with id {call.key}.", hint="Each user sees themselves.")
    return found


FACES = (
    Face("POST", "/auth/jwt-token/token/", log_in, is_open=True),
    Face("POST", "/auth/jwt-token/token/refresh/", refresh, is_open=True),
    Face("POST", "/auth/jwt-token/logout/", log_out, is_open=True),
    Face("GET", "/auth/rest-auth/user/", me),
    Face("GET", "/user/api/user/{key}/", user),
)
