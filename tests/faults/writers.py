"""Many clients that write, and the ledger of what they were told: judged against what the platform kept.

Every write changes the weight of the client's own asset, so each one that is carried out is a revision of its own, and
names itself as the reason.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Semaphore, Thread
from typing import Any

import pandas as pd

import mainsequence.client as msc
from mainsequence.client.http import HttpCarrier
from mainsequence.contract import categories
from mainsequence.errors import MainSequenceError

UNIVERSE, SERIES = "contested", "contested rows"
FIRST_DAY = pd.Timestamp(2000, 1, 1, tz="UTC")


@dataclass
class Told:
    """What clients were told."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """Revision (or version) by the name of the write."""
    failed: dict[str, MainSequenceError] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def kinds(self) -> Counter[str]:
        return Counter(f"{type(each).__name__}: {each}" for each in self.failed.values())


class Crew:
    """Clients in threads, each with connections of its own.

    Parameters
    ----------
    address, token
        The server.
    size
        How many write to the universe.
    rows
        How many write to the series besides.
    """

    def __init__(self, address: str, token: str, size: int, rows: int = 0) -> None:
        self.address, self.token = address, token
        self.revisions, self.rows = Told(), Told()
        self.ready, self.halted = Semaphore(0), Event()
        with msc.session(address, token):
            assets = msc.Asset.batch_get_or_register_custom_assets(
                [{"unique_identifier": f"asset {number}"} for number in range(size)]
            )
            self.universe = msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE).id
            msc.Series.get_or_create(SERIES, {"value": "int64"})
        work = [(self._revise, asset.id) for asset in assets] + [(self._append, number) for number in range(rows)]
        self.threads = [Thread(target=act, args=(subject,)) for act, subject in work]

    def __enter__(self) -> "Crew":
        for each in self.threads:
            each.start()
        for _ in self.threads:
            assert self.ready.acquire(timeout=60), "a client never reached the server"
        return self

    def __exit__(self, *_: object) -> None:
        self.halt()

    def halt(self) -> None:
        """Let every client finish the write that it is at."""
        self.halted.set()
        for each in self.threads:
            each.join(120)
            assert not each.is_alive(), "a client hangs"

    def wait(self, count: int, seconds: float = 60) -> None:
        """Wait until so many more writes to the universe were acknowledged."""
        goal = len(self.revisions.acknowledged) + count
        until = time.monotonic() + seconds
        while len(self.revisions.acknowledged) < goal:
            assert time.monotonic() < until, f"no progress: {self.revisions.kinds()}"
            time.sleep(0.01)

    def _revise(self, asset: int) -> None:
        carrier = HttpCarrier(self.address, self.token)
        carrier.call(categories.GET, None, key=self.universe)
        self.ready.release()
        number = 0
        while not self.halted.is_set():
            number += 1
            edit = categories.MembershipEdit(asset_ids=[asset], weights=[number], reason=f"{asset}:{number}")
            self._tell(
                self.revisions,
                f"{asset}:{number}",
                lambda edit=edit: carrier.call(categories.APPEND_ASSETS, edit, key=self.universe).revision,
            )
        carrier.close()

    def _append(self, writer: int) -> None:
        with msc.session(self.address, self.token):
            series = msc.Series.get(unique_identifier=SERIES)
            self.ready.release()
            number = 0
            while not self.halted.is_set():
                number += 1
                stamp = FIRST_DAY + pd.Timedelta(seconds=number)
                row = pd.DataFrame({"time_index": [stamp], "unique_identifier": [f"w{writer}"], "value": [number]})
                self._tell(self.rows, f"{writer}:{number}", lambda row=row: _only_one(series.append(row)))

    def _tell(self, told: Told, name: str, act: Any) -> None:
        began = time.perf_counter()
        try:
            answer = act()
        except MainSequenceError as error:
            told.failed[name] = error
            self.halted.wait(0.05)
        else:
            told.seconds.append(time.perf_counter() - began)
            told.acknowledged[name] = answer


def _only_one(outcome: Any) -> int:
    assert outcome.inserted == 1
    return int(outcome.version)


def judge(crew: Crew) -> None:
    """Nothing acknowledged is lost, nothing is applied twice, nothing that was not asked for is there."""
    with msc.session(crew.address, crew.token):
        history = msc.AssetCategory.get(id=crew.universe).history()
        kept = msc.Series.get(unique_identifier=SERIES).read().reset_index()
    reasons = {each.reason: each.revision for each in history}
    assert len(reasons) == len(history), "a write was applied twice"
    assert sorted(reasons.values()) == list(range(1, len(history) + 1)), "revisions follow each other"
    lost = {name: revision for name, revision in crew.revisions.acknowledged.items() if reasons.get(name) != revision}
    assert not lost
    assert reasons.keys() <= crew.revisions.acknowledged.keys() | crew.revisions.failed.keys()
    rows = [f"{asset[1:]}:{value}" for asset, value in zip(kept["unique_identifier"], kept["value"], strict=True)]
    assert len(set(rows)) == len(rows)
    assert crew.rows.acknowledged.keys() <= set(rows)
    assert set(rows) <= crew.rows.acknowledged.keys() | crew.rows.failed.keys()
