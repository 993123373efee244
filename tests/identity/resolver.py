"""A resolver as a user would configure one."""

from mainsequence.domain.assets import AssetRegistration, SnapshotFields
from mainsequence.errors import NotFoundError


def apple_only(figi: str) -> AssetRegistration:
    if figi != "BBG000B9XRY4":
        raise NotFoundError(f"{figi} is not Apple.")
    return AssetRegistration(
        unique_identifier=figi, figi=figi, snapshot=SnapshotFields(name="Apple Inc", ticker="AAPL", exchange_code="US")
    )
