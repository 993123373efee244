"""One visit of a page: who looks, what was asked; and what a page answers with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mainsequence.contract.operation import In, Operation, Out
from mainsequence.domain.access import Actor
from mainsequence.errors import AuthenticationError
from mainsequence.platform.platform import Platform
from mainsequence.server.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page, read.

    Parameters
    ----------
    platform, sessions
        What carries operations out, and who is logged in.
    actor
        Who looks; ``None`` where nobody is logged in.
    given
        Parameters of the address, or where a form was sent its fields alone; those left blank are not there.
    key
        The id in the path.
    number
        The second number in the path, such as that of a revision.
    path
        The path, for links to itself.
    client
        The address of who looks.
    secret
        What the browser shows: a token, or the token of a session; ``None`` where none is needed.
    """

    platform: Platform
    sessions: Sessions
    actor: Actor | None
    given: Mapping[str, str]
    key: int = 0
    number: int = 0
    path: str = ""
    client: str = ""
    secret: str | None = None

    def ask(self, operation: Operation[In, Out], body: In, /, **path: int) -> Out:
        """Carry out one operation for who looks."""
        if self.actor is None:
            raise AuthenticationError("Nobody is logged in.", hint="Log in first.")
        return self.platform.call_as(self.actor, operation, body, **path)

    def text(self, name: str) -> str | None:
        """Give what was written into a field; ``None`` where it is blank."""
        return self.given.get(name)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: a template, what it shows, and its status."""

    template: str
    facts: dict[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another page to go to, after something was done.

    Parameters
    ----------
    path
        Where.
    secret
        What the browser shall show from now on; an empty one is forgotten, ``None`` changes nothing.
    lasts
        For how many seconds; ``None``: until the browser is closed.
    """

    path: str
    secret: str | None = None
    lasts: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as SVG."""

    content: bytes


Answer: TypeAlias = Callable[[Visit], Shown | Elsewhere | Drawn]


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and the function that answers there.

    Parameters
    ----------
    method, path
        Where it stands; ``{key}`` and ``{number}`` are numbers.
    answer
        Gives what is shown.
    is_open
        Whether it is shown to those who are not logged in, too.
    """

    method: str
    path: str
    answer: Answer
    is_open: bool = False

    @property
    def writes(self) -> bool:
        """Whether something may change; a question can be too long for an address, and is posted too."""
        return self.method == "POST" and not self.path.endswith("/what-if")
