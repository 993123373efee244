"""Assets by their identifiers, all of them or an error that names who is missing."""

from collections.abc import Sequence

from mainsequence.client.assets import Asset
from mainsequence.domain.values import listed
from mainsequence.errors import UnknownAssetsError


def registered(identifiers: Sequence[str]) -> list[Asset]:
    """Read assets by their identifiers, in that order, retired ones too: the past stays computable.

    Raises
    ------
    UnknownAssetsError
        Some of them are not registered.
    """
    found = {
        each.unique_identifier: each
        for each in Asset.filter(unique_identifier__in=list(identifiers), include_retired=True)
    }
    unknown = [name for name in identifiers if name not in found]
    if unknown:
        raise UnknownAssetsError(
            f"{len(unknown)} of {len(identifiers)} assets are not registered: {listed(unknown)}.",
            hint="Register them with Asset.batch_get_or_register_custom_assets(…).",
            unknown=unknown[:1_000],
        )
    return [found[name] for name in identifiers]
