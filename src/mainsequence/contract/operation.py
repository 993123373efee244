"""What an operation is: a frozen value that both carriers, the server and the documentation read."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mainsequence.domain.access import Role
from mainsequence.domain.sharing import Kind

In = TypeVar("In")
Out = TypeVar("Out")

OBJECTS: dict[str, Kind] = {
    "/asset-categories/{key}": "category",
    "/asset-translation-tables/{key}": "translation_table",
    "/portfolios/{key}": "portfolio",
}
"""Where the objects stand that can be shared."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[In, Out]):
    """One thing that can be asked of the platform.

    Parameters
    ----------
    name
        Dotted name, ``noun.verb``.
    method, path
        Where it stands on the wire; the path's ``{names}`` are given by keyword when it is called.
    takes, gives
        Types of the body and of the answer, as pydantic understands them; ``NoneType`` for none and
        ``pyarrow.Table`` (by name, see `contract.arrow`) for bulk data.
    access
        The role it needs.
    retry_safe
        Whether repeating it after a lost answer changes nothing twice.
    summary
        One line for people.
    changes
        Whether it may change something.
    answer_is_secret
        Whether its answer is never kept, so that it cannot be repeated after a lost answer.
    changes_object
        Whether what it changes is the object that its path names; registering a reader of a universe does not.
    """

    name: str
    method: str
    path: str
    takes: Any
    gives: Any
    access: Role
    retry_safe: bool
    summary: str
    changes: bool = True
    answer_is_secret: bool = False
    changes_object: bool = True

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.changes

    @property
    def edits(self) -> Kind | None:
        """The kind of the object that it changes and its path names, where that can be shared: a grant allows it."""
        if not (self.changes and self.changes_object):
            return None
        return next((kind for path, kind in OBJECTS.items() if f"{self.path}/".startswith(f"{path}/")), None)

    @property
    def deletes(self) -> bool:
        """Whether it deletes an object that can be shared, which no grant allows."""
        return self.method == "DELETE" and self.path in OBJECTS

    @property
    def takes_parameters(self) -> bool:
        """Whether what it takes crosses as parameters of the address instead of a body."""
        return self.method in {"GET", "DELETE"}


def reading(method: str, path: str, name: str, takes: type[In], gives: type[Out], summary: str) -> Operation[In, Out]:
    """Declare an operation that changes nothing."""
    return Operation(name, method, path, takes, gives, Role.READER, True, summary, changes=False)


def writing(
    method: str,
    path: str,
    name: str,
    takes: type[In],
    gives: type[Out],
    summary: str,
    *,
    retry_safe: bool = True,
    changes_object: bool = True,
) -> Operation[In, Out]:
    """Declare an operation that changes something, for editors."""
    return Operation(name, method, path, takes, gives, Role.EDITOR, retry_safe, summary, changes_object=changes_object)


def administering(
    method: str,
    path: str,
    name: str,
    takes: type[In],
    gives: type[Out],
    summary: str,
    *,
    changes: bool = True,
    retry_safe: bool = True,
    secret: bool = False,
) -> Operation[In, Out]:
    """Declare an operation for administrators."""
    return Operation(name, method, path, takes, gives, Role.ADMIN, retry_safe, summary, changes, secret)
