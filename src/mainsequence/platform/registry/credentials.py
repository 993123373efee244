"""Passwords, sessions, refresh tokens and the platform's own secrets in SQL."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mainsequence.domain.access import Actor, Role
from mainsequence.platform.registry.credentials_tables import (
    login_session,
    platform_secret,
    refresh_token,
    user_password,
)
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.tables import user


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """The password of an active user, as it is stored."""

    user_id: int
    password_hash: str
    changed_at: int


def password_of(connection: Connection, name: str) -> StoredPassword | None:
    """Give the stored password of a user who may log in; ``None`` where there is no such user or no password."""
    columns = (user_password.c.user_id, user_password.c.password_hash, user_password.c.changed_at)
    joined = user_password.join(user, user.c.id == user_password.c.user_id)
    found = select(*columns).select_from(joined).where(user.c.name == name, user.c.is_active)
    row = connection.execute(found).one_or_none()
    return None if row is None else StoredPassword(*row)


def set_password(connection: Connection, user_id: int, password_hash: str, now: int) -> None:
    """Store a password in place of the one before."""
    row = {"password_hash": password_hash, "changed_at": now}
    if not insert_or_ignore(connection, user_password, {"user_id": user_id, **row}):
        connection.execute(update(user_password).where(user_password.c.user_id == user_id).values(**row))


def hash_anew(connection: Connection, stored: StoredPassword, password_hash: str) -> None:
    """Store the same password under another hash."""
    same = (user_password.c.user_id == stored.user_id, user_password.c.changed_at == stored.changed_at)
    connection.execute(update(user_password).where(*same).values(password_hash=password_hash))


def open_session(connection: Connection, user_id: int, now: int, expires_at: int) -> int:
    """Open a session and give its id."""
    row = {"user_id": user_id, "created_at": now, "expires_at": expires_at}
    made = connection.execute(insert(login_session).values(**row))
    return int((made.inserted_primary_key or (0,))[0])


def hold_session(connection: Connection, session_id: int, now: int) -> bool:
    """Hold a session against other writers until the transaction ends; answer whether it lasts."""
    joined = login_session.join(user, user.c.id == login_session.c.user_id)
    found = select(login_session.c.id).select_from(joined).where(*_lasting(session_id, now))
    return connection.execute(found.with_for_update(of=login_session)).first() is not None


def _lasting(session_id: int, now: int) -> tuple[Any, ...]:
    session = login_session.c
    return session.id == session_id, session.revoked_at.is_(None), session.expires_at > now, user.c.is_active


def prolong_session(connection: Connection, session_id: int, expires_at: int) -> None:
    """Let a session last longer."""
    connection.execute(update(login_session).where(login_session.c.id == session_id).values(expires_at=expires_at))


def end_session(connection: Connection, session_id: int, now: int) -> None:
    """End a session, with its refresh tokens."""
    _end(connection, login_session.c.id == session_id, now)


def end_sessions(connection: Connection, user_id: int, now: int) -> None:
    """End every session of a user, with their refresh tokens."""
    _end(connection, login_session.c.user_id == user_id, now)


def _end(connection: Connection, which: Any, now: int) -> None:
    ended = select(login_session.c.id).where(which)
    connection.execute(delete(refresh_token).where(refresh_token.c.session_id.in_(ended)))
    still = (which, login_session.c.revoked_at.is_(None))
    connection.execute(update(login_session).where(*still).values(revoked_at=now))


def forget_sessions(connection: Connection, now: int) -> None:
    """Forget the sessions whose time is over."""
    over = select(login_session.c.id).where(login_session.c.expires_at <= now)
    connection.execute(delete(refresh_token).where(refresh_token.c.session_id.in_(over)))
    connection.execute(delete(login_session).where(login_session.c.expires_at <= now))


def session_actor(connection: Connection, session_id: int, now: int) -> Actor | None:
    """Give whoever opened a session; ``None`` where it does not last."""
    joined = login_session.join(user, user.c.id == login_session.c.user_id)
    columns = (user.c.name, user.c.organization_id, user.c.role)
    row = connection.execute(select(*columns).select_from(joined).where(*_lasting(session_id, now))).one_or_none()
    return None if row is None else Actor(row.name, row.organization_id, Role(row.role))


def session_owner(connection: Connection, session_id: int) -> tuple[int, Actor] | None:
    """Give the id of the user whose session this is or was, and who that is; ``None`` where it is forgotten."""
    joined = login_session.join(user, user.c.id == login_session.c.user_id)
    columns = (user.c.id, user.c.name, user.c.organization_id, user.c.role)
    found = select(*columns).select_from(joined).where(login_session.c.id == session_id)
    row = connection.execute(found).one_or_none()
    return None if row is None else (row.id, Actor(row.name, row.organization_id, Role(row.role)))


def add_refresh(connection: Connection, session_id: int, secret_hash: str, now: int) -> None:
    """Store a new refresh token of a session."""
    row = {"secret_hash": secret_hash, "session_id": session_id, "issued_at": now}
    connection.execute(insert(refresh_token).values(**row))


def use_refresh(connection: Connection, session_id: int, secret_hash: str, now: int, used_after: int) -> bool:
    """Use a refresh token; answer whether it was new, or was used first at or after a time.

    Those used before that time are forgotten.
    """
    old = (refresh_token.c.session_id == session_id, refresh_token.c.used_at < used_after)
    connection.execute(delete(refresh_token).where(*old))
    one = (refresh_token.c.session_id == session_id, refresh_token.c.secret_hash == secret_hash)
    row = connection.execute(select(refresh_token.c.used_at).where(*one)).one_or_none()
    if row is not None and row.used_at is None:
        connection.execute(update(refresh_token).where(*one).values(used_at=now))
    return row is not None


def secret(connection: Connection, name: str) -> str | None:
    """Read a secret of the platform."""
    return connection.scalar(select(platform_secret.c.value).where(platform_secret.c.name == name))


def keep_secret(connection: Connection, name: str, value: str, now: int) -> str:
    """Keep a secret of the platform, unless another process was first; give the one that is kept."""
    insert_or_ignore(connection, platform_secret, {"name": name, "value": value, "created_at": now})
    return secret(connection, name) or value
