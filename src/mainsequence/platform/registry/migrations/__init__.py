"""Migrations of the registry, for SQLite and PostgreSQL alike."""
