"""The past of a universe, embedded: verifying a ledger of 1,000,000 intervals, explaining one asset of it, pins."""

from __future__ import annotations

import sys
import tempfile

import mainsequence.client as msc
from benchmarks.measure import Row, interleaved, report, row_at_most, seconds_of

LEDGER = 1_000_000
MEMBERS = 20_000
LONGEST = 10.0
"""Seconds that verifying may take."""


def rows(runs: int = 7, ledger: int = LEDGER, members: int = MEMBERS) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, msc.session(folder):
        names = [{"unique_identifier": f"member-{number}"} for number in range(members)]
        ids = [asset.id for asset in msc.Asset.batch_get_or_register_custom_assets(names)]
        large, small = (msc.AssetCategory.create(unique_identifier=name) for name in ("large", "small"))
        for number in range(ledger // members):
            window = {"effective_from": f"{1950 + number}-01-01", "effective_to": f"{1950 + number}-07-01"}
            large.append_assets(asset_ids=ids, weights=[1 / members] * members, **window)
        small.append_assets(asset_ids=ids[:100])
        return [*verifying(large, ledger), *asking(large, small, ids[7], runs)]


def verifying(large: msc.AssetCategory, ledger: int) -> list[Row]:
    checked = large.verify()
    if not checked.ok or checked.rows != ledger:
        raise ValueError(str(checked))
    taken = seconds_of(large.verify)
    return [
        row_at_most(f"verify {checked.rows:,} intervals, {checked.revisions} revisions", taken, "the bar", LONGEST, 1)
    ]


def asking(large: msc.AssetCategory, small: msc.AssetCategory, asset: int, runs: int) -> list[Row]:
    pinned = msc.AssetCategory.get(unique_identifier=f"large@{large.revision}")
    jobs = [
        lambda: large.explain(asset, "1960-03-01"),
        lambda: small.explain(asset, "1960-03-01"),
        lambda: pinned.asset_ids("1960-03-01"),
        lambda: large.asset_ids("1960-03-01"),
    ]
    why, why_small, by_pin, by_head = interleaved(jobs, runs)
    return [
        row_at_most("explain an asset of the large ledger", why, "of one with 100 intervals", why_small, 5),
        row_at_most("members through a pin", by_pin, "through the head", by_head, 3),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
