"""Changing a universe with foresight: plans, guards, approvals, deprecation."""

from mainsequence.client.universe_base import UniverseObject


class Planned(UniverseObject):
    """Changing a universe with foresight: plans, guards, approvals, deprecation."""
