"""Organizations, users and tokens in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, func, insert, select, true, update

from mainsequence.domain.access import Actor, Role, TokenRecord, UserRecord
from mainsequence.domain.times import from_micros
from mainsequence.domain.values import trusted
from mainsequence.errors import NotFoundError
from mainsequence.platform.registry.inserts import insert_or_ignore
from mainsequence.platform.registry.tables import access_token, organization, user


def organization_named(connection: Connection, name: str) -> int:
    """Give the id of an organization, made where it does not exist."""
    insert_or_ignore(connection, organization, {"name": name})
    return int(connection.scalar(select(organization.c.id).where(organization.c.name == name)) or 0)


def organization_name(connection: Connection, organization_id: int) -> str:
    """Give the name of an organization."""
    return str(connection.scalar(select(organization.c.name).where(organization.c.id == organization_id)))


def _users() -> Select[Any]:
    joined = user.join(organization, organization.c.id == user.c.organization_id)
    columns = (user.c.id, user.c.name, user.c.role, user.c.is_active, user.c.created_at)
    return select(*columns, organization.c.name.label("organization")).select_from(joined)


def _user(row: RowMapping) -> UserRecord:
    fields = dict(row)
    fields["role"] = Role(fields["role"]).name.lower()
    fields["created_at"] = from_micros(fields["created_at"])
    return trusted(UserRecord, fields)


def _of(organization_id: int | None) -> ColumnElement[bool]:
    return true() if organization_id is None else user.c.organization_id == organization_id


def users(connection: Connection, organization_id: int | None) -> list[UserRecord]:
    """List the users of an organization, or of all, in the order of their ids."""
    found = _users().where(_of(organization_id)).order_by(user.c.id)
    return [_user(row) for row in connection.execute(found).mappings()]


def user_by_id(connection: Connection, organization_id: int | None, key: int) -> UserRecord:
    """Read one user of an organization, or of any."""
    found = _users().where(_of(organization_id), user.c.id == key)
    for row in connection.execute(found).mappings():
        return _user(row)
    raise NotFoundError(f"There is no user with id {key}.", hint="mainsequence user list shows those that exist.")


def user_named(connection: Connection, name: str) -> UserRecord | None:
    """Read one user by name; ``None`` where there is none."""
    for row in connection.execute(_users().where(user.c.name == name)).mappings():
        return _user(row)
    return None


def add_user(connection: Connection, organization_id: int, name: str, role: Role, now: int) -> int | None:
    """Add a user; ``None`` where the name is taken, in whichever organization."""
    row = {"organization_id": organization_id, "name": name, "role": int(role), "is_active": True, "created_at": now}
    if not insert_or_ignore(connection, user, row):
        return None
    return int(connection.scalar(select(user.c.id).where(user.c.name == name)) or 0)


def change_user(connection: Connection, key: int, fields: dict[str, Any]) -> None:
    """Change columns of one user."""
    if fields:
        connection.execute(update(user).where(user.c.id == key).values(**fields))


def admins_beside(connection: Connection, key: int) -> int:
    """Count the other active administrators of a user's organization."""
    own = select(user.c.organization_id).where(user.c.id == key).scalar_subquery()
    others = (user.c.organization_id == own, user.c.id != key, user.c.role == int(Role.ADMIN), user.c.is_active)
    return int(connection.scalar(select(func.count()).select_from(user).where(*others)) or 0)


def any_user(connection: Connection) -> bool:
    """Say whether there is any user at all."""
    return bool(connection.scalar(select(func.count()).select_from(user)))


def add_token(connection: Connection, user_id: int, row: dict[str, Any]) -> int:
    """Store a token by the hash of its secret."""
    made = connection.execute(insert(access_token).values(user_id=user_id, **row))
    return int((made.inserted_primary_key or (0,))[0])


_TOKEN = ("id", "user_id", "label", "created_at", "expires_at", "revoked_at")


def _tokens(organization_id: int | None) -> Select[Any]:
    joined = access_token.join(user, user.c.id == access_token.c.user_id)
    chosen = select(*(access_token.c[name] for name in _TOKEN)).select_from(joined)
    return chosen.where(_of(organization_id)).order_by(access_token.c.id)


def _token(row: RowMapping) -> TokenRecord:
    fields = dict(row)
    for name in _TOKEN[3:]:
        fields[name] = None if fields[name] is None else from_micros(fields[name])
    return trusted(TokenRecord, fields)


def tokens(connection: Connection, organization_id: int | None, user_id: int) -> list[TokenRecord]:
    """List the tokens of a user."""
    found = _tokens(organization_id).where(access_token.c.user_id == user_id)
    return [_token(row) for row in connection.execute(found).mappings()]


def token_by_id(connection: Connection, organization_id: int | None, key: int) -> TokenRecord:
    """Read one token of an organization, or of any."""
    for row in connection.execute(_tokens(organization_id).where(access_token.c.id == key)).mappings():
        return _token(row)
    raise NotFoundError(f"There is no token with id {key}.", hint="mainsequence token list shows a user's tokens.")


def revoke(connection: Connection, key: int, now: int) -> None:
    """Make a token worthless; one that is already keeps the time when it became so."""
    still = (access_token.c.id == key, access_token.c.revoked_at.is_(None))
    connection.execute(update(access_token).where(*still).values(revoked_at=now))


_BEARER = (
    select(user.c.name, user.c.organization_id, user.c.role, access_token.c.secret_hash, access_token.c.expires_at)
    .select_from(access_token.join(user, user.c.id == access_token.c.user_id))
    .where(
        access_token.c.secret_hash == bindparam("secret_hash"), access_token.c.revoked_at.is_(None), user.c.is_active
    )
)
"""Asked with every request, and so made once."""


def bearer(connection: Connection, secret_hash: str, now: int) -> tuple[Actor, str] | None:
    """Give whoever a token belongs to, and its stored hash; ``None`` where it is unknown or does not hold now."""
    row = connection.execute(_BEARER, {"secret_hash": secret_hash}).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return Actor(row.name, row.organization_id, Role(row.role)), row.secret_hash
