"""Processes that change universes at the same time, for the feed of changes."""

import random
import sys

import mainsequence.client as msc

UNIVERSES = [f"fed-{number}" for number in range(4)]
ASSETS = range(1, 13)


def prepare() -> None:
    """Register the assets and the universes."""
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{number}"} for number in ASSETS])
    for name in UNIVERSES:
        msc.AssetCategory.get_or_create(unique_identifier=name)


def write(seed: int, writes: int) -> None:
    """Replace the members of random universes; some writes change nothing, and some universes come and go."""
    dice = random.Random(seed)
    for number in range(writes):
        category = msc.AssetCategory.get(unique_identifier=dice.choice(UNIVERSES))
        category.update_assets(asset_ids=dice.sample(ASSETS, dice.randint(1, 6)), force=True)
        if number % 10 == 9:
            msc.AssetCategory.create(unique_identifier=f"gone-{seed}-{number}").delete()


if __name__ == "__main__":
    write(int(sys.argv[1]), int(sys.argv[2]))
