"""Real lists: loading, exporting and reconciling them."""

from mainsequence.client.universe_base import UniverseObject


class Listed(UniverseObject):
    """Real lists: loading, exporting and reconciling them."""
