"""Telling universes which nodes read them."""

from collections.abc import Iterable

from mainsequence.client.categories import AssetCategory, find_universe
from mainsequence.client.connection import carrier
from mainsequence.contract.categories import DROP_REFERENCE, REGISTER_REFERENCE
from mainsequence.domain.categories import Reference
from mainsequence.domain.pins import name_of
from mainsequence.domain.readers import ReaderAbout
from mainsequence.errors import NotFoundError, ValidationError

KIND = "node"


def register_reader(universes: Iterable[str], identifier: str, about: ReaderAbout | None = None) -> None:
    """Register a node as a reader of universes (pinned ones too: ``name@revision``), where it is not yet.

    Parameters
    ----------
    universes
        How it names them.
    identifier
        Its series.
    about
        What plans need to know of it.

    Raises
    ------
    NotFoundError
        There is no such universe.
    """
    for universe in universes:
        told = (about or ReaderAbout()).model_copy(update={"names": (universe,)})
        reader = Reference(kind=KIND, identifier=identifier, about=told)
        category = find_universe(_name(universe))
        if not any(each == reader and _knows(each, told) for each in category.references()):
            carrier().call(REGISTER_REFERENCE, reader, key=category.id)


def _knows(registered: Reference, told: ReaderAbout) -> bool:
    return registered.about is not None and registered.about.joined(told) == registered.about


def drop_reader(universes: Iterable[str], identifier: str) -> None:
    """Forget a node as a reader of universes; those that are gone are fine."""
    reader = Reference(kind=KIND, identifier=identifier)
    for universe in universes:
        category = AssetCategory.get_or_none(unique_identifier=_name(universe))
        if category is not None:
            carrier().call(DROP_REFERENCE, reader, key=category.id)


def _name(universe: str) -> str:
    try:
        return name_of(universe)
    except ValidationError:
        raise NotFoundError(f"{universe!r} names no asset category.", hint="Write its unique_identifier.") from None
