"""The remote carrier against servers that lose answers, are busy, or are none."""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

import mainsequence.client as msc
from mainsequence.client.http import HttpCarrier, Patience
from mainsequence.contract import assets as contract
from mainsequence.contract import categories
from mainsequence.contract.problems import MEDIA_TYPE, to_problem
from mainsequence.domain.assets import AssetRegistration
from mainsequence.errors import (
    AuthenticationError,
    BusyError,
    ConfigurationError,
    MainSequenceError,
    RepeatedKeyError,
    TooManyRequestsError,
    TransportError,
)
from tests.carriers.servers import a_server

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    with a_server(tmp_path / "served") as found:
        yield found


class Unreliable(httpx.BaseTransport):
    """A real connection on which the chosen answers are lost after the server gave them."""

    def __init__(self, *lost: int) -> None:
        self.wire, self.lost, self.sent = httpx.HTTPTransport(), lost, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        answer = self.wire.handle_request(request)
        if self.sent in self.lost:
            answer.read()
            raise httpx.ReadError("Connection reset by peer")
        return answer


def through(transport: httpx.BaseTransport, server: tuple[str, str]) -> HttpCarrier:
    return HttpCarrier(*server, transport=transport, sleep=lambda seconds: None)


def scripted(*answers: httpx.Response | Exception) -> tuple[HttpCarrier, list[httpx.Request], list[float]]:
    """A carrier to a server that answers as written, the last line for ever."""
    asked: list[httpx.Request] = []
    slept: list[float] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    carrier = HttpCarrier("http://there", "secret", transport=httpx.MockTransport(handle), sleep=slept.append)
    return carrier, asked, slept


def problem(error: msc.MainSequenceError, **headers: str) -> httpx.Response:
    return httpx.Response(error.status, headers={"Content-Type": MEDIA_TYPE, **headers}, json=to_problem(error))


def test_a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(server: tuple[str, str]) -> None:
    transport = Unreliable(1, 2, 4)
    carrier = through(transport, server)
    created = carrier.call(contract.CREATE, AssetRegistration(unique_identifier="a"))
    assert (created.unique_identifier, transport.sent) == ("a", 3)
    body = categories.CategoryCreation(unique_identifier="u", display_name="u", assets=[created.id])
    assert carrier.call(categories.CREATE, body).revision == 1
    assert transport.sent == 5
    assert len(carrier.call(categories.HISTORY, None, key=1)) == 1


def test_a_guarded_write_whose_answer_was_lost_is_not_stale(server: tuple[str, str]) -> None:
    carrier = through(Unreliable(3), server)
    asset = carrier.call(contract.CREATE, AssetRegistration(unique_identifier="a"))
    universe = carrier.call(categories.CREATE, categories.CategoryCreation(unique_identifier="u", display_name="u"))
    edit = categories.MembershipEdit(asset_ids=[asset.id], if_revision=0)
    assert carrier.call(categories.APPEND_ASSETS, edit, key=universe.id).revision == 1


def test_rows_whose_answer_was_lost_are_not_appended_twice(server: tuple[str, str]) -> None:
    import pandas as pd

    with msc.session(*server):
        series = msc.Series.create("s", {"close": "float64"}, by_asset=False)
        frame = pd.DataFrame({"close": [1.0]}, index=pd.DatetimeIndex(["2024-01-01"], tz="UTC", name="time_index"))
        object.__setattr__(series, "_carrier", through(Unreliable(1), server))
        assert series.append(frame).inserted == 1
        assert series.statistics().count == 1


def test_one_key_is_good_for_one_request(server: tuple[str, str]) -> None:
    address, token = server
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    answers = [
        httpx.post(f"{address}/api/v1/assets", headers=headers, json={"unique_identifier": name}) for name in "aab"
    ]
    assert [each.status_code for each in answers] == [200, 200, 422]
    assert answers[0].json() == answers[1].json()
    assert answers[2].json()["code"] == RepeatedKeyError.code


def test_a_busy_server_is_asked_again_and_in_its_own_time() -> None:
    found = httpx.Response(200, json=[1, 2])
    carrier, asked, slept = scripted(problem(BusyError("Busy."), **{"Retry-After": "3"}), httpx.Response(502), found)
    assert carrier.call(categories.ASSET_IDS, categories.AsOf(), key=7) == [1, 2]
    assert [request.url.path for request in asked] == ["/api/v1/asset-categories/7/asset-ids"] * 3
    assert slept[0] == 3
    assert 0.1 <= slept[1] <= 0.4


def test_waits_grow_and_end() -> None:
    patience = Patience(first=1, longest=8)
    bounds = [(0.5, 1), (1, 2), (2, 4), (4, 8), (4, 8)]
    for attempt, (least, most) in enumerate(bounds, start=1):
        assert all(least <= patience.wait(attempt) <= most for _ in range(20))
    assert patience.wait(1, 12.0) == 12, "never sooner than the server asks for"


