"""What can always be computed again from a version of a table, kept on disk to be read fast."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from mainsequence.logs import get_logger

Arrays = dict[str, npt.NDArray[Any]]
Derived = tuple[Arrays, dict[str, Any]]
_KEPT_VERSIONS = 2
_logger = get_logger(__name__)


class DerivedCache:
    """Arrays and facts by kind and key, one folder each; a lost or damaged one is simply computed again.

    Parameters
    ----------
    folder
        Where to keep them; ``None`` keeps none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, kind: str, key: str) -> Derived | None:
        """Read what was put, the arrays mapped into memory; ``None`` when there is nothing whole."""
        return None if self.folder is None else _load(self.folder / kind / key)

    def newest(self, kind: str) -> Derived | None:
        """Read what was put last, under whichever key."""
        kept = [] if self.folder is None else _entries(self.folder / kind)
        return _load(kept[0]) if kept else None

    def put(self, kind: str, key: str, arrays: Arrays, facts: dict[str, Any]) -> None:
        """Keep arrays and facts; a folder that cannot be written only costs the speed."""
        if self.folder is None:
            return
        building = self.folder / kind / f".{uuid4().hex}"
        try:
            _save(building, arrays, facts)
            building.rename(self.folder / kind / key)
        except OSError as error:
            _logger.debug("the derived %s/%s is not kept: %s", kind, key, error)
            shutil.rmtree(building, ignore_errors=True)
        for stale in _entries(self.folder / kind)[_KEPT_VERSIONS:]:
            shutil.rmtree(stale, ignore_errors=True)


def cached(cache: DerivedCache, kind: str, key: str, compute: Callable[[], Derived]) -> Derived:
    """Give what the cache holds, or compute and keep it."""
    found = cache.get(kind, key)
    if found is None:
        found = compute()
        cache.put(kind, key, *found)
    return found


def _save(folder: Path, arrays: Arrays, facts: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    described = json.dumps({"arrays": list(arrays), "facts": facts})
    (folder / "facts.json").write_text(described, encoding="utf-8")


def _load(folder: Path) -> Derived | None:
    try:
        described = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in described["arrays"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return arrays, described["facts"]


def _entries(folder: Path) -> list[Path]:
    """List what is kept of a kind, the newest first."""
    try:
        dated = [(entry.stat().st_mtime_ns, entry) for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return []
    return [entry for _, entry in sorted(dated, reverse=True)]
