"""The whole schema: every module that declares tables, and what they declare together."""

from mainsequence.platform.registry import (
    announcement_tables,
    audit_tables,
    composition_tables,
    credentials_tables,
    governance_tables,
    sharing_tables,
    webhook_tables,
)
from mainsequence.platform.registry.tables import SCHEMA_HEAD, metadata

__all__ = [
    "SCHEMA_HEAD",
    "announcement_tables",
    "audit_tables",
    "composition_tables",
    "credentials_tables",
    "governance_tables",
    "metadata",
    "sharing_tables",
    "webhook_tables",
]
