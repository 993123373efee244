"""Who acts, and what an operation asks of them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from mainsequence.domain.identifiers import Name
from mainsequence.domain.lookups import IDENTIFYING, LISTED, FieldLookups
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value

LOCAL_ORGANIZATION = 1


class Role(IntEnum):
    """What a user may do in their organization; each role includes those before it."""

    READER = 1
    EDITOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """The user on whose behalf an operation runs."""

    name: str
    organization_id: int
    role: Role


LOCAL_OWNER = Actor(name="local", organization_id=LOCAL_ORGANIZATION, role=Role.ADMIN)
"""The actor of embedded mode."""

RoleName: TypeAlias = Literal["reader", "editor", "admin"]
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")]


TeamName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")]


class UserCreation(Value):
    """What adds a user; administrators of the first organization may name another one, which is made where needed."""

    name: UserName
    role: RoleName = "editor"
    organization: Name | None = Field(None, description="By default the organization of who asks")


class UserRecord(Value):
    """A user as stored."""

    id: int
    name: UserName
    role: RoleName
    organization: str
    is_active: bool
    created_at: Instant


class TokenCreation(Value):
    """What a new token is called and how long it holds."""

    label: Name = "token"
    expires_at: Instant | None = Field(None, description="By default it does not expire")


class TokenRecord(Value):
    """A token as stored: its secret is not."""

    id: int
    user_id: int
    label: Name
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None


class IssuedToken(TokenRecord):
    """A token at the one moment when its secret is shown."""

    token: str


class Whoami(Value):
    """Who asks."""

    name: str
    role: RoleName
    organization: str
    teams: list[str]


class TeamCreation(Value):
    """What adds a team to the organization."""

    name: TeamName
    members: list[UserName] = Field(default_factory=list, description="Names of users")


class TeamRecord(Value):
    """A team as stored: things can be shared with all its members at once."""

    id: int
    name: TeamName
    members: list[str] = Field(description="Names of users, sorted")
    created_at: Instant


TEAM_LOOKUPS = {"id": FieldLookups(LISTED, int), "name": FieldLookups(IDENTIFYING)}
"""What teams can be filtered by."""
