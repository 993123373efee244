"""Everything that can be done with universes."""

from types import NoneType
from typing import Any, Self

from pydantic import Field, model_validator

from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.operation import reading, writing
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import (
    AssetId,
    CategoryCreation,
    CategoryDiff,
    CategoryRecord,
    Reason,
    Reference,
    Revision,
    Weight,
)
from mainsequence.domain.identifiers import Description, Name
from mainsequence.domain.times import Instant
from mainsequence.domain.values import Page, Value, refuse_null


class CategoryPatch(Value):
    """Descriptions to change, and members to replace in one step."""

    display_name: Name | None = None
    description: Description | None = None
    assets: list[AssetId] | None = None
    if_revision: int | None = None
    reason: Reason | None = None
    force: bool = Field(False, description="Go past the guard against large removals")

    @model_validator(mode="after")
    def _nothing_null(self) -> Self:
        refuse_null(self, "display_name", "assets")
        return self


class MembershipEdit(Value):
    """A change of membership: all or nothing, one revision, none where nothing changes.

    Without dates it holds for all time, or from now on for a dated universe.
    """

    asset_ids: list[AssetId]
    weights: list[Weight] | None = Field(None, description="One for each asset id")
    effective_from: Instant | None = None
    effective_to: Instant | None = None
    if_revision: int | None = Field(None, description="Refuse unless the head is this revision")
    reason: Reason | None = None
    force: bool = Field(False, description="Go past the guard against large removals")


class AsOf(Value):
    """Which state: valid at ``as_of`` (by default now), as recorded at a revision or known at a time."""

    as_of: Instant | None = None
    revision: int | None = Field(None, ge=0)
    known_at: Instant | None = None


class MembersOf(AsOf):
    """Which state, and which part of its members, in the order of their ids."""

    limit: int | None = Field(None, ge=1, le=MAX_PAGE, description="How many at most; by default all")
    after: AssetId | None = Field(None, description="Continue behind this id")


class Span(Value):
    """Validity intervals that overlap ``[start, end)``, as recorded at a revision or known at a time."""

    start: Instant | None = None
    end: Instant | None = None
    revision: int | None = Field(None, ge=0)
    known_at: Instant | None = None


class CategorySelection(Value):
    """Universes by their ids."""

    category_ids: list[int]


class CategoryMembers(Value):
    """The ids of the members of one universe."""

    id: int
    asset_ids: list[int]


class MemberCount(Value):
    """How many members one universe has."""

    id: int
    members: int


class DiffSide(AsOf):
    """A state to compare."""

    category: int | None = Field(None, description="Of which universe; by default of the one in the address")


class DiffQuery(Value):
    """Two states to compare."""

    a: DiffSide
    b: DiffSide


_ONE = "/asset-categories/{key}"

QUERY = reading(
    "POST", "/asset-categories/query", "categories.query", Query, Page[CategoryRecord], "Find universes, page by page."
)
GET = reading("GET", _ONE, "categories.get", NoneType, CategoryRecord, "Read one universe, without its members.")
CREATE = writing(
    "POST",
    "/asset-categories",
    "categories.create",
    CategoryCreation,
    CategoryRecord,
    "Create a universe whose identifier is not taken.",
    retry_safe=False,
)
GET_OR_CREATE = writing(
    "POST",
    "/asset-categories/get-or-create",
    "categories.get_or_create",
    CategoryCreation,
    CategoryRecord,
    "Read the universe with this identifier, or create it; one that exists is returned unchanged.",
)
PATCH = writing("PATCH", _ONE, "categories.patch", CategoryPatch, CategoryRecord, "Change descriptions or members.")
DELETE = writing("DELETE", _ONE, "categories.delete", NoneType, NoneType, "Delete a universe that nothing refers to.")

APPEND_ASSETS = writing(
    "POST", f"{_ONE}/append-assets", "categories.append_assets", MembershipEdit, CategoryRecord, "Make assets members."
)
REMOVE_ASSETS = writing(
    "POST", f"{_ONE}/remove-assets", "categories.remove_assets", MembershipEdit, CategoryRecord, "Take assets out."
)
UPDATE_ASSETS = writing(
    "POST",
    f"{_ONE}/update-assets",
    "categories.update_assets",
    MembershipEdit,
    CategoryRecord,
    "Make the universe exactly these assets, in one step.",
)

ASSET_IDS = reading("GET", f"{_ONE}/asset-ids", "categories.asset_ids", AsOf, list[int], "Read the ids of the members.")
ASSET_IDS_OF = reading(
    "POST",
    "/asset-categories/asset-ids",
    "categories.asset_ids_of",
    CategorySelection,
    list[CategoryMembers],
    "Read the ids of the members of many universes now; those that do not exist are left out.",
)
MEMBER_COUNTS = reading(
    "POST",
    "/asset-categories/member-counts",
    "categories.member_counts",
    CategorySelection,
    list[MemberCount],
    "Count the members of many universes now; those that do not exist are left out.",
)
ASSETS = reading("GET", f"{_ONE}/assets", "categories.assets", MembersOf, list[AssetRecord], "Read the members.")
WEIGHTS = reading(
    *("GET", f"{_ONE}/weights", "categories.weights", MembersOf, dict[str, Any]),
    "Read the members' weights by identifier.",
)
MEMBERS = reading("GET", f"{_ONE}/members", "categories.members", Span, ArrowTable, "Read validity intervals.")
HISTORY = reading("GET", f"{_ONE}/history", "categories.history", NoneType, list[Revision], "Read every revision.")
DIFF = reading("POST", f"{_ONE}/diff", "categories.diff", DiffQuery, CategoryDiff, "Compare two states.")
REFERENCES = reading(
    "GET", f"{_ONE}/references", "categories.references", NoneType, list[Reference], "List what reads the universe."
)
REGISTER_REFERENCE = writing(
    *("PUT", f"{_ONE}/references", "categories.register_reference", Reference, NoneType, "Register a reader."),
    changes_object=False,
)
DROP_REFERENCE = writing(
    *("DELETE", f"{_ONE}/references", "categories.drop_reference", Reference, NoneType, "Forget a reader."),
    changes_object=False,
)
CONTAINING = reading(
    "GET", "/assets/{key}/asset-categories", "categories.containing", AsOf, list[CategoryRecord], "List its universes."
)
