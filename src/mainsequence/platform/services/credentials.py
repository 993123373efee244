"""Credentials: passwords, the sessions that they open, and the tokens that continue a session.

A session ends when its user logs out, is shut out or gets another password, and when nobody continued it for a month.
A refresh token is used once; as its answer may be lost on the way, it may be repeated for five minutes. Used later
again, somebody else has it, and its session ends.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from mainsequence.contract import credentials as contract
from mainsequence.domain.access import LOCAL_ORGANIZATION, Actor, UserRecord
from mainsequence.domain.times import MICROS_PER_DAY, MICROS_PER_SECOND
from mainsequence.errors import AuthenticationError, ConfigurationError
from mainsequence.platform.origin import origin
from mainsequence.platform.registry import access as users
from mainsequence.platform.registry import audit
from mainsequence.platform.registry import credentials as registry
from mainsequence.platform.registry.credentials import StoredPassword
from mainsequence.platform.work import Work, carries_out

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SESSION_LASTS = 30 * MICROS_PER_DAY
"""How long a session lasts behind its last refresh, in microseconds."""

REPEATED_WITHIN = 300 * MICROS_PER_SECOND
"""How long a used refresh token may be repeated: clients ask again for minutes where an answer was lost."""

_AT_ONCE = BoundedSemaphore(4)
"""Passwords that are compared at the same moment: each takes 19 MiB."""

_SIGNING_KEY = "jwt"


@dataclass(frozen=True, slots=True)
class Continuation:
    """A session, and the secret that continues it once."""

    session_id: int
    secret: str
    expires_at: int


@carries_out(contract.SET_PASSWORD)
def set_password(work: Work, body: contract.PasswordChange, *, key: int) -> UserRecord:
    """Give a user a password in place of the one before; only its hash is stored, and open sessions end."""
    password_hash = hash_password(body.password)  # slow on purpose, and so before the transaction begins
    reach = None if work.organization_id == LOCAL_ORGANIZATION else work.organization_id
    record = users.user_by_id(work.connection, reach, key)
    registry.set_password(work.connection, key, password_hash, work.now)
    registry.end_sessions(work.connection, key, work.now)
    return record


def hash_password(password: str) -> str:
    """Hash a password with Argon2id.

    Raises
    ------
    ConfigurationError
        The library is not installed.
    """
    return _hasher().hash(password)


@cache
def _hasher() -> "PasswordHasher":
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} is not installed.", hint="pip install 'mainsequence-platform[server]'"
        ) from None
    # OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _hash_of_nobody() -> str:
    return hash_password(token_urlsafe(32))


def check_password(work: Work, name: str, password: str) -> StoredPassword:
    """Give the stored password of a user who gave the right one; what it costs does not tell whether the user exists.

    Raises
    ------
    AuthenticationError
        User or password are wrong, the user has none or is shut out; which of these is not said.
    """
    stored = registry.password_of(work.connection, name)
    right = _fits(_hash_of_nobody() if stored is None else stored.password_hash, password)
    if stored is None or not right:
        raise AuthenticationError(
            "Name or password are wrong.", hint="Ask an administrator (mainsequence user password), or use a token."
        )
    return stored


def _fits(password_hash: str, password: str) -> bool:
    from argon2.exceptions import VerifyMismatchError

    try:
        with _AT_ONCE:
            return _hasher().verify(password_hash, password)
    except VerifyMismatchError:
        return False


def hash_anew(work: Work, stored: StoredPassword, password: str) -> None:
    """Hash a password that was right again, where that was done less well than now."""
    if _hasher().check_needs_rehash(stored.password_hash):
        registry.hash_anew(work.connection, stored, hash_password(password))


def open_session(work: Work, name: str, stored: StoredPassword) -> Continuation:
    """Open a session for a user whose password was checked.

    Raises
    ------
    AuthenticationError
        The password was changed, or the user shut out, meanwhile.
    """
    now = registry.password_of(work.connection, name)
    if now is None or now.changed_at != stored.changed_at:
        raise AuthenticationError("The password was changed.", hint="Log in with the new one.")
    registry.forget_sessions(work.connection, work.now)
    session_id = registry.open_session(work.connection, stored.user_id, work.now, work.now + SESSION_LASTS)
    _record(work, session_id, "access.log_in")
    return _continuation(work, session_id)


def _record(work: Work, session_id: int, what: str, reason: str | None = None) -> None:
    """Add a line to the audit log, in the name of whose session it is."""
    found = registry.session_owner(work.connection, session_id)
    if found is not None:
        user_id, actor = found
        facts = {"operation": what, "outcome": "done", "object_id": user_id, "unique_identifier": actor.name}
        audit.add(work.connection, actor, origin(), work.now, {**facts, "objects": 1, "reason": reason})


def _continuation(work: Work, session_id: int) -> Continuation:
    secret = token_urlsafe(32)
    registry.add_refresh(work.connection, session_id, _hash(secret), work.now)
    return Continuation(session_id, secret, work.now + SESSION_LASTS)


def continue_session(work: Work, session_id: int, secret: str) -> Continuation | None:
    """Continue a session under a new secret; ``None`` where it is over, or ends as the secret was used long ago."""
    if not registry.hold_session(work.connection, session_id, work.now):
        return None
    earliest = work.now - REPEATED_WITHIN
    if not registry.use_refresh(work.connection, session_id, _hash(secret), work.now, earliest):
        _record(work, session_id, "access.end_session", "a refresh token was used again, long after its first use")
        registry.end_session(work.connection, session_id, work.now)
        return None
    registry.prolong_session(work.connection, session_id, work.now + SESSION_LASTS)
    return _continuation(work, session_id)


def end_session(work: Work, session_id: int) -> None:
    """End a session that lasts."""
    if registry.hold_session(work.connection, session_id, work.now):
        _record(work, session_id, "access.log_out")
        registry.end_session(work.connection, session_id, work.now)


def end_sessions(work: Work, user_id: int) -> None:
    """End every session of a user."""
    registry.end_sessions(work.connection, user_id, work.now)


def session_actor(work: Work, session_id: int) -> Actor:
    """Give whoever opened a session.

    Raises
    ------
    AuthenticationError
        The session is over, or its user is shut out.
    """
    found = registry.session_actor(work.connection, session_id, work.now)
    if found is None:
        raise AuthenticationError("The session is over.", hint="Log in again.")
    return found


def signing_key(work: Work) -> str | None:
    """Give the key that signs access tokens, shared by every process of the platform; ``None`` before there is one."""
    return registry.secret(work.connection, _SIGNING_KEY)


def make_signing_key(work: Work) -> str:
    """Make that key, unless another process was first."""
    return registry.keep_secret(work.connection, _SIGNING_KEY, token_urlsafe(48), work.now)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
