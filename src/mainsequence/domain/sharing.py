"""Sharing: who may see, change, delete and share a universe, a translation table or a portfolio."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from mainsequence.domain.access import Role, TeamName, UserName
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError

Kind: TypeAlias = Literal["category", "translation_table", "portfolio"]
"""What can be shared."""

WORDS: dict[Kind, tuple[str, str]] = {
    "category": ("asset category", "AssetCategory"),
    "translation_table": ("asset translation table", "AssetTranslationTable"),
    "portfolio": ("portfolio", "Portfolio"),
}
"""What each kind is called in messages, and its class."""


class Rights(IntEnum):
    """What a grant allows; to edit includes to view."""

    VIEW = 1
    EDIT = 2


RightsName: TypeAlias = Literal["view", "edit"]
Visibility: TypeAlias = Literal["organization", "private"]


class Grantee(Value):
    """A user or a team of the organization, by name."""

    user: UserName | None = None
    team: TeamName | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.user is None) == (self.team is None):
            raise ValidationError("A grant is for one user or one team.", hint="Give user=… or team=….")
        return self


class GrantCreation(Grantee):
    """What is granted to whom; granted again, the new rights replace the old ones."""

    rights: RightsName = "view"


class Grant(Value):
    """Rights that a user or a team was given."""

    user: UserName | None
    team: TeamName | None
    rights: RightsName
    granted_by: str
    granted_at: Instant


class Sharing(Value):
    """Who may reach an object, beside what roles allow."""

    owner: str | None = Field(description="Who made it; null where nobody remembers")
    visibility: Visibility
    grants: list[Grant]


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to one object of their organization.

    Parameters
    ----------
    role
        Their role.
    owns
        Whether they made it.
    is_private
        Whether it is private.
    granted
        The most that was granted to them or to a team of theirs.
    """

    role: Role
    owns: bool
    is_private: bool
    granted: Rights | None

    @property
    def may_see(self) -> bool:
        """Whether it exists for them: a private object for its owner, administrators, and those it is shared with."""
        return not self.is_private or self.owns or self.granted is not None or self.role is Role.ADMIN

    @property
    def may_edit(self) -> bool:
        """Whether they may change it: by their role where it is theirs or everybody's, or by a grant."""
        return self.may_delete or self.granted is Rights.EDIT

    @property
    def may_delete(self) -> bool:
        """Whether they may delete it, which no grant allows."""
        if self.role is Role.ADMIN:
            return True
        return self.role is Role.EDITOR and (self.owns or not self.is_private)

    @property
    def may_share(self) -> bool:
        """Whether they may say who else reaches it: owners, unless they may only read by now, and administrators."""
        return self.role is Role.ADMIN or (self.owns and self.role is Role.EDITOR)
