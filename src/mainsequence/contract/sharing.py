"""Everything that can be done to share universes, translation tables and portfolios."""

from dataclasses import dataclass
from types import NoneType
from typing import Any

from mainsequence.contract.operation import OBJECTS, Operation, reading
from mainsequence.domain.access import Role
from mainsequence.domain.sharing import WORDS, GrantCreation, Grantee, Kind, Sharing, Visibility
from mainsequence.domain.values import Value


class VisibilityChange(Value):
    """Who sees an object to which nothing was granted: everybody of the organization, or nobody."""

    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Verbs:
    """The operations on the sharing of one kind of object."""

    kind: Kind
    get: Operation[None, Sharing]
    change: Operation[VisibilityChange, Sharing]
    share: Operation[GrantCreation, Sharing]
    unshare: Operation[Grantee, Sharing]

    @property
    def operations(self) -> tuple[Operation[Any, Any], ...]:
        """All of them."""
        return self.get, self.change, self.share, self.unshare


def _verbs(kind: Kind, noun: str) -> Verbs:
    """Declare the verbs of a kind; whether somebody may share is said by the object, not by their role alone."""
    one = next(path for path, each in OBJECTS.items() if each == kind)
    word = WORDS[kind][0]

    def changing(method: str, verb: str, name: str, takes: Any, summary: str) -> Operation[Any, Sharing]:
        return Operation(f"{noun}.{name}", method, f"{one}/{verb}", takes, Sharing, Role.READER, True, summary)

    return Verbs(
        kind,
        reading("GET", f"{one}/sharing", f"{noun}.sharing", NoneType, Sharing, f"Say with whom the {word} is shared."),
        changing("PUT", "sharing", "set_visibility", VisibilityChange, f"Say who sees the {word} without a grant."),
        changing("POST", "share", "share", GrantCreation, f"Give a user or a team rights on the {word}."),
        changing(
            "POST", "unshare", "unshare", Grantee, f"Take from a user or a team what they were given on the {word}."
        ),
    )


CATEGORIES = _verbs("category", "categories")
TRANSLATION_TABLES = _verbs("translation_table", "routing")
PORTFOLIOS = _verbs("portfolio", "portfolios")

VERBS = {each.kind: each for each in (CATEGORIES, TRANSLATION_TABLES, PORTFOLIOS)}

CATEGORY_SHARING, CATEGORY_VISIBILITY, CATEGORY_SHARE, CATEGORY_UNSHARE = CATEGORIES.operations
TABLE_SHARING, TABLE_VISIBILITY, TABLE_SHARE, TABLE_UNSHARE = TRANSLATION_TABLES.operations
PORTFOLIO_SHARING, PORTFOLIO_VISIBILITY, PORTFOLIO_SHARE, PORTFOLIO_UNSHARE = PORTFOLIOS.operations
