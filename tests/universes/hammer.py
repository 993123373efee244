"""Processes that hammer one universe, and the plain replay that judges what they did."""

import json
import random
import sys
import time
from typing import Any

import mainsequence.client as msc

UNIVERSE = "hammered"
POOL = range(1, 61)


def prepare() -> None:
    """Register the assets and the universe."""
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{number}"} for number in POOL])
    msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE)


def worker(name: str, seconds: float, seed: int) -> None:
    """Append, remove, replace and read for some seconds; print one JSON line for each answer."""
    dice = random.Random(seed)
    category = msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE)
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        number += 1
        report(step(category, dice, f"{name}-{number}"))


def step(category: msc.AssetCategory, dice: random.Random, reason: str) -> dict[str, Any]:
    """Do one random thing and say what came of it."""
    verb = dice.choice(["append", "remove", "update", "read", "read", "guarded"])
    if verb == "read":
        return {"verb": "read", "ids": category.asset_ids()}
    ids = sorted(dice.sample(POOL, dice.randint(1, 20)))
    asked = {"verb": verb, "ids": ids, "reason": reason}
    try:
        if verb == "guarded":
            category.update_assets(asset_ids=ids, reason=reason, if_revision=category.revision, force=True)
        else:
            meant = {} if verb == "append" else {"force": True}  # however many leave
            getattr(category, f"{verb}_assets")(asset_ids=ids, reason=reason, **meant)
    except msc.StaleRevisionError:
        category.refresh()
        return asked | {"verb": "stale"}
    return asked | {"verb": "update" if verb == "guarded" else verb, "revision": category.revision}


def report(line: dict[str, Any]) -> None:
    """Print one line at once, so that it is out before a kill."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


EFFECTS = {
    "append": lambda state, ids: state | ids,
    "remove": lambda state, ids: state - ids,
    "update": lambda state, ids: ids,
}


def replay(history: list[msc.Revision], lines: list[dict[str, Any]]) -> list[frozenset[int]]:
    """Give the members after each revision, from what the workers asked for alone."""
    asked = {line["reason"]: line for line in lines if "reason" in line}
    states = [frozenset[int]()]
    for number, revision in enumerate(history, start=1):
        assert revision.revision == number
        line = asked[str(revision.reason)]
        states.append(frozenset(EFFECTS[revision.operation](states[-1], frozenset(line["ids"]))))
        assert states[-1] != states[-2], "a revision that changed nothing"
    return states


if __name__ == "__main__":
    worker(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
