"""Everything that can be done with users and their tokens."""

from types import NoneType

from mainsequence.contract.operation import administering, reading
from mainsequence.domain.access import (
    IssuedToken,
    RoleName,
    TokenCreation,
    TokenRecord,
    UserCreation,
    UserRecord,
    Whoami,
)
from mainsequence.domain.values import Value


class UserPatch(Value):
    """Fields to change."""

    role: RoleName | None = None
    is_active: bool | None = None


_USERS, _USER = "/users", "/users/{key}"

WHOAMI = reading("GET", "/whoami", "access.whoami", NoneType, Whoami, "Say who asks, and what they may.")
USERS = administering(
    "GET",
    _USERS,
    "access.users",
    NoneType,
    list[UserRecord],
    "List the users; the first organization sees all.",
    changes=False,
)
CREATE_USER = administering(
    "POST",
    _USERS,
    "access.create_user",
    UserCreation,
    UserRecord,
    "Add a user whose name is not taken.",
    retry_safe=False,
)
PATCH_USER = administering(
    "PATCH", _USER, "access.patch_user", UserPatch, UserRecord, "Change a user's role, or shut a user out."
)
TOKENS = administering(
    "GET",
    f"{_USER}/tokens",
    "access.tokens",
    NoneType,
    list[TokenRecord],
    "List the tokens of a user, without their secrets.",
    changes=False,
)
ISSUE_TOKEN = administering(
    "POST",
    f"{_USER}/tokens",
    "access.issue_token",
    TokenCreation,
    IssuedToken,
    "Give a user a new token; its secret is shown this once.",
    retry_safe=False,
    secret=True,
)
REVOKE_TOKEN = administering(
    "DELETE", "/tokens/{key}", "access.revoke_token", NoneType, TokenRecord, "Make a token worthless from now on."
)
