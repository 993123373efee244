"""No cliff at any number: large universes and series over HTTP, in bounded memory, whole or not at all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pytest

import mainsequence.client as msc
from mainsequence.client import connection
from mainsequence.client.connection import carrier
from mainsequence.client.http import HttpCarrier, Patience
from mainsequence.contract import arrow, categories, series
from mainsequence.contract.wire import PREFIX
from mainsequence.domain.series import ColumnSpec, SeriesDeclaration, SeriesQuery, SeriesSchema, TimeRange
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.errors import NotFoundError, TransportError, UnknownFieldError
from mainsequence.platform.lake import reading
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry.engine import transaction
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings

MANY_IDS, MANY_ASSETS = 200_000, 50_000


REGISTERED = f"""
    WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < {MANY_IDS - 1})
    INSERT INTO asset (organization_id, unique_identifier, created_at, is_tradable, is_custom_by_organization)
    SELECT 1, 'asset-' || n, 0, 1, 1 FROM counted;
    INSERT INTO asset_snapshot (asset_id, effective_to, effective_from, name, venue_specific_properties)
    SELECT id, {MAX_MICROS}, {MIN_MICROS}, unique_identifier, '{{}}' FROM asset
"""
"""What registering 200,000 assets leaves in the registry, for which a test need not wait."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve 200,000 assets in one universe, and 50,000 of them in another; gives address and token."""
    platform = Platform.embedded(Settings(home=tmp_path_factory.mktemp("large")))
    issued = first_token(platform)
    assert issued is not None
    with transaction(platform.engine, writes=True) as connection:
        for statement in REGISTERED.split(";"):
            connection.exec_driver_sql(statement)
    with serving(platform, Binding(port=0)) as address, msc.session(address, issued.token):
        ids = range(1, MANY_IDS + 1)
        msc.AssetCategory.create(unique_identifier="ids", asset_ids=ids)
        msc.AssetCategory.create(unique_identifier="assets", asset_ids=ids[:MANY_ASSETS])
        yield address, issued.token
    platform.close()


@pytest.mark.slow
def test_200_000_members_cross_with_their_ids(large: tuple[str, str]) -> None:
    with msc.session(*large):
        universe = msc.AssetCategory.get(unique_identifier="ids")
        assert universe.asset_ids() == list(range(1, MANY_IDS + 1))
        assert universe.remove_assets(asset_ids=range(1, 100_001)).revision == 2
        assert universe.asset_ids() == list(range(100_001, MANY_IDS + 1))


@pytest.mark.slow
def test_50_000_assets_cross_whole(large: tuple[str, str]) -> None:
    with msc.session(*large):
        found = msc.AssetCategory.get(unique_identifier="assets").get_assets()
        assert [each.id for each in found] == list(range(1, MANY_ASSETS + 1))
        assert (found[-1].unique_identifier, found[-1].name) == ("asset-49999", "asset-49999")


class Counting(httpx.BaseTransport):
    """A real connection that counts the requests and their bytes."""

    def __init__(self) -> None:
        self.wire, self.requests, self.longest, self.sent = httpx.HTTPTransport(), 0, 0, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        length = len(request.read())
        self.requests, self.sent = self.requests + 1, self.sent + length
        self.longest = max(self.longest, length)
        return self.wire.handle_request(request)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["members", "ids", "identifiers", "a page of 1,000 at a time"])
def test_what_is_asked_grows_with_the_number_and_not_with_its_square(large: tuple[str, str], what: str) -> None:
    counting = Counting()
    ids, names = list(range(1, MANY_ASSETS + 1)), [f"asset-{number}" for number in range(MANY_ASSETS)]
    with msc.session(*large):
        universe = msc.AssetCategory.get(unique_identifier="assets")
        where = HttpCarrier(*large, transport=counting)
        object.__setattr__(universe, "_carrier", where)
        if what == "members":
            found = universe.get_assets()
        else:
            asked = {"unique_identifier__in": names} if what == "identifiers" else {"id__in": iter(ids)}
            page = 1_000 if what.startswith("a page") else 10_000
            found = list(msc.Asset._found(where, page, asked))
    assert [each.id for each in found] == ids
    assert counting.requests <= (50 if what.startswith("a page") else 6)
    assert counting.sent < 1.2 * len(json.dumps(names if what == "identifiers" else ids))
    assert counting.longest < 200_000


@pytest.mark.slow
def test_many_registered_assets_come_back_page_by_page(large: tuple[str, str]) -> None:
    counting = Counting()
    names = [{"unique_identifier": f"asset-{number}"} for number in range(25_000, 0, -1)]
    before = connection._inside.set(HttpCarrier(*large, transport=counting))
    found = msc.Asset.batch_get_or_register_custom_assets(names)
    connection._inside.reset(before)
    assert [each.id for each in found] == list(range(25_001, 1, -1))
    assert counting.requests == 1 + 3


