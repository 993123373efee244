"""The server's HTTP: every refusal a problem document, revisions as ETags, ids of requests, compression."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from mainsequence.contract.catalogue import operations
from mainsequence.contract.wire import PREFIX
from mainsequence.platform.platform import Platform
from mainsequence.platform.work import SERVICES, Registered
from mainsequence.server.long_lines import LONGEST, LONGEST_HEAD
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings

LIMIT = 20_000
JSON_BODY = {"Content-Type": "application/json"}


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    platform = Platform.embedded(Settings(home=tmp_path / "served"))
    issued = first_token(platform)
    assert issued is not None
    with serving(platform, Binding(port=0, body_limit=LIMIT)) as address:
        headers = {"Authorization": f"Bearer {issued.token}"}
        with httpx.Client(base_url=address, headers=headers) as client:
            yield client
    platform.close()


@pytest.fixture
def universe(http: httpx.Client) -> str:
    assets = [{"unique_identifier": name} for name in "abc"]
    http.post(f"{PREFIX}/assets/register", json={"assets": assets}).raise_for_status()
    made = http.post(f"{PREFIX}/asset-categories", json={"unique_identifier": "u", "display_name": "U"})
    return f"{PREFIX}/asset-categories/{made.json()['id']}"


def test_the_document_lists_every_operation_once_with_its_words(http: httpx.Client) -> None:
    found = http.get("/openapi.json", headers={"Authorization": ""}).json()
    assert found["openapi"].startswith("3.1")
    listed = {
        (method.upper(), path.removeprefix(PREFIX)): each["summary"]
        for path, methods in found["paths"].items()
        for method, each in methods.items()
    }
    assert listed == {(each.method, each.path): each.summary for each in operations().values()}
    assert http.get("/docs").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", "/nothing", {}, 404, "not_found"),
        ("GET", f"{PREFIX}/assets/1/", {}, 404, "not_found"),
        ("GET", f"{PREFIX}/assets/1", {}, 404, "not_found"),
        ("GET", f"{PREFIX}/assets/one", {}, 404, "not_found"),
        ("GET", f"{PREFIX}/assets/{10**30}", {}, 404, "not_found"),
        ("PUT", f"{PREFIX}/assets/1", {}, 405, "http.method_not_allowed"),
        ("GET", f"{PREFIX}/assets/1?colour=red", {}, 422, "validation.unknown_field"),
        ("POST", f"{PREFIX}/assets", {"content": b"{"}, 415, "http.unsupported_media_type"),
        ("POST", f"{PREFIX}/assets", {"data": {"a": "b"}}, 415, "http.unsupported_media_type"),
        ("POST", f"{PREFIX}/assets", {"json": {}}, 422, "validation"),
        ("POST", f"{PREFIX}/assets", {"json": [1]}, 422, "validation"),
        ("POST", f"{PREFIX}/assets", {"json": {"unique_identifier": "a", "isin": "x"}}, 422, "validation.identifier"),
        ("POST", f"{PREFIX}/assets", {"json": {"unique_identifier": "a", "c": 1}}, 422, "validation.unknown_field"),
        ("POST", f"{PREFIX}/assets/query", {"json": {"filters": {"c": 1}}}, 422, "validation.unknown_filter"),
        ("POST", f"{PREFIX}/assets/query", {"json": {"limit": "5"}}, 422, "validation"),
        ("POST", f"{PREFIX}/assets", {"json": {"unique_identifier": "a" * LIMIT}}, 413, "validation.too_large"),
        ("GET", f"{PREFIX}/asset-categories/9/asset-ids?as_of=2024-01-01T00:00:00", {}, 422, "validation"),
        ("GET", f"{PREFIX}/asset-categories/9/asset-ids?revision=1&revision=2", {}, 422, "validation"),
        ("GET", f"{PREFIX}/asset-categories/9/asset-ids?as_of=1700000000", {}, 422, "validation"),
    ],
)
def test_every_refusal_is_a_problem_document(
    http: httpx.Client, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    answer = http.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"].startswith(code)) == (status, True)
    assert problem["detail"]
    assert answer.headers["X-Request-ID"]


def test_a_json_body_without_its_type_is_refused(http: httpx.Client) -> None:
    sent = http.post(f"{PREFIX}/assets", content=b'{"unique_identifier": "a"}', headers={"Content-Type": "text/plain"})
    assert sent.status_code == 415


def test_a_body_of_unknown_length_is_refused_where_it_is_too_long(http: httpx.Client) -> None:
    parts = (b"a" * 1_000 for _ in range(LIMIT // 1_000 + 5))
    sent = http.post(f"{PREFIX}/assets", content=parts, headers={"Content-Type": "application/json"})
    assert (sent.status_code, sent.json()["code"]) == (413, "validation.too_large")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"no request\r\n\r\n", 400),
        (b"GET /" + b"a" * LONGEST + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 2 * LONGEST_HEAD, 431),
        (b"GET /healthz HTTP/1.1\r\n" + b"X-Y: 1\r\n" * LONGEST_HEAD, 431),
    ],
    ids=("method", "words", "address", "field", "fields"),
)
def test_a_head_that_is_not_read_is_refused_like_all_else(http: httpx.Client, head: bytes, status: int) -> None:
    answer = _sent(http, head)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
    assert len(answer.headers["X-Request-ID"]) == 32
    assert http.get("/healthz").status_code == 200


def test_a_long_body_is_no_head_without_end(tmp_path: Path) -> None:
    platform = Platform.embedded(Settings(home=tmp_path / "served"))
    with serving(platform, Binding(port=0, authentication=False)) as address, httpx.Client(base_url=address) as client:
        for _ in range(2):
            blank = b" " * 2 * LONGEST_HEAD
            asked = client.post(f"{PREFIX}/assets/query", content=blank + b"{}", headers=JSON_BODY)
            assert asked.status_code == 200
    platform.close()


def test_a_head_that_stops_coming_is_given_up(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mainsequence.server.long_lines.PATIENCE_SECONDS", 0.2)
    assert _sent(http, b"GET /healthz HTTP/1.1\r\nX: a").status_code == 408
    assert http.get("/healthz").status_code == 200


def _sent(http: httpx.Client, head: bytes) -> httpx.Response:
    """Send what no client would; give what came back."""
    came = b""
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0), 20) as wire, suppress(ConnectionError):
        with suppress(ConnectionError):
            wire.sendall(head)
        while part := wire.recv(65_536):
            came += part
    first, _, rest = came.partition(b"\r\n")
    fields, _, content = rest.partition(b"\r\n\r\n")
    pairs = [line.split(b": ", 1) for line in fields.split(b"\r\n")]
    return httpx.Response(int(first.split()[1]), headers=[(name, value) for name, value in pairs], content=content)


def test_a_failure_is_a_problem_that_tells_nothing_but_the_request(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret details")

    monkeypatch.setitem(SERVICES, "assets.get", Registered(fail, writes=False))
    answer = http.get(f"{PREFIX}/assets/1", headers={"X-Request-ID": "mine-1"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "mine-1")
    assert "mine-1" in answer.json()["hint"]
    assert "secret" not in answer.text
    until = time.monotonic() + 10
    while "secret details" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)  # the answer leaves before the line is written
    assert "secret details" in caplog.text


def test_an_id_that_would_break_a_log_is_not_taken_over(http: httpx.Client) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": "a b{}"}).headers["X-Request-ID"] != "a b{}"


def test_a_path_that_would_break_a_log_stays_one_line(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mainsequence.server.requests")
    http.get("/nothing%0Aforged%1B[31m")
    until = time.monotonic() + 10
    while "nothing" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)  # the answer leaves before the line is written
    (line,) = [record.getMessage() for record in caplog.records if "nothing" in record.getMessage()]
    assert line == "GET /nothing%0Aforged%1B%5B31m 404"


def test_if_match_guards_a_change(http: httpx.Client, universe: str) -> None:
    seen = http.get(universe).headers["ETag"]
    first = http.post(f"{universe}/append-assets", json={"asset_ids": [1]}, headers={"If-Match": seen})
    assert (first.status_code, first.json()["revision"]) == (200, 1)
    second = http.post(f"{universe}/append-assets", json={"asset_ids": [2]}, headers={"If-Match": seen})
    assert (second.status_code, second.json()["code"]) == (412, "conflict.stale_revision")
    third = http.patch(universe, json={"assets": [2]}, headers={"If-Match": first.headers["ETag"]})
    assert third.json()["revision"] == 2
    for tag, path in [("*", universe), ('W/"2"', universe), ('"2"', f"{PREFIX}/assets/1")]:
        assert http.patch(path, json={}, headers={"If-Match": tag}).status_code == 422


def test_an_etag_says_whether_anything_changed(http: httpx.Client, universe: str) -> None:
    seen = http.get(universe).headers["ETag"]
    same = http.get(universe, headers={"If-None-Match": seen})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", seen)
    http.patch(universe, json={"display_name": "Other"}).raise_for_status()
    assert http.get(universe, headers={"If-None-Match": seen}).status_code == 200


def test_answers_are_compressed_where_that_is_understood(http: httpx.Client, universe: str) -> None:
    plain = http.get(f"{universe}/asset-ids", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assets = [{"unique_identifier": f"x{number}"} for number in range(50)]
    packed = http.post(f"{PREFIX}/assets/register", json={"assets": assets})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.json()) == 50


@pytest.mark.parametrize("encodings", ["gzip;q=0", "gzip; q=0.0, br", "br", "identity"])
def test_answers_are_not_compressed_where_that_is_refused(http: httpx.Client, encodings: str) -> None:
    assets = [{"unique_identifier": f"name {number}"} for number in range(50)]
    plain = http.post(f"{PREFIX}/assets/register", json={"assets": assets}, headers={"Accept-Encoding": encodings})
    assert "Content-Encoding" not in plain.headers
    assert len(plain.json()) == 50


def test_descriptions_are_guarded_by_if_match_too(http: httpx.Client, universe: str) -> None:
    http.post(f"{universe}/append-assets", json={"asset_ids": [1]}).raise_for_status()
    stale = http.patch(universe, json={"display_name": "changed"}, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "conflict.stale_revision")
    assert http.get(universe).json()["display_name"] == "U"


def test_an_answer_that_is_given_again_has_its_tag(http: httpx.Client, universe: str) -> None:
    headers = {"Idempotency-Key": "once"}
    asked = [http.post(f"{universe}/append-assets", json={"asset_ids": [1]}, headers=headers) for _ in range(2)]
    tags = {answer.headers["ETag"] for answer in [*asked, http.get(universe)]}
    assert len(tags) == 1
    weakened = {"If-None-Match": f"W/{tags.pop()}"}  # as a proxy writes it that compressed the answer
    assert http.get(universe, headers=weakened).status_code == 304


def test_browsers_are_kept_careful(http: httpx.Client) -> None:
    headers = http.get(f"{PREFIX}/whoami").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


def test_probes_ask_for_no_token(http: httpx.Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert http.get(path, headers={"Authorization": ""}).status_code == 200


def test_without_authentication_other_names_of_this_machine_are_refused(tmp_path: Path) -> None:
    platform = Platform.embedded(Settings(home=tmp_path / "open"))
    with serving(platform, Binding(port=0, authentication=False)) as address:
        assert httpx.get(f"{address}{PREFIX}/whoami").json()["name"] == "local"
        refused = httpx.get(f"{address}{PREFIX}/whoami", headers={"Host": "evil.example"})
        assert (refused.status_code, refused.json()["code"]) == (400, "http.bad_request")
        assert refused.headers["Content-Type"] == "application/problem+json"
    platform.close()


def test_writes_of_one_key_at_the_same_moment_are_one_write(http: httpx.Client) -> None:
    def ask(_: int) -> httpx.Response:
        return http.post(f"{PREFIX}/assets", json={"unique_identifier": "a"}, headers={"Idempotency-Key": "same"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)


def test_a_deletion_repeated_under_its_key_is_done_not_missing(http: httpx.Client, universe: str) -> None:
    answers = [http.delete(universe, headers={"Idempotency-Key": "d"}).status_code for _ in range(2)]
    assert answers == [204, 204]
    assert http.delete(universe).status_code == 404


def test_what_is_refused_under_a_key_may_be_asked_again(http: httpx.Client, universe: str) -> None:
    edit, headers = {"asset_ids": [4]}, {"Idempotency-Key": "k"}
    assert http.post(f"{universe}/append-assets", json=edit, headers=headers).status_code == 404
    http.post(f"{PREFIX}/assets", json={"unique_identifier": "d"}).raise_for_status()
    assert http.post(f"{universe}/append-assets", json=edit, headers=headers).json()["revision"] == 1


def test_a_token_is_never_kept_under_a_key(http: httpx.Client) -> None:
    ask = [http.post(f"{PREFIX}/users/1/tokens", json={}, headers={"Idempotency-Key": "t"}).json() for _ in range(2)]
    assert ask[0]["token"] != ask[1]["token"]


@pytest.mark.parametrize("offer", ["Upgrade: h2c", "upgrade:h2c ", "UPGRADE: H2C"])
def test_clients_that_offer_http_2_keep_their_bodies(http: httpx.Client, offer: str) -> None:
    """As Java's client and curl do over plain HTTP; the server goes on in HTTP/1.1."""
    body = b'{"limit": 1}'
    token = http.headers["Authorization"]
    head = (
        f"POST {PREFIX}/assets/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n"
        f"Connection: Upgrade, HTTP2-Settings\r\n{offer}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0), 20) as wire:
        for _ in range(2):
            wire.sendall(head.encode() + body)
            answer = wire.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 OK"), answer[:300]
