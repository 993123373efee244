"""Homes for tests: a registry with every migration applied, made once in a process and copied into each home.

A migration is a dozen revisions of work that thousands of tests would repeat; tests of migrations, and those about a
home that nobody has opened, make their own.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from mainsequence.platform.registry.engine import open_sqlite

REGISTRY = "registry.db"


@cache
def migrated() -> Path:
    """Make the registry that is copied, as the first opening of a home makes it."""
    folder = Path(tempfile.mkdtemp(prefix="migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_sqlite(folder / REGISTRY).dispose()
    left = {path.name for path in folder.iterdir() if path.stat().st_size}
    if left != {REGISTRY}:
        raise RuntimeError(f"Besides the registry, its first opening left {sorted(left - {REGISTRY})}.")
    return folder / REGISTRY


def make(folder: Path) -> None:
    """Make a home in a folder as its first opening does."""
    folder.mkdir()
    (folder / "registry.lock").touch()
    shutil.copy(migrated(), folder / REGISTRY)
