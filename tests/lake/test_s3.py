"""Series in an S3-compatible store: settings, refusals as the platform's own errors, and the whole chain on it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.errors import ConfigurationError, StorageError
from mainsequence.platform.lake import Lake
from mainsequence.settings import Settings
from tests.cli.runner import answer, refusal
from tests.lake.tables import PRICES, batch
from tests.object_store import BUCKET, ObjectStore, an_object_store
from tests.virtualfundbuilder.market import closes, market, play

EIGHT_DAYS = {
    "A": [100.0, 110, 99, 100, 103, 101, 99, 105],
    "B": [50.0, 50, 55, 44, 46, 47, 45, 44],
    "C": [7.0, 8, 9, 8, 7, 6, 7, 8],
}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh place in the store, which the settings of this process name."""
    place = an_object_store(monkeypatch)
    monkeypatch.setenv("MAINSEQUENCE_LAKE", place)
    return place


@pytest.fixture
def own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A server of this test's own, to be stopped."""
    running = ObjectStore()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    yield running
    running.go_on()
    running.kill()


def frame(day: int = 1, value: float = 1.0) -> pd.DataFrame:
    stamp = pd.Timestamp(2024, 1, day, tz="UTC")
    return pd.DataFrame({"time_index": [stamp] * 2, "unique_identifier": ["a", "b"], "close": [value, value + 1]})


def test_the_settings_put_series_into_the_store_and_nothing_under_the_home(store: str, home: Path) -> None:
    series = msc.Series.create("prices", {"close": "float64"})
    assert series.append(frame()).version == 1
    assert series.upsert(frame(1, 5.0)).updated == 2
    assert series.upsert(frame(2)).inserted == 2
    assert list(series.read()["close"]) == [5.0, 6.0, 1.0, 2.0]
    assert list(series.read(version=1)["close"]) == [1.0, 2.0]
    assert np.array_equal(series.wide("close").values, [[5.0, 6.0], [1.0, 2.0]])
    assert series.statistics().count == 4
    assert [each.version for each in series.history()] == [0, 1, 2, 3]
    assert not (home / "series").exists()
    assert list((home / "derived").rglob("values.npy")), "matrices are kept on this machine"
    assert store in msc.connect().describe()
    series.delete()
    assert msc.Series.filter() == []


def test_another_process_reads_what_this_one_wrote_and_what_it_writes_is_seen(store: str) -> None:
    series = msc.Series.create("prices", {"close": "float64"})
    series.append(frame())
    program = """
import mainsequence.client as msc, pandas as pd
series = msc.Series.get(unique_identifier="prices")
found = series.read().reset_index()
found["time_index"] = found["time_index"] + pd.Timedelta(days=1)
series.append(found)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert series.statistics().count == 4
    assert list(series.read()["close"]) == [1.0, 2.0, 1.0, 2.0]


def test_a_portfolio_on_the_store_has_the_values_that_it_has_on_a_folder(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market(EIGHT_DAYS)
    there = closes(play("EqualWeights", fee=0.001))
    monkeypatch.delenv("MAINSEQUENCE_LAKE")
    with msc.session(str(tmp_path / "folder")):
        market(EIGHT_DAYS)
        here = closes(play("EqualWeights", fee=0.001))
    assert there == here
    assert len(there) == 8
    assert there[0] != there[-1]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "refuses the keys (SignatureDoesNotMatch)"),
        ("AWS_ACCESS_KEY_ID", "nobody", "refuses the keys (InvalidAccessKeyId)"),
        ("MAINSEQUENCE_LAKE", "s3://no-such-bucket/x", "bucket does not exist"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "cannot be reached"),
    ],
)
def test_what_is_wrong_with_the_store_is_said(
    store: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(StorageError) as refused:
        msc.Series.create("prices", {"close": "float64"})
    assert said in refused.value.message
    assert refused.value.hint
    assert "\x1b" not in str(refused.value)
    assert msc.Series.filter() == [], "no series is left behind"


def test_a_store_that_went_away_is_said_and_works_again_when_it_is_back(own_store: ObjectStore, tmp_path: Path) -> None:
    lake = Lake(own_store.place(), derived=tmp_path)
    lake.create("prices", PRICES)
    lake.append("prices", batch(1))
    own_store.kill()
    for refused in (
        lambda: lake.append("prices", batch(2)),
        lambda: lake.read("prices"),
        lambda: lake.exists("prices"),
    ):
        with pytest.raises(StorageError, match="cannot be reached"):
            refused()
    own_store.start()
    for name, value in own_store.environment().items():
        pytest.MonkeyPatch().setenv(name, value)
    lake = Lake(lake.root)
    assert not lake.exists("prices"), "this server forgets all that it kept"
    lake.create("prices", PRICES)
    assert lake.append("prices", batch(2)).version == 1


@pytest.mark.parametrize("verb", ["append", "read", "exists", "history", "statistics", "drop"])
def test_a_store_that_hangs_holds_up_nobody_but_those_who_ask_it(own_store: ObjectStore, verb: str) -> None:
    lake = Lake(own_store.place())
    lake.create("prices", PRICES)
    lake.append("prices", batch(1))
    own_store.pause()
    asking = Thread(target=getattr(lake, verb), args=("prices", batch(2)) if verb == "append" else ("prices",))
    asking.start()
    turns = 0
    until = time.monotonic() + 1
    while time.monotonic() < until:
        time.sleep(0.01)
        turns += 1
    assert turns > 30
    assert asking.is_alive()
    own_store.go_on()
    asking.join(60)
    assert not asking.is_alive()
    assert verb == "drop" or lake.version("prices") == (2 if verb == "append" else 1)


@pytest.mark.parametrize("place", ["gs://bucket/x", "http://host/x", "s3://", "s3:///"])
def test_other_stores_are_refused(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("MAINSEQUENCE_LAKE", place)
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        Settings.from_environment()


def test_a_folder_of_its_own_may_hold_the_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("MAINSEQUENCE_LAKE", str(tmp_path / "elsewhere"))
    msc.Series.create("prices", {"close": "float64"}).append(frame())
    assert list((tmp_path / "elsewhere").glob("prices-*/_delta_log/*1.json"))
    assert not (home / "series").exists()


def test_a_backup_says_where_the_series_stayed(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    msc.Series.create("prices", {"close": "float64"}).append(frame())
    msc.connect()
    made = answer("db", "backup", tmp_path / "backup")
    assert made["series_files"] == 0
    assert json.loads((tmp_path / "backup/backup.json").read_text())["series_at"] == store
    assert all(each["ok"] for each in answer("db", "check"))
    monkeypatch.setenv("MAINSEQUENCE_HOME", str(tmp_path / "restored"))
    monkeypatch.setenv("MAINSEQUENCE_LAKE", f"s3://{BUCKET}/another")
    assert store in refusal("db", "restore", tmp_path / "backup", "--yes")
    monkeypatch.setenv("MAINSEQUENCE_LAKE", store)
    answer("db", "restore", tmp_path / "backup", "--yes")
    msc.connect()
    assert list(msc.Series.get(unique_identifier="prices").read()["close"]) == [1.0, 2.0]
