"""Services: one module per noun, functions that carry operations out, each in one unit of work."""

from importlib import import_module

NOUNS = (
    "access",
    "announcements",
    "approvals",
    "assets",
    "audit",
    "categories",
    "changes",
    "credentials",
    "definitions",
    "explanations",
    "governing",
    "loading",
    "membership_lists",
    "membership_reads",
    "plans",
    "pins",
    "portfolio_groups",
    "portfolios",
    "reconciliation",
    "recorded",
    "redefining",
    "resolution",
    "routing",
    "rules",
    "series",
    "sharing",
    "teams",
    "verification",
    "webhooks",
    "written",
)


def load() -> None:
    """Register every service."""
    for noun in NOUNS:
        import_module(f"{__name__}.{noun}")
