"""Signals that come with the package (METHODOLOGY section 6)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import field_validator

from mainsequence.client.assets import Asset
from mainsequence.compute.weights import Postings, equal_weights
from mainsequence.domain.identifiers import UniqueIdentifier
from mainsequence.domain.times import to_micros
from mainsequence.domain.values import Value, listed
from mainsequence.errors import InvalidWeightsError
from mainsequence.tdag import DataNodeConfiguration, DataNodeMetaData
from mainsequence.virtualfundbuilder.columns import by_asset
from mainsequence.virtualfundbuilder.contrib.data_nodes.registered import registered
from mainsequence.virtualfundbuilder.weights import WEIGHT, WeightsBase

if TYPE_CHECKING:
    import pyarrow as pa

FOR_EVER = datetime(1900, 1, 1, tzinfo=UTC)
"""The time of a posting that holds from the beginning: before any price."""


class AUIDWeight(Value):
    """The weight of one asset."""

    unique_identifier: UniqueIdentifier
    weight: float


class FixedWeightsConfiguration(DataNodeConfiguration):
    """The weights: one `AUIDWeight` (or its fields) for each asset."""

    asset_unique_identifier_weights: tuple[AUIDWeight, ...]

    @field_validator("asset_unique_identifier_weights")
    @classmethod
    def _check(cls, given: tuple[AUIDWeight, ...]) -> tuple[AUIDWeight, ...]:
        bad = [each.unique_identifier for each in given if not np.isfinite(each.weight)]
        if bad:
            raise InvalidWeightsError(
                f"The weights of {listed(bad)} are null or infinite.", hint="Give finite weights."
            )
        weights = tuple(sorted(given, key=lambda each: each.unique_identifier))
        named = [each.unique_identifier for each in weights]
        twice = sorted({name for name, after in pairwise(named) if name == after})
        if twice or not named:
            problem = f"{listed(twice)} named twice" if twice else "no asset has a weight"
            raise InvalidWeightsError(f"Fixed weights refused: {problem}.", hint="Give one weight for each asset.")
        return weights


class FixedWeights(WeightsBase):
    """Hold the same weights for ever.

    ``FixedWeights(asset_unique_identifier_weights=[AUIDWeight(unique_identifier="AAPL", weight=0.6), …])``. What is
    missing to 1 is cash; weights may be negative. Null or infinite weights and assets named twice are refused at once,
    assets that are not registered when the signal is run.
    """

    config: FixedWeightsConfiguration

    def maximum_forward_fill(self) -> timedelta | None:
        """For ever."""
        return None

    def get_explanation(self) -> str:
        """Name the weights."""
        weights = self.config.asset_unique_identifier_weights
        return "Holds " + listed(f"{each.weight:.2%} {each.unique_identifier}" for each in weights) + " for ever."

    def get_asset_list(self) -> list[Asset]:
        """Give the assets that have a weight.

        Raises
        ------
        UnknownAssetsError
            Some of them are not registered.
        """
        return registered([each.unique_identifier for each in self.config.asset_unique_identifier_weights])

    def update(self) -> "pa.Table | None":
        """Post the weights, once."""
        if not self.update_statistics.is_empty:
            return None
        weights = self.config.asset_unique_identifier_weights
        values = {WEIGHT: np.array([each.weight for each in weights])}
        labels = tuple(each.unique_identifier for each in weights)
        return by_asset(np.full(len(weights), to_micros(FOR_EVER)), np.arange(len(weights)), labels, values)


class EqualWeightsConfiguration(DataNodeConfiguration):
    """The universe where no asset category gives it."""

    asset_unique_identifiers: tuple[str, ...] | None = None

    @field_validator("asset_unique_identifiers", mode="before")
    @classmethod
    def _distinct(cls, value: Any) -> Any:
        return tuple(sorted(set(value))) if isinstance(value, Iterable) and not isinstance(value, str) else value


class EqualWeights(WeightsBase):
    """Hold every member of the universe at 1/n.

    The weights follow from the universe alone, so that nothing is stored: they are those of the members at each
    rebalance time, at the revision that the portfolio reads. ``EqualWeights()`` in category mode,
    ``EqualWeights(asset_unique_identifiers=[…])`` where no asset category gives the universe.
    """

    config: EqualWeightsConfiguration

    def maximum_forward_fill(self) -> timedelta | None:
        """For ever: a posting holds until the universe changes."""
        return None

    def get_asset_list(self) -> list[Asset] | None:
        """Give the assets named in the configuration, ``None`` where the universe is an asset category."""
        given = self.config.asset_unique_identifiers
        return None if given is None else registered(given)

    def get_table_metadata(self) -> DataNodeMetaData:
        """Declare no columns beforehand, so that no series is made: nothing is ever stored."""
        return DataNodeMetaData(description="Equal weights follow from the universe")

    def update(self) -> None:
        """Store nothing."""

    def posted_assets(self, version: int | None = None) -> set[str]:
        """Nobody: the universe names them."""
        return set()

    def postings(
        self,
        columns: tuple[str, ...],
        stamps: npt.NDArray[np.int64],
        mask: npt.NDArray[np.bool_],
        *,
        version: int | None = None,
    ) -> Postings:
        """Give 1/n to the members, anew wherever the universe changes. Parameters as for `WeightsBase`."""
        changed = np.ones(len(stamps), dtype=np.bool_)
        changed[1:] = (mask[1:] != mask[:-1]).any(axis=1)
        return Postings(stamps[changed], equal_weights(mask[changed]))
