"""Universes: named sets of assets whose members hold over time, and whose every state is a revision."""

from html import escape
from typing import Annotated

from pydantic import AllowInfNan, Field, StringConstraints

from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.identifiers import Description, FreeText, Name, UniverseIdentifier, identifier_from_name
from mainsequence.domain.lookups import EXACT_ONLY, IDENTIFYING, LISTED, FieldLookups, Lookup
from mainsequence.domain.readers import ReaderAbout
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Value, listed

CATEGORY_LOOKUPS = {
    "id": FieldLookups(LISTED, int),
    **dict.fromkeys(("unique_identifier", "display_name", "description"), FieldLookups(IDENTIFYING)),
    "dated": FieldLookups(EXACT_ONLY, bool),
    "kind": FieldLookups(LISTED),
    "search": FieldLookups(frozenset({Lookup.ICONTAINS})),
}
"""What universes can be filtered by; ``search`` looks into identifier and name."""

AssetId = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""The id of an asset, or what could be one."""

Weight = Annotated[float, AllowInfNan(False)]
Reason = Annotated[FreeText, StringConstraints(max_length=4_000)]


class CategoryFields(Value):
    """What describes a universe."""

    display_name: Name
    description: Description | None = None


class CategoryCreation(Value):
    """What creates a universe; one of the two names may be left out and follows from the other."""

    unique_identifier: UniverseIdentifier
    display_name: Name
    description: Description | None = None
    dated: bool = False
    assets: list[AssetId] = Field(default_factory=list, description="Ids of the first members")


def named(unique_identifier: str | None, display_name: str | None) -> dict[str, str | None]:
    """Complete the two names of a universe from each other."""
    derived = identifier_from_name(display_name) if isinstance(display_name, str) else None
    return {
        "unique_identifier": derived if unique_identifier is None else unique_identifier,
        "display_name": unique_identifier if display_name is None else display_name,
    }


class Deprecation(Value):
    """Why a universe should be read no more, and what to read instead."""

    at: Instant
    successor: str | None = Field(description="The identifier of the universe to read instead")
    reason: str | None


class CategoryRecord(CategoryFields):
    """A universe as it is stored, without its members."""

    id: int
    unique_identifier: UniverseIdentifier
    dated: bool
    revision: int = Field(description="The head: how many changes of it were recorded")
    created_at: Instant
    kind: str = Field("members", description="members, or expression or rule where it is made from other universes")
    deprecated: Deprecation | None = Field(None, description="Where it should be read no more")


ANNOUNCE = "announce"
"""What a load calls itself in the history that changes no membership, but notes when changes were announced."""


class Revision(Value):
    """One recorded state of a universe."""

    revision: int
    recorded_at: Instant
    actor: str
    operation: str
    reason: str | None
    added: int = Field(description="Assets that gained time as members")
    removed: int = Field(description="Assets that lost time as members")
    content_hash: str = Field(description="Hash of this change chained to the hash of the revision before")
    approved_by: str | None = Field(None, description="Who approved it, where it needed approval")
    announced: int | None = Field(None, description="Announcements that were noted with it, where there were any")

    @property
    def is_announcement(self) -> bool:
        """Whether it notes announcements alone: membership is what it was before."""
        return self.operation == ANNOUNCE


class CategoryDiff(Value):
    """How two states of a universe differ."""

    entered: list[AssetRecord]
    left: list[AssetRecord]
    reweighted: list[AssetRecord]

    def __repr__(self) -> str:
        named = {
            name: [each.unique_identifier for each in assets] for name, assets in self if assets or name != "reweighted"
        }
        return f"CategoryDiff({', '.join(f'{len(ids)} {name}: {listed(ids)}' for name, ids in named.items())})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td>{escape(each.unique_identifier)}</td><td>{escape(str(each.name or ''))}</td></tr>"
            for name, assets in self
            for each in assets
        )
        return f"<table><caption>{escape(repr(self)[:200])}</caption>{rows}</table>"


UNIVERSE_REFERENCE = "category"
"""The kind of the readers that are universes themselves."""


ReaderKind = Annotated[FreeText, StringConstraints(max_length=50)]
ReaderName = Annotated[FreeText, StringConstraints(max_length=255)]


class Reference(Value):
    """Something that reads a universe; the same one whatever it tells of itself."""

    kind: ReaderKind
    identifier: ReaderName
    about: ReaderAbout | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return (self.kind, self.identifier) == (other.kind, other.identifier)

    def __hash__(self) -> int:
        return hash((self.kind, self.identifier))
