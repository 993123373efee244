"""Who acts, and what an operation asks of them."""

from dataclasses import dataclass
from enum import IntEnum

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