@pytest.mark.parametrize("status", [TooManyRequestsError, BusyError])
def test_a_server_may_say_when_by_a_date_and_makes_nobody_wait_for_an_hour(status: type[MainSequenceError]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    carrier, asked, slept = scripted(
        problem(status("Often."), **{"Retry-After": soon}), problem(status("Often."), **{"Retry-After": "3600"})
    )
    with pytest.raises(status):
        carrier.call(categories.ASSET_IDS, categories.AsOf(), key=7)
    assert len(asked) == 2
    assert 20 < slept[0] <= 30


def test_a_server_that_stays_busy_is_said_with_its_own_error() -> None:
    carrier, asked, _ = scripted(problem(BusyError("Busy.", hint="Later.")))
    with pytest.raises(BusyError, match="Later"):
        carrier.call(categories.ASSET_IDS, categories.AsOf(), key=7)
    assert len(asked) == Patience().attempts
    assert len({request.headers.get("Idempotency-Key") for request in asked}) == 1


def test_what_is_wrong_is_asked_once() -> None:
    carrier, asked, _ = scripted(problem(AuthenticationError("No.")))
    with pytest.raises(AuthenticationError):
        carrier.call(contract.GET, None, key=1)
    assert len(asked) == 1
    assert asked[0].headers["Authorization"] == "Bearer secret"


def test_every_attempt_of_a_write_carries_the_same_key_and_every_write_its_own() -> None:
    record = httpx.ReadError("reset")
    carrier, asked, _ = scripted(record)
    for _ in range(2):
        with pytest.raises(TransportError, match="may have been carried out"):
            carrier.call(contract.CREATE, AssetRegistration(unique_identifier="a"))
    keys = [request.headers["Idempotency-Key"] for request in asked]
    assert len(keys) == 2 * Patience().attempts
    assert len(set(keys[: len(keys) // 2])) == 1
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"unexpected": 1}),
        httpx.Response(404, text="<html>not here</html>"),
        httpx.Response(301, headers={"Location": "https://elsewhere"}),
        httpx.Response(500, text="oops"),
    ],
)
def test_an_answer_that_is_not_the_platforms_is_said(answer: httpx.Response) -> None:
    carrier, _, _ = scripted(answer)
    with pytest.raises(TransportError):
        carrier.call(contract.GET, None, key=1)


def test_an_answer_of_a_newer_server_may_say_more() -> None:
    carrier, _, _ = scripted(httpx.Response(200, json={"entered": [], "left": [], "reweighted": [], "added_later": 1}))
    asked = categories.DiffQuery(a=categories.DiffSide(), b=categories.DiffSide())
    assert carrier.call(categories.DIFF, asked, key=1).entered == []


def test_an_answer_cut_off_on_the_way_is_no_shorter_list(tmp_path: Path) -> None:
    from threading import Thread

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_in_part() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2]")

        Thread(target=answer_in_part, daemon=True).start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        carrier = HttpCarrier(address, patience=Patience(attempts=1))
        with pytest.raises(TransportError):
            carrier.call(categories.ASSET_IDS, categories.AsOf(), key=1)


def test_no_server_is_said_with_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    carrier = HttpCarrier(f"http://127.0.0.1:{port}", patience=Patience(at_first=2, first=0.01))
    with pytest.raises(TransportError, match=f"127.0.0.1:{port} after 2 attempts") as caught:
        carrier.call(contract.GET, None, key=1)
    assert isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize("address", ["http://", "http://host:notaport"])
def test_an_address_that_cannot_be_is_refused(address: str) -> None:
    with pytest.raises((ConfigurationError, TransportError)):
        HttpCarrier(address, patience=Patience(at_first=1)).call(contract.GET, None, key=1)


def test_environment_and_arguments_choose_the_server(server: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    address, token = server
    monkeypatch.setenv("MAINSEQUENCE_ENDPOINT", address)
    monkeypatch.setenv("MAINSEQUENCE_TOKEN", token)
    msc.Asset.create(unique_identifier="a")
    assert msc.connect().describe() == f"server at {address}"
    monkeypatch.delenv("MAINSEQUENCE_ENDPOINT")
    monkeypatch.delenv("MAINSEQUENCE_TOKEN")
    assert msc.connect().describe().startswith("embedded at ")
    assert msc.Asset.filter() == []
    with msc.session(f"{address}/", token=token):
        assert [asset.unique_identifier for asset in msc.Asset.filter()] == ["a"]


def test_a_forked_process_makes_its_own_connections(server: tuple[str, str]) -> None:
    with msc.session(*server):
        universe = msc.AssetCategory.create(unique_identifier="u")
        child = os.fork()
        if child == 0:
            os._exit(0 if universe.refresh().unique_identifier == "u" else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert universe.refresh().revision == 0


def test_objects_look_the_same_on_both_carriers(server: tuple[str, str]) -> None:
    def looks() -> list[str]:
        asset = msc.Asset.create(unique_identifier="a", isin="US0378331005")
        asset.add_instrument_pricing_details({"coupon": 0.05}, "2024-06-28")
        universe = msc.AssetCategory.create(unique_identifier="u", assets=[asset])
        series = msc.Series.create("s", {"close": "float64"})
        group = msc.PortfolioGroup.create(unique_identifier="g")
        portfolio = msc.Portfolio.create(unique_identifier="p")
        rule = msc.AssetTranslationRule(
            asset_filter=msc.AssetFilter(unique_identifier="a"), markets_time_serie_unique_identifier="s"
        )
        table = msc.AssetTranslationTable.get_or_create("t", [rule])
        found = [asset, universe, series, group, portfolio, table, table.coverage("u"), asset.current_pricing_detail]
        return [*map(repr, found), *map(repr, universe.members().dtypes), repr(table.evaluate_asset(asset))]

    here = looks()
    with msc.session(*server):
        assert looks() == here
