"""Access: who may use the platform, and the tokens that say so."""

from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe

from mainsequence.contract import access as contract
from mainsequence.domain.access import (
    LOCAL_ORGANIZATION,
    LOCAL_OWNER,
    Actor,
    IssuedToken,
    Role,
    TokenCreation,
    TokenRecord,
    UserCreation,
    UserRecord,
    Whoami,
)
from mainsequence.domain.times import to_micros
from mainsequence.errors import (
    AlreadyExistsError,
    AuthenticationError,
    ConflictError,
    InvalidIntervalError,
    PermissionDeniedError,
    ValidationError,
)
from mainsequence.platform.registry import access as registry
from mainsequence.platform.registry import teams as team_registry
from mainsequence.platform.services import credentials
from mainsequence.platform.work import Work, carries_out

TOKEN_PREFIX = "msp_"  # noqa: S105 (what tokens begin with, so that scanners of secrets find them)


@carries_out(contract.WHOAMI)
def whoami(work: Work, _body: None) -> Whoami:
    """Say who asks."""
    return Whoami(
        name=work.actor.name,
        role=work.actor.role.name.lower(),  # type: ignore[arg-type]
        organization=registry.organization_name(work.connection, work.organization_id),
        teams=team_registry.of_user(work.connection, work.actor.name),
    )


def own_record(work: Work) -> UserRecord | None:
    """Read the user who asks; ``None`` for the local owner, who is no user."""
    return registry.user_named(work.connection, work.actor.name)


@carries_out(contract.USERS)
def users(work: Work, _body: None) -> list[UserRecord]:
    """List the users of the organization."""
    return registry.users(work.connection, _reach(work))


def _reach(work: Work) -> int | None:
    """Give the organization whose users may be managed; ``None`` (all) for administrators of the first one."""
    return None if work.organization_id == LOCAL_ORGANIZATION else work.organization_id


@carries_out(contract.CREATE_USER)
def create_user(work: Work, body: UserCreation) -> UserRecord:
    """Add a user to the organization, or to the one named."""
    if body.name == LOCAL_OWNER.name:
        raise AlreadyExistsError(f"{body.name!r} is the owner of embedded mode.", hint="Choose another name.")
    organization_id = _organization(work, body)
    key = registry.add_user(work.connection, organization_id, body.name, Role[body.role.upper()], work.now)
    if key is None:
        raise AlreadyExistsError(f"A user {body.name!r} exists already.", hint="Choose another name.")
    return registry.user_by_id(work.connection, organization_id, key)


def _organization(work: Work, body: UserCreation) -> int:
    if body.organization is None:
        return work.organization_id
    if work.organization_id != LOCAL_ORGANIZATION:
        raise PermissionDeniedError(
            "Only administrators of the first organization may name another one.",
            hint="Leave organization out to add a user to your own.",
        )
    return registry.organization_named(work.connection, body.organization)


@carries_out(contract.PATCH_USER)
def patch_user(work: Work, body: contract.UserPatch, *, key: int) -> UserRecord:
    """Change a user's role, or shut a user out."""
    record = registry.user_by_id(work.connection, _reach(work), key)
    given = body.model_dump(include=body.model_fields_set)
    if None in given.values():
        raise ValidationError("role and is_active cannot be null.", hint="Leave a field out to keep what it is.")
    if "role" in given:
        given["role"] = int(Role[given["role"].upper()])
    weakened = given.get("role", Role.ADMIN) < Role.ADMIN or not given.get("is_active", True)
    if weakened and record.role == "admin" and not registry.admins_beside(work.connection, key):
        raise ConflictError(
            "This is the only administrator of the organization.", hint="Make another user an administrator first."
        )
    registry.change_user(work.connection, key, given)
    if not given.get("is_active", True):
        credentials.end_sessions(work, key)
    return registry.user_by_id(work.connection, _reach(work), key)


@carries_out(contract.TOKENS)
def tokens(work: Work, _body: None, *, key: int) -> list[TokenRecord]:
    """List the tokens of a user."""
    registry.user_by_id(work.connection, _reach(work), key)
    return registry.tokens(work.connection, _reach(work), key)


@carries_out(contract.ISSUE_TOKEN)
def issue_token(work: Work, body: TokenCreation, *, key: int) -> IssuedToken:
    """Give a user a new token; only its hash is stored."""
    registry.user_by_id(work.connection, _reach(work), key)
    expires_at = None if body.expires_at is None else to_micros(body.expires_at)
    if expires_at is not None and expires_at <= work.now:
        raise InvalidIntervalError(f"expires_at {body.expires_at} is not after now.", hint="Give a later time.")
    secret = TOKEN_PREFIX + token_urlsafe(32)
    row = {"secret_hash": _hash(secret), "label": body.label, "created_at": work.now, "expires_at": expires_at}
    made = registry.token_by_id(work.connection, _reach(work), registry.add_token(work.connection, key, row))
    return IssuedToken(**made.__dict__, token=secret)


@carries_out(contract.REVOKE_TOKEN)
def revoke_token(work: Work, _body: None, *, key: int) -> TokenRecord:
    """Make a token worthless from now on."""
    registry.token_by_id(work.connection, _reach(work), key)
    registry.revoke(work.connection, key, work.now)
    return registry.token_by_id(work.connection, _reach(work), key)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def authenticate(work: Work, secret: str) -> Actor:
    """Give whoever a token belongs to.

    Raises
    ------
    AuthenticationError
        It is unknown, expired or revoked, or its user is shut out; which of these is not said.
    """
    asked = _hash(secret)
    found = registry.bearer(work.connection, asked, work.now)
    if found is None or not compare_digest(found[1], asked):
        raise AuthenticationError(
            "The token is unknown, expired or revoked.", hint="Ask an administrator for a new one (MAINSEQUENCE_TOKEN)."
        )
    return found[0]


def first_admin(work: Work) -> IssuedToken | None:
    """Make the first administrator and a token, where nobody can use the platform yet."""
    if registry.any_user(work.connection):
        return None
    admin = create_user(work, UserCreation(name="admin", role="admin"))
    return issue_token(work, TokenCreation(label="first run"), key=admin.id)
