"""What an operation is: a frozen value that both carriers, the server and the documentation read."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mainsequence.domain.access import Role

In = TypeVar("In")
Out = TypeVar("Out")


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

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.changes

    @property
    def takes_parameters(self) -> bool:
        """Whether what it takes crosses as parameters of the address instead of a body."""
        return self.method in {"GET", "DELETE"}


def reading(method: str, path: str, name: str, takes: type[In], gives: type[Out], summary: str) -> Operation[In, Out]:
    """Declare an operation that changes nothing."""
    return Operation(name, method, path, takes, gives, Role.READER, True, summary, changes=False)


def writing(
    method: str, path: str, name: str, takes: type[In], gives: type[Out], summary: str, *, retry_safe: bool = True
) -> Operation[In, Out]:
    """Declare an operation that changes something, for editors."""
    return Operation(name, method, path, takes, gives, Role.EDITOR, retry_safe, summary)
