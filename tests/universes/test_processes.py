"""Many processes on one universe, and processes killed while they write."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import mainsequence.client as msc
from tests.universes.hammer import EFFECTS, UNIVERSE, prepare, replay

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def start(name: str, seconds: float, seed: int, output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.universes.hammer", name, str(seconds), str(seed)]
    with output.open("wb") as stream:
        return subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=subprocess.PIPE, env=dict(os.environ))


def lines_of(*outputs: Path) -> list[dict[str, Any]]:
    whole = [line for output in outputs for line in output.read_text().splitlines(keepends=True)]
    return [json.loads(line) for line in whole if line.endswith("\n")]


def judge(lines: list[dict[str, Any]], unreported: dict[str, Any] | None = None) -> list[frozenset[int]]:
    """Check every acknowledged write and every read against a replay of the history."""
    category = msc.AssetCategory.get(unique_identifier=UNIVERSE)
    states = replay(category.history(), [*lines, *([unreported] if unreported else [])])
    assert category.revision == len(states) - 1
    assert category.asset_ids() == sorted(states[-1])
    for line in lines:
        if line["verb"] in EFFECTS:
            state = states[line["revision"]]
            assert EFFECTS[line["verb"]](state, frozenset(line["ids"])) == state, f"lost: {line}"
        elif line["verb"] == "read":
            assert frozenset(line["ids"]) in set(states), f"never a state: {line}"
    for revision in random.Random(7).sample(range(len(states)), min(60, len(states))):
        assert category.asset_ids(revision=revision) == sorted(states[revision])
    return states


def test_eight_processes_lose_no_revision_and_see_only_whole_states(tmp_path: Path, carrier: str) -> None:
    prepare()
    seconds = 20 if carrier == "embedded" else 8
    outputs = [tmp_path / f"worker-{number}.jsonl" for number in range(8)]
    workers = [start(f"worker-{number}", seconds, number, output) for number, output in enumerate(outputs)]
    for process in workers:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    lines = lines_of(*outputs)
    judge(lines)
    verbs = {line["verb"] for line in lines}
    assert verbs == {"append", "remove", "update", "read", "stale"}


def test_a_killed_writer_leaves_the_ledger_whole(tmp_path: Path) -> None:
    prepare()
    dice = random.Random(11)
    outputs: list[Path] = []
    for round_ in range(6):
        outputs.append(tmp_path / f"round-{round_}.jsonl")
        process = start(f"round-{round_}", 60, round_, outputs[-1])
        while not outputs[-1].stat().st_size:
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.02)
        time.sleep(dice.uniform(0.05, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        lines = lines_of(*outputs)
        reported = {line.get("reason") for line in lines}
        unreported = [revision for revision in settled_history() if revision.reason not in reported]
        assert len(unreported) <= round_ + 1, "only the write in flight may be unreported"
        lines += [_from_ledger(revision) for revision in unreported]
        judge(lines)


def settled_history() -> list[msc.Revision]:
    """Read the history once it stands still: a server goes on with the write of a client that was killed."""
    until, found, still = time.monotonic() + 30, -1, 0
    while still < 5 and time.monotonic() < until:
        category = msc.AssetCategory.get(unique_identifier=UNIVERSE)
        still = still + 1 if category.revision == found else 0
        found = category.revision
        time.sleep(0.1)
    return category.history()


def _from_ledger(revision: msc.Revision) -> dict[str, Any]:
    """Read what a write asked for whose answer was lost: its effect, as the ledger recorded it."""
    category = msc.AssetCategory.get(unique_identifier=UNIVERSE)
    before = set(category.asset_ids(revision=revision.revision - 1))
    after = set(category.asset_ids(revision=revision.revision))
    ids = {"append": after - before, "remove": before - after, "update": after}[revision.operation]
    return {"verb": "unreported", "ids": sorted(ids), "reason": revision.reason}


def test_get_or_create_by_many_processes_at_once_makes_one() -> None:
    code = "import mainsequence.client as msc; print(msc.AssetCategory.get_or_create(unique_identifier='shared').id)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=dict(os.environ)) for _ in range(8)
    ]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert [category.unique_identifier for category in msc.AssetCategory.filter()] == ["shared"]
