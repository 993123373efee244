"""Several people on one platform, whichever carrier reaches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import mainsequence.client as msc
from mainsequence.client import connection
from mainsequence.contract import access as contract
from mainsequence.contract.carrier import Carrier
from mainsequence.domain.access import LOCAL_ORGANIZATION, Actor, Role, TokenCreation, UserCreation, UserRecord
from mainsequence.platform.platform import Platform
from mainsequence.settings import Settings

OPENED: list[Carrier] = []
"""What a test opened; closed behind it."""


class Person:
    """A user, with a way of their own to the platform that holds for the whole test."""

    def __init__(self, name: str, role: str = "editor", organization: str | None = None) -> None:
        carrier = connection.carrier()
        body = UserCreation.parse({"name": name, "role": role, "organization": organization})
        self.record: UserRecord = carrier.call(contract.CREATE_USER, body)
        token = carrier.call(contract.ISSUE_TOKEN, TokenCreation(), key=self.record.id).token
        self.carrier = connection.open_carrier(replace(Settings.from_environment(), token=token))
        OPENED.append(self.carrier)
        if isinstance(self.carrier, Platform):
            organization_id = LOCAL_ORGANIZATION if organization is None else LOCAL_ORGANIZATION + 1
            self.carrier.actor = Actor(name, organization_id, Role[role.upper()])

    def becomes(self, role: str) -> None:
        """Give them another role."""
        connection.carrier().call(contract.PATCH_USER, contract.UserPatch.parse({"role": role}), key=self.record.id)
        if isinstance(self.carrier, Platform):
            self.carrier.actor = replace(self.carrier.actor, role=Role[role.upper()])

    @contextmanager
    def session(self) -> Iterator[None]:
        """Act as them inside a ``with`` block."""
        previous = connection._inside.set(self.carrier)
        try:
            yield
        finally:
            connection._inside.reset(previous)

    def sees(self, kind: type[msc.AssetCategory | msc.AssetTranslationTable | msc.Portfolio]) -> set[str]:
        """Name all objects of a kind that they find."""
        with self.session():
            return {each.unique_identifier for each in kind.filter()}