@pytest.mark.slow
def test_assets_of_a_universe_are_sent_in_parts(large: tuple[str, str]) -> None:
    address, token = large
    with httpx.stream(
        "GET", f"{address}{PREFIX}/asset-categories/2/assets", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.headers["Content-Encoding"] == "gzip"
        parts = list(answer.iter_bytes())
    assert len(parts) > 5
    assert len(json.loads(b"".join(parts))) == MANY_ASSETS


# -- series


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    platform = Platform.embedded(Settings(home=tmp_path / "home"))
    issued = first_token(platform)
    assert issued is not None
    with serving(platform, Binding(port=0)) as address, msc.session(address, issued.token):
        yield address, issued.token
    platform.close()


def prices(days: int, assets: int, first: int = 0) -> pa.Table:
    at = np.repeat(np.arange(first, first + days) * 86_400_000_000, assets)
    names = np.tile(np.array([f"asset-{number:04}" for number in range(assets)]), days)
    columns = {"time_index": pa.array(at, pa.timestamp("us", "UTC")), "unique_identifier": pa.array(names)}
    return pa.table({**columns, "close": pa.array(np.arange(days * assets) + first * assets + 0.5)})


def declared() -> int:
    schema = SeriesSchema(columns=(ColumnSpec(name="close"),))
    return carrier().call(series.CREATE, SeriesDeclaration(unique_identifier="prices", series_schema=schema)).id


def test_a_long_series_crosses_part_by_part_and_whole(served: tuple[str, str]) -> None:
    key, table = declared(), prices(2_000, 200)
    carrier().call(series.APPEND, table, key=key)
    read = carrier().call(series.READ, SeriesQuery(), key=key)
    assert read.equals(table.cast(read.schema))
    assert read.column("close").num_chunks > 3, "it came in batches"


@pytest.mark.parametrize("held", [1, 700, 4_000_000])
def test_parts_of_spans_are_the_whole(served: tuple[str, str], held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_HELD", held)
    key = declared()
    for first in (0, 100, 50):  # files whose times overlap
        carrier().call(series.UPSERT, prices(100, 5, first), key=key)
    day = 86_400_000_000
    for start, end in ((None, None), (10, 120), (119, 119)):
        span = TimeRange.parse(
            {
                "start": None if start is None else f"1970-{1 + start // 31:02}-{1 + start % 31:02}T00:00:00Z",
                "end": None if end is None else f"1970-{1 + end // 31:02}-{1 + end % 31:02}T00:00:00Z",
                "end_inclusive": True,
            }
        )
        read = carrier().call(series.READ, SeriesQuery(**span.model_dump()), key=key)
        at = read.column("time_index").cast(pa.int64()).to_numpy()
        lowest = 0 if start is None else span.start_micros
        highest = 199 * day if end is None else span.end_micros - 1
        wanted = [stamp for stamp in range(0, 200 * day, day) if lowest <= stamp <= highest]
        assert at.tolist() == list(np.repeat(wanted, 5))
        assert read.column("unique_identifier").to_pylist()[:5] == [f"asset-{number:04}" for number in range(5)]


def test_what_is_refused_is_refused_before_anything_is_sent(served: tuple[str, str]) -> None:
    key = declared()
    with pytest.raises(UnknownFieldError):
        carrier().call(series.READ, SeriesQuery(columns=("volume",)), key=key)
    with pytest.raises(NotFoundError):
        carrier().call(series.READ, SeriesQuery(), key=key + 1)
    assert carrier().call(series.READ, SeriesQuery(), key=key).num_rows == 0


def test_a_stream_that_breaks_off_is_no_answer(served: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    key = declared()
    carrier().call(series.APPEND, prices(2_000, 200), key=key)
    whole, sent = arrow.encode_batches, []

    def breaks(reader: pa.RecordBatchReader) -> Iterator[bytes]:
        for number, part in enumerate(whole(reader)):
            if number == 2 and len(sent) < 2:
                sent.append(part)
                raise RuntimeError("half way")
            yield part

    monkeypatch.setattr(arrow, "encode_batches", breaks)
    hasty = HttpCarrier(*served, patience=Patience(attempts=1))
    with pytest.raises(TransportError):
        hasty.call(series.READ, SeriesQuery(), key=key)
    assert carrier().call(series.READ, SeriesQuery(), key=key).num_rows == 400_000, "asked again"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is read from /proc")
def test_the_server_does_not_hold_what_it_sends(tmp_path: Path) -> None:
    script = Path(__file__).with_name("memory_of_a_stream.py")
    ran = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True, timeout=240)
    grown, sent = map(int, ran.stdout.split())
    assert sent > 300
    assert grown < sent / 2, f"{grown} MiB more for {sent} MiB"


def test_members_of_a_large_universe_are_right_at_every_size(served: tuple[str, str]) -> None:
    for size in (0, 1, 5_000, 5_001):
        names = [{"unique_identifier": f"{size}-{number}"} for number in range(size)]
        assets = msc.Asset.batch_get_or_register_custom_assets(names) if names else []
        universe = msc.AssetCategory.create(unique_identifier=f"of-{size}", asset_ids=[each.id for each in assets])
        found = carrier().call(categories.ASSETS, categories.MembersOf(), key=universe.id)
        assert [each.unique_identifier for each in found] == [name["unique_identifier"] for name in names]
