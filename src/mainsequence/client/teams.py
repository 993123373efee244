"""``msc.Team``: a named set of users, with whom things are shared at once."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.contract import teams as contract
from mainsequence.contract.operation import Operation
from mainsequence.domain.access import TeamCreation, TeamRecord
from mainsequence.errors import ValidationError


class Team(Noun[TeamRecord], TeamRecord):
    """A named set of users of your organization; what is shared with it is shared with each of them.

    Administrators make, fill and delete teams; everybody may read them. Every verb refreshes the object and returns it.
    """

    _query = contract.QUERY
    _get = contract.GET
    _shown: ClassVar[tuple[str, ...]] = ("id", "name", "members")

    @classmethod
    def create(cls, name: str, members: Iterable[str] = ()) -> Self:
        """Make a team.

        Parameters
        ----------
        name
            Its name: letters, digits and ``._@+-``.
        members
            Names of users.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        NotFoundError
            A user that your organization does not have; no team is made.
        PermissionDeniedError
            You are no administrator.
        """
        where = carrier()
        body = TeamCreation.parse({"name": name, "members": _names(members)})
        return cls._bind(where.call(contract.CREATE, body), where)

    def add(self, *users: str) -> Self:
        """Put users into the team, by name; those that are in it stay. Errors as `create`."""
        return self._edit(contract.ADD_MEMBERS, users)

    def remove(self, *users: str) -> Self:
        """Take users out of the team, by name; those that are not in it are left alone. Errors as `create`."""
        return self._edit(contract.REMOVE_MEMBERS, users)

    def _edit(self, operation: Operation[contract.TeamEdit, TeamRecord], users: Iterable[str]) -> Self:
        body = contract.TeamEdit.parse({"members": _names(users)})
        return self._refresh(self._call(operation, body, key=self.id))

    def refresh(self) -> Self:
        """Read the team again."""
        return self._refresh(self._call(contract.GET, None, key=self.id))

    def delete(self) -> None:
        """Delete the team; what was shared with it is shared with nobody."""
        self._call(contract.DELETE, None, key=self.id)


def _names(users: Any) -> list[str]:
    if isinstance(users, str) or not isinstance(users, Iterable):
        raise ValidationError(f"members takes names of users, got {users!r}.", hint="Write members=['ada'].")
    return list(users)
