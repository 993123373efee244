"""Logging in by name and password: short access tokens (JWT) that anyone can read, and tokens that continue a session.

Every attempt to log in passes `Sessions.log_in`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from hmac import compare_digest
from typing import Any, NamedTuple, TypeVar

import jwt

from mainsequence.domain.access import LOCAL_OWNER, Actor
from mainsequence.domain.times import MICROS_PER_SECOND
from mainsequence.errors import AuthenticationError, ConfigurationError
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry.failures import translated
from mainsequence.platform.retrying import persistently
from mainsequence.platform.services import credentials
from mainsequence.platform.services.credentials import Continuation
from mainsequence.platform.work import Work

ACCESS_SECONDS = 900
"""How long an access token holds."""

CODE_SECONDS = 60
"""How long a code holds that a browser carries to a program."""

SHORTEST_KEY = 32
ALGORITHM = "HS256"
_ISSUER = "mainsequence-platform"

Attempts = Callable[[str, str], AbstractContextManager[None]]
"""What surrounds an attempt to log in, given the name and the address of who tries.

It may refuse by raising before the password is looked at, and sees the `AuthenticationError` of an attempt that failed.
"""

Found = TypeVar("Found")


class Tokens(NamedTuple):
    """What a log-in gives: one token to show with every request, and one to get the next two."""

    access: str
    refresh: str


def unlimited(_name: str, _client: str) -> AbstractContextManager[None]:
    """Let everybody try as often as they like."""
    return nullcontext()


class Sessions:
    """Opens, continues and ends sessions, and says whose they are.

    Parameters
    ----------
    platform
        Keeps the sessions.
    key
        Signs the tokens; ``None`` means the one kept in the registry, which every process of the platform shares.
    attempts
        What surrounds every attempt to log in.

    Raises
    ------
    ConfigurationError
        The key is shorter than 32 characters.
    """

    def __init__(self, platform: Platform, key: str | None = None, attempts: Attempts = unlimited) -> None:
        check_key(key)
        self.platform = platform
        self.attempts = attempts
        self._key = key

    def log_in(self, name: str, password: str, client: str = "") -> Tokens:
        """Open a session.

        Parameters
        ----------
        name, password
            Who wants in.
        client
            The address of who tries, for what limits attempts.

        Raises
        ------
        AuthenticationError
            Name or password are wrong, the user has no password or is shut out.
        """
        return self._tokens(self._open(name, password, client))

    def _open(self, name: str, password: str, client: str) -> Continuation:
        with self.attempts(name, client):
            stored = self._work(lambda work: credentials.check_password(work, name, password), writes=False)

            def opening(work: Work) -> Continuation:
                credentials.hash_anew(work, stored, password)
                return credentials.open_session(work, name, stored)

            return self._work(opening, writes=True)

    def page_token(self, name: str, password: str, client: str = "") -> str:
        """Open a session for the pages of a browser: gives the one token that holds as long as the session.

        Parameters
        ----------
        name, password, client
            As `log_in`, which it is otherwise.
        """
        opened = self._open(name, password, client)
        return self._signed(opened, {"use": "page", "exp": opened.expires_at // MICROS_PER_SECOND})

    def visitor(self, token: str) -> Actor:
        """Give whoever a token of `page_token` belongs to.

        Raises
        ------
        AuthenticationError
            As `actor`.
        """
        claims = self._claims(token, "page")
        return self._work(lambda work: credentials.session_actor(work, claims["sid"]), writes=False)

    def leave(self, token: str) -> None:
        """End the session of a browser; one that is over is left alone."""
        try:
            claims = self._claims(token, "page")
        except AuthenticationError:
            return
        self._work(lambda work: credentials.end_session(work, claims["sid"]), writes=True)

    def code_for(self, name: str, password: str, client: str, bound_to: str) -> str:
        """Open a session in a browser: gives a code that a program makes tokens of within a minute.

        Parameters
        ----------
        name, password, client
            As `log_in`, which it is otherwise.
        bound_to
            What the program has to show besides the code.
        """
        opened = self._open(name, password, client)
        claims = {"use": "code", "jti": opened.secret, "for": bound_to, "exp": self._now() + CODE_SECONDS}
        return self._signed(opened, claims)

    def redeem(self, code: str, bound_to: str) -> Tokens:
        """Make tokens of a code.

        Raises
        ------
        AuthenticationError
            It is none, its time is over, or it is bound to something else.
        """
        claims = self._claims(code, "code")
        if not compare_digest(str(claims["for"]), bound_to):
            raise AuthenticationError("The code was made for another program.", hint="Log in again.")
        return self._continue(claims)

    def refresh(self, token: str) -> Tokens:
        """Continue a session: its token is used with that, and may be repeated for a few minutes only.

        Raises
        ------
        AuthenticationError
            The session is over, or was ended because the token had been used before.
        """
        return self._continue(self._claims(token, "refresh"))

    def _continue(self, claims: dict[str, Any]) -> Tokens:
        found = self._work(
            lambda work: credentials.continue_session(work, claims["sid"], str(claims["jti"])), writes=True
        )
        if found is None:
            raise AuthenticationError("The session is over.", hint="Log in again.")
        return self._tokens(found)

    def log_out(self, token: str) -> None:
        """End the session that a refresh token belongs to.

        Raises
        ------
        AuthenticationError
            It is no such token.
        """
        claims = self._claims(token, "refresh")
        self._work(lambda work: credentials.end_session(work, claims["sid"]), writes=True)

    def actor(self, token: str) -> Actor:
        """Give whoever an access token belongs to.

        Raises
        ------
        AuthenticationError
            It is no such token, its time or its session are over, or its user is shut out.
        """
        claims = self._claims(token, "access")
        return self._work(lambda work: credentials.session_actor(work, claims["sid"]), writes=False)

    def _tokens(self, opened: Continuation) -> Tokens:
        refresh = {"use": "refresh", "jti": opened.secret, "exp": opened.expires_at // MICROS_PER_SECOND}
        access = {"use": "access", "exp": self._now() + ACCESS_SECONDS}
        return Tokens(self._signed(opened, access), self._signed(opened, refresh))

    def _signed(self, opened: Continuation, claims: dict[str, Any]) -> str:
        shared = {"iss": _ISSUER, "sid": opened.session_id, "iat": self._now()}
        return jwt.encode(shared | claims, self._signing_key(), ALGORITHM)

    def _now(self) -> int:
        return self.platform.clock() // MICROS_PER_SECOND

    def _claims(self, token: str, use: str) -> dict[str, Any]:
        options: Any = {"require": ["exp", "sid", "use"], "verify_exp": False, "verify_iat": False}  # by our own clock
        try:
            claims = jwt.decode(token, self._signing_key(), [ALGORITHM], options, issuer=_ISSUER)
        except jwt.InvalidTokenError:
            raise _unknown() from None
        if claims["use"] != use or claims["exp"] * MICROS_PER_SECOND <= self.platform.clock():
            raise _unknown()
        return claims

    def _signing_key(self) -> str:
        if self._key is None:
            found = self._work(credentials.signing_key, writes=False)
            self._key = found or self._work(credentials.make_signing_key, writes=True)
        return self._key

    def _work(self, act: Callable[[Work], Found], *, writes: bool) -> Found:
        def whole() -> Found:
            with translated(), self.platform.work(LOCAL_OWNER, writes=writes) as work:
                return act(work)

        return persistently(whole)


def check_key(key: str | None) -> None:
    """Refuse a key that is too short to sign with; ``None`` is the one kept in the registry.

    Raises
    ------
    ConfigurationError
        It has fewer than 32 characters.
    """
    if key is not None and len(key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"MAINSEQUENCE_JWT_KEY has {len(key)} characters.", hint=f"Give it at least {SHORTEST_KEY} random ones."
        )


def is_jwt(secret: str) -> bool:
    """Tell whether something a client shows has the shape of a JWT; the platform's own tokens never have."""
    return secret.count(".") == 2  # header, claims, signature


def _unknown() -> AuthenticationError:
    return AuthenticationError("The token is unknown or its time is over.", hint="Refresh it, or log in again.")
