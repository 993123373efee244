"""What every part of ``msc.AssetCategory`` stands on: the record, bound to its carrier."""

from typing import ClassVar

from mainsequence.client.base import Noun
from mainsequence.contract import categories as contract
from mainsequence.domain.categories import CategoryRecord


class UniverseObject(Noun[CategoryRecord], CategoryRecord):
    """A universe as it is stored, with the way to its platform."""

    _query = contract.QUERY
    _get = contract.GET
    _shown: ClassVar[tuple[str, ...]] = (
        *("id", "unique_identifier", "display_name", "description", "revision", "dated"),
    )
