"""Several people on one platform, whichever carrier reaches it."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import mainsequence.client as msc
from mainsequence.client import connection
from mainsequence.contract import access as contract
from mainsequence.domain.access import LOCAL_ORGANIZATION, Actor, Role, TokenCreation, UserCreation, UserRecord


class Person:
    """A user; ``with person:`` (as often as wanted) is a session of theirs."""

    def __init__(self, name: str, role: str = "editor", organization: str | None = None) -> None:
        self.name, self.role = name, role
        carrier = connection.carrier()
        body = UserCreation.parse({"name": name, "role": role, "organization": organization})
        self.record: UserRecord = carrier.call(contract.CREATE_USER, body)
        self.organization_id = LOCAL_ORGANIZATION if organization is None else LOCAL_ORGANIZATION + 1
        self.token = carrier.call(contract.ISSUE_TOKEN, TokenCreation(), key=self.record.id).token

    def becomes(self, role: str) -> None:
        """Give them another role; administrators only."""
        connection.carrier().call(contract.PATCH_USER, contract.UserPatch.parse({"role": role}), key=self.record.id)
        self.role = role

    def session(self) -> AbstractContextManager[object]:
        """Act as them inside a ``with`` block."""
        endpoint = os.environ.get("MAINSEQUENCE_ENDPOINT")
        return self._embedded() if endpoint is None else msc.session(endpoint, self.token)

    @contextmanager
    def _embedded(self) -> Iterator[None]:
        with msc.session() as platform:
            platform.actor = Actor(self.name, self.organization_id, Role[self.role.upper()])  # type: ignore[attr-defined]
            yield

    def sees(self, kind: type[msc.AssetCategory | msc.AssetTranslationTable | msc.Portfolio]) -> set[str]:
        """Name all objects of a kind that they find."""
        with self.session():
            return {each.unique_identifier for each in kind.filter()}
