"""Who asks: the bearer of a token, or, on this machine alone, the local owner."""

from mainsequence.domain.access import LOCAL_OWNER, Actor
from mainsequence.errors import AuthenticationError
from mainsequence.platform.platform import Platform
from mainsequence.platform.services.access import authenticate
from mainsequence.server.sessions import Sessions, is_jwt

SCHEMES = ("bearer ", "token ")


class Guard:
    """Says on whose behalf a request acts.

    Parameters
    ----------
    platform
        Knows the tokens.
    required
        Whether a token is needed; without, everybody who reaches the server is the local owner.
    sessions
        Know the access tokens of those who logged in by name; without, such tokens are refused.
    """

    def __init__(self, platform: Platform, *, required: bool, sessions: Sessions | None = None) -> None:
        self.platform = platform
        self.required = required
        self.sessions = sessions

    def secret_of(self, authorization: str | None) -> str | None:
        """Read the secret from a header ``Authorization: Bearer …`` (or ``Token …``).

        Raises
        ------
        AuthenticationError
            It is needed, and missing or of another scheme.
        """
        if not self.required:
            return None
        shown = shown_secret(authorization or "")
        if shown:
            return shown
        raise AuthenticationError(
            "No token was given.", hint="Set MAINSEQUENCE_TOKEN, or send the header Authorization: Bearer <token>."
        )

    def actor(self, secret: str | None) -> Actor:
        """Give whoever bears a token.

        Raises
        ------
        AuthenticationError
            The token does not hold.
        """
        if secret is None:
            return LOCAL_OWNER
        if self.sessions is not None and is_jwt(secret):
            return self.sessions.actor(secret)
        with self.platform.work(LOCAL_OWNER, writes=False) as work:
            return authenticate(work, secret)


def shown_secret(authorization: str) -> str:
    """Read the secret from a header, however its scheme is written; nothing where there is none."""
    for scheme in SCHEMES:
        if authorization.lower().startswith(scheme):
            return authorization[len(scheme) :].strip()
    return ""
