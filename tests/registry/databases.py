"""Databases without a registry, for the releases that came before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgresql import server


@contextmanager
def an_empty_database(kind: str, home: Path) -> Iterator[str]:
    """Give the address of a database without a registry."""
    home.mkdir()
    if kind == "sqlite":
        yield f"sqlite:///{home / 'registry.db'}"
        return
    running = server()
    name = running.create()
    try:
        yield running.url(name)
    finally:
        running.drop(name)
