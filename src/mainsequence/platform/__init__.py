"""The work itself: registry, lake, services, and the platform that wires them."""
