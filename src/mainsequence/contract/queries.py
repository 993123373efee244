"""How listings are asked for, whatever the noun."""

from typing import Any

from pydantic import Field

from mainsequence.domain.values import Value

MAX_PAGE = 10_000


class Query(Value):
    """Which objects, and which page of them."""

    filters: dict[str, Any] = Field(default_factory=dict, description="Django-style lookups, such as ticker__in")
    limit: int = Field(1_000, ge=1, le=MAX_PAGE)
    after: int | None = Field(None, ge=-(2**63), lt=2**63, description="Continue behind this id")
