"""Several users of one platform, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import mainsequence.client as msc
from mainsequence.client.http import HttpCarrier
from mainsequence.contract import access
from mainsequence.domain.access import LOCAL_ORGANIZATION, Actor, Role, TokenCreation, UserCreation
from mainsequence.platform.platform import Platform
from mainsequence.settings import Settings
from tests.carriers.servers import a_server


class ActingCarrier:
    """A platform in this process, on behalf of one user."""

    def __init__(self, platform: Platform, name: str, role: Role) -> None:
        self.platform, self.actor = platform, Actor(name, LOCAL_ORGANIZATION, role)
        self.at_once = platform.at_once

    def call(self, operation: Any, body: Any, /, **path: int | str) -> Any:
        return self.platform.call_as(self.actor, operation, body, **path)

    def describe(self) -> str:
        return f"{self.platform.describe()} as {self.actor.name}"

    def close(self) -> None:
        self.platform.close()


Carriers = dict[str, Any]


@contextmanager
def users_in_process(home: Path, **roles: str) -> Iterator[Carriers]:
    """Give a carrier for each of some users of a fresh platform, on the database of the test."""
    platform = Platform.embedded(replace(Settings.from_environment(), home=home, endpoint=None))
    try:
        for name, role in roles.items():
            platform.call(access.CREATE_USER, UserCreation(name=name, role=role))
        yield {name: ActingCarrier(platform, name, Role[role.upper()]) for name, role in roles.items()}
    finally:
        platform.close()


@contextmanager
def users_over_http(home: Path, **roles: str) -> Iterator[Carriers]:
    """Give a carrier for each of some users of a fresh server, each with a token of their own."""
    with a_server(home) as (address, token):
        admin = HttpCarrier(address, token)
        carriers: Carriers = {}
        for name, role in roles.items():
            user = admin.call(access.CREATE_USER, UserCreation(name=name, role=role))
            issued = admin.call(access.ISSUE_TOKEN, TokenCreation(), key=user.id)
            carriers[name] = HttpCarrier(address, issued.token)
        yield carriers


def seen(category: msc.AssetCategory, carrier: Any) -> msc.AssetCategory:
    """Give a universe as another user has it."""
    return msc.AssetCategory._bind(category, carrier).refresh()


def request(number: int, carrier: Any) -> msc.ChangeRequest:
    """Give a request as another user has it."""
    from mainsequence.contract.guards import REQUEST

    return msc.ChangeRequest._bind(carrier.call(REQUEST, None, key=number), carrier)
