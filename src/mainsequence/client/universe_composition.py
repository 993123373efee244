"""Universes made from others, and from rules."""

from mainsequence.client.universe_base import UniverseObject


class Composed(UniverseObject):
    """Universes made from others, and from rules."""
