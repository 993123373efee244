"""The past of a universe: explain, revert, verify, and the feed of changes."""

from mainsequence.client.universe_base import UniverseObject


class Remembered(UniverseObject):
    """The past of a universe: explain, revert, verify, and the feed of changes."""
