"""A universe of 100,000 assets, embedded, against the same ledger written by hand in set-based SQL through ``sqlite3``.

The peer writes the very rows that we write (validity, revisions, the check that every id exists), on the same file,
with none of our code: it is the least that the same promise costs.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import orjson

import mainsequence.client as msc
from benchmarks.measure import Row, interleaved, report, row_at_most

MEMBERS = 100_000
REPLACED = MEMBERS // 10
EVER = 2**61
"""How the ledger writes plus infinity; minus it for minus infinity."""

UNKNOWN = """
    SELECT count(*) FROM json_each(?) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM asset WHERE asset.id = wanted.value AND asset.retired_at IS NULL)
"""
OPEN = f"""
    INSERT INTO category_membership
        (category_id, removed_revision, valid_to, asset_id, valid_from, added_revision, weight)
    SELECT :category, {EVER}, {EVER}, wanted.value, -{EVER}, :revision, NULL FROM json_each(:ids) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM category_membership AS held WHERE held.category_id = :category
        AND held.removed_revision = {EVER} AND held.valid_to = {EVER} AND held.asset_id = wanted.value)
"""
CLOSE = f"""
    UPDATE category_membership SET removed_revision = :revision
    WHERE category_id = :category AND removed_revision = {EVER} AND valid_to = {EVER}
        AND +asset_id NOT IN (SELECT value FROM json_each(:ids))
"""
RECORD = """
    INSERT INTO category_revision
        (category_id, revision, recorded_at, actor, operation, reason, added, removed, content_hash)
    VALUES (:category, :revision, 0, 'peer', 'peer', NULL, 0, 0, '')
"""
HEAD = "UPDATE category SET head_revision = :revision WHERE id = :category"
READ = f"""
    SELECT asset_id FROM category_membership
    WHERE category_id = :category AND removed_revision = {EVER} AND valid_to > :now AND valid_from <= :now
"""


class Peer:
    """The same verbs by hand."""

    def __init__(self, home: Path) -> None:
        self.connection = sqlite3.connect(home / "registry.db", isolation_level=None, timeout=60)
        for pragma in ("synchronous = FULL", "cache_size = -65536"):
            self.connection.execute(f"PRAGMA {pragma}")

    def write(self, category: int, revision: int, ids: list[int], *statements: str) -> None:
        packed = orjson.dumps(ids).decode()
        bound: dict[str, Any] = {"category": category, "revision": revision, "ids": packed}
        self.connection.execute("BEGIN IMMEDIATE")
        if self.connection.execute(UNKNOWN, (packed,)).fetchone()[0]:
            raise LookupError("unknown ids")
        for statement in (*statements, RECORD, HEAD):
            self.connection.execute(statement, bound)
        self.connection.execute("COMMIT")

    def read(self, category: int) -> list[int]:
        bound = {"category": category, "now": time.time_ns() // 1_000}
        return [asset_id for (asset_id,) in self.connection.execute(READ, bound)]


def fresh(number: count[int]) -> msc.AssetCategory:
    return msc.AssetCategory.create(unique_identifier=f"universe-{next(number)}")


def prepared(make: Callable[[], Any], use: Callable[[Any], object], runs: int) -> Callable[[], object]:
    """Make what each run uses up beforehand, so that only its use is timed."""
    stock = [make() for _ in range(runs)]
    return lambda: use(stock.pop())


def rows(runs: int = 7) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, msc.session(folder):
        return _rows(Path(folder), runs)


def _rows(home: Path, runs: int) -> list[Row]:
    names = [{"unique_identifier": f"asset-{number}"} for number in range(MEMBERS + REPLACED)]
    ids = [asset.id for asset in msc.Asset.batch_get_or_register_custom_assets(names)]
    first, second = ids[:MEMBERS], ids[REPLACED:]
    number, peer, needed = count(), Peer(home), runs + 1

    def filled() -> msc.AssetCategory:
        return fresh(number).append_assets(asset_ids=first)

    held = filled()
    append = interleaved(
        [
            prepared(lambda: fresh(number), lambda category: category.append_assets(asset_ids=first), needed),
            prepared(lambda: fresh(number).id, lambda key: peer.write(key, 1, first, OPEN), needed),
        ],
        runs,
    )
    replace = interleaved(
        [
            prepared(filled, lambda category: category.update_assets(asset_ids=second, force=True), needed),
            prepared(lambda: filled().id, lambda key: peer.write(key, 2, second, CLOSE, OPEN), needed),
        ],
        runs,
    )
    read = interleaved([held.asset_ids, lambda: peer.read(held.id)], runs)
    if held.asset_ids() != peer.read(held.id):
        raise ValueError("the peer reads something else")
    by_hand = "set-based SQL through sqlite3"
    return [
        row_at_most("universe of 100,000: append", append[0], by_hand, append[1], 2),
        row_at_most("universe of 100,000: replace 10 %", replace[0], by_hand, replace[1], 2),
        row_at_most("universe of 100,000: read ids", read[0], by_hand, read[1], 2),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
