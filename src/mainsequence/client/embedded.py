"""The one place where the client reaches for the platform in this process."""

from mainsequence.contract.carrier import Carrier
from mainsequence.settings import Settings


def open_embedded(settings: Settings) -> Carrier:
    """Open the embedded platform under the home that the settings name."""
    from mainsequence.platform.platform import Platform

    return Platform.embedded(settings)
