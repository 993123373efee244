"""Rights on one object, asked for where an operation that changes it begins."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from mainsequence.contract.operation import Operation
from mainsequence.domain.access import Actor, Role
from mainsequence.domain.sharing import WORDS, Kind, Standing
from mainsequence.errors import AlreadyExistsError, NotFoundError, PermissionDeniedError
from mainsequence.platform.registry import sharing


def check(connection: Connection, actor: Actor, operation: Operation[Any, Any], kind: Kind, key: int) -> None:
    """Refuse an operation on an object that somebody may not change so; administrators may everything.

    Raises
    ------
    NotFoundError
        The object does not exist, for them at least.
    PermissionDeniedError
        They may see it, but neither their role nor a grant lets them change it.
    """
    if actor.role is Role.ADMIN:
        return
    found = standing(connection, actor, kind, key)
    if not (found.may_delete if operation.deletes else found.may_edit):
        raise denied(actor, kind, operation.name)


def check_edit(connection: Connection, actor: Actor, kind: Kind, key: int) -> None:
    """Refuse to change an object that somebody may not change; for services that find what they change by name.

    Raises
    ------
    PermissionDeniedError
        They may see it, but neither their role nor a grant lets them change it.
    """
    if actor.role is not Role.ADMIN and not standing(connection, actor, kind, key).may_edit:
        raise denied(actor, kind, "This")


def standing(connection: Connection, actor: Actor, kind: Kind, key: int) -> Standing:
    """Say how somebody stands to an object.

    Raises
    ------
    NotFoundError
        It does not exist, for them at least.
    """
    found = sharing.standing(connection, actor, kind, key)
    if found is None:
        raise missing(kind, key)
    return found


def missing(kind: Kind, key: int) -> NotFoundError:
    """Say that an object does not exist, in the same words whether it is hidden or was never there."""
    word, name = WORDS[kind]
    return NotFoundError(f"There is no {word} with id {key}.", hint=f"msc.{name}.filter() lists those that exist.")


def taken(kind: Kind, unique_identifier: str) -> AlreadyExistsError:
    """Say that an identifier belongs to an object that is hidden from who asks for it."""
    word, _ = WORDS[kind]
    return AlreadyExistsError(
        f"The identifier {unique_identifier!r} is taken by {_article(word)} that is not shared with you.",
        hint="Choose another one, or ask an administrator.",
    )


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def known(found: Iterable[list[str]]) -> list[str]:
    """Name what who asks may see, given that and all there is, and say how much more there is."""
    seen, every = found
    return named(seen, len(every))


def named(seen: list[str], count: int) -> list[str]:
    """Name what refers to something, and say how much more does that is hidden from who asks."""
    hidden = count - len(seen)
    return [*seen, f"{hidden} more that {'is' if hidden == 1 else 'are'} not shared with you"] if hidden else seen


def denied(actor: Actor, kind: Kind, asked: str) -> PermissionDeniedError:
    """Say that somebody may look at an object and no more."""
    return PermissionDeniedError(
        f"{asked} changes the {WORDS[kind][0]}, and {actor.name} ({actor.role.name.lower()}) may only view it.",
        hint="Ask its owner or an administrator for edit rights.",
    )
