"""What can be shared can say so: ``share``, ``unshare``, ``shared_with`` and ``set_visibility``."""

from typing import Any, ClassVar, Self

from mainsequence.client.base import ClientObject
from mainsequence.contract import sharing as contract
from mainsequence.domain.access import TeamRecord
from mainsequence.domain.sharing import Grant, GrantCreation, Grantee, RightsName, Sharing, Visibility


class SharedWith(ClientObject, Sharing):
    """Who reaches an object beside those whose role allows it: its owner, its visibility, and what was granted."""

    _shown: ClassVar[tuple[str, ...]] = ("owner", "visibility", "grants")

    def _facts(self) -> dict[str, Any]:
        return super()._facts() | {"grants": [_said(grant) for grant in self.__dict__.get("grants", ())] or None}


def _said(grant: Grant) -> str:
    whom = f"team {grant.team}" if grant.user is None else f"user {grant.user}"
    return f"{whom}: {grant.rights}"


class Shareable(ClientObject):
    """An object that can be shared with users and teams of the organization.

    Made, it is everybody's of the organization, as far as their roles go. Private, it exists only for its owner,
    administrators, and those it is shared with. A grant to ``view`` shows a private object; a grant to ``edit`` lets
    even a reader change the object. Deleting it and sharing it further is never granted.
    """

    _sharing: ClassVar[contract.Verbs]

    def share(
        self, *, user: str | None = None, team: TeamRecord | str | None = None, rights: RightsName = "view"
    ) -> Self:
        """Give a user or a team rights on the object; what they were given before is replaced.

        Parameters
        ----------
        user, team
            Whom: one of the two, by name, of your organization.
        rights
            ``view``, or ``edit``, which includes it.

        Raises
        ------
        NotFoundError
            Your organization has no such user or team.
        PermissionDeniedError
            You neither own the object nor are an administrator.
        """
        body = GrantCreation.parse({"user": user, "team": _name(team), "rights": rights})
        self._call(self._sharing.share, body, key=self._key())
        return self

    def unshare(self, *, user: str | None = None, team: TeamRecord | str | None = None) -> Self:
        """Take from a user or a team what they were given, if anything. Errors as `share`."""
        body = Grantee.parse({"user": user, "team": _name(team)})
        self._call(self._sharing.unshare, body, key=self._key())
        return self

    def set_visibility(self, visibility: Visibility) -> Self:
        """Say who sees the object to whom nothing was granted.

        Parameters
        ----------
        visibility
            ``organization``: everybody of it; ``private``: its owner and administrators alone.

        Raises
        ------
        PermissionDeniedError
            You neither own the object nor are an administrator.
        """
        body = contract.VisibilityChange.parse({"visibility": visibility})
        self._call(self._sharing.change, body, key=self._key())
        return self

    def shared_with(self) -> SharedWith:
        """Read who reaches the object beside those whose role allows it."""
        return self._bind_all(SharedWith, [self._call(self._sharing.get, None, key=self._key())])[0]

    def _key(self) -> int:
        return int(self.__dict__["id"])


def _name(team: TeamRecord | str | None) -> str | None:
    return team.name if isinstance(team, TeamRecord) else team
