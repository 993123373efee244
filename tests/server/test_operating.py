"""A server that can be operated: counted, limited, told to leave, and careful with browsers."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.client.http import HttpCarrier, Patience
from mainsequence.contract import access, series
from mainsequence.contract.wire import PREFIX
from mainsequence.domain.access import TokenCreation, UserCreation
from mainsequence.errors import AuthenticationError, ConfigurationError, TooManyRequestsError
from mainsequence.platform.platform import Platform
from mainsequence.platform.work import SERVICES, Registered
from mainsequence.server.limits import Attempts, Buckets, Rate
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings
from tests.server.test_start import a_program, address_of


@contextmanager
def a_server(home: Path, **binding: object) -> Iterator[httpx.Client]:
    platform = Platform.embedded(Settings(home=home))
    issued = first_token(platform)
    assert issued is not None
    with serving(platform, Binding(port=0, **binding)) as address:  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {issued.token}"}
        with httpx.Client(base_url=address, headers=headers) as client, msc.session(address, issued.token):
            yield client
    platform.close()


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with a_server(tmp_path) as client:
        yield client


# -- counters


def counted(http: httpx.Client, name: str) -> dict[str, float]:
    found = http.get("/metrics")
    assert found.headers["Content-Type"].startswith("text/plain")
    lines = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", found.text, re.MULTILINE)
    return {labels: float(value) for labels, value in lines}


def test_requests_are_counted_by_operation_and_status(http: httpx.Client) -> None:
    for name in "ab":
        http.post(f"{PREFIX}/assets", json={"unique_identifier": name})
    http.post(f"{PREFIX}/assets", json={"unique_identifier": "a"})
    for number in range(3):
        http.get(f"/made-up-{number}")
    found = counted(http, "mainsequence_requests_total")
    assert found['method="POST",operation="assets.create",status="200"'] == 2
    assert found['method="POST",operation="assets.create",status="409"'] == 1
    assert found['method="other",operation="other",status="404"'] == 3
    assert counted(http, "mainsequence_writes_total") == {'operation="assets.create"': 2}
    assert counted(http, "mainsequence_request_seconds_count")['operation="assets.create"'] == 3
    assert counted(http, "mainsequence_requests_in_flight") == {"": 1}
    assert counted(http, "mainsequence_registry_connections")
    assert 'version="' in next(iter(counted(http, "mainsequence_build")))


@pytest.mark.parametrize(
    "who",
    [UserCreation(name="ed"), UserCreation(name="bo", role="admin", organization="Other desk")],
    ids=("reader", "administrator elsewhere"),
)
def test_counters_are_for_those_who_run_the_server(http: httpx.Client, who: UserCreation) -> None:
    user = carrier().call(access.CREATE_USER, who)
    token = carrier().call(access.ISSUE_TOKEN, TokenCreation(), key=user.id).token
    assert http.get("/metrics", headers={"Authorization": ""}).status_code == 401
    assert http.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_two_applications_count_apart(http: httpx.Client, tmp_path: Path) -> None:
    http.get("/made-up")
    with a_server(tmp_path / "other") as other:
        assert "404" not in str(counted(other, "mainsequence_requests_total"))


def test_failed_logins_are_counted(http: httpx.Client) -> None:
    for _ in range(2):
        assert http.get(f"{PREFIX}/whoami", headers={"Authorization": "Bearer no"}).status_code == 401
    assert counted(http, "mainsequence_failed_logins_total") == {"": 2}


# -- limits


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    with a_server(tmp_path, rate=Rate(0.5, 3)) as http:
        answers = [http.get(f"{PREFIX}/whoami") for _ in range(5)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
        refused = answers[-1]
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["code"] == TooManyRequestsError.code
        assert 1 <= int(refused.headers["Retry-After"]) <= 2
        assert refused.headers["RateLimit-Policy"] == '"requests";q=3;w=6'
        assert [each.headers["RateLimit"].partition(";t")[0] for each in answers[:3]] == [
            f'"requests";r={left}' for left in (2, 1, 0)
        ]
        assert http.get("/healthz").status_code == 200, "probes are not limited"


def test_limits_are_for_each_token_and_for_each_address_without_one(tmp_path: Path) -> None:
    with a_server(tmp_path, rate=Rate(0.01, 2)) as http:
        bare = httpx.Client(base_url=http.base_url)
        assert [http.get(f"{PREFIX}/whoami").status_code for _ in range(3)] == [200, 200, 429]
        assert [bare.get(f"{PREFIX}/whoami").status_code for _ in range(3)] == [401, 401, 429]


def test_a_token_is_one_token_however_its_header_is_written(tmp_path: Path) -> None:
    with a_server(tmp_path, rate=Rate(0.01, 2)) as http:
        token = http.headers["Authorization"].removeprefix("Bearer ")
        written = [f"Bearer {token}", f"bearer   {token}", f"Token {token}"]
        answers = [http.get(f"{PREFIX}/whoami", headers={"Authorization": each}) for each in written]
        assert [each.status_code for each in answers] == [200, 200, 429]
        strange = [http.get("/docs", headers={"Authorization": f"Basic {number}"}) for number in range(3)]
        assert [each.status_code for each in strange] == [200, 200, 429]


def test_the_client_waits_as_it_is_told(tmp_path: Path) -> None:
    with a_server(tmp_path, rate=Rate(1, 2)) as http:
        token = http.headers["Authorization"].removeprefix("Bearer ")
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            time.sleep(seconds)

        patient = HttpCarrier(str(http.base_url), token, sleep=sleep)
        assert [patient.call(access.WHOAMI, None).name for _ in range(4)] == ["admin"] * 4
        assert slept
        assert min(slept) >= 1
        hasty = HttpCarrier(str(http.base_url), token, patience=Patience(attempts=1))
        with pytest.raises(TooManyRequestsError) as refused:
            [hasty.call(access.WHOAMI, None) for _ in range(4)]
        assert refused.value.context["retry_after"] >= 1


@pytest.mark.parametrize(("text", "rate"), [("off", None), ("100", Rate(100, 500)), ("0.5,10", Rate(0.5, 10))])
def test_a_limit_is_written_in_few_words(text: str, rate: Rate | None) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "1,0", "1,x", "inf", "nan"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Rate.parse(text)


@pytest.mark.parametrize(("host", "rate"), [("127.0.0.1", None), ("0.0.0.0", Rate(200, 2000))])
def test_by_default_this_machine_is_not_limited_and_others_are(host: str, rate: Rate | None) -> None:
    assert Binding(host).with_settings(Settings(home=Path())).rate == rate


class Clock:
    """Seconds that tests set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_buckets_fill_again_and_the_oldest_are_forgotten() -> None:
    clock = Clock()
    buckets = Buckets(Rate(2, 4), clock, most=3)
    assert [buckets.take("a").allowed for _ in range(5)] == [True] * 4 + [False]
    assert buckets.take("a").wait == 1
    clock.now = 1.0
    assert [buckets.take("a").allowed for _ in range(3)] == [True, True, False]
    for key in "bcd":
        buckets.take(key)
    assert buckets.take("a").remaining == 3, "forgotten, and so full"


def refuse() -> None:
    raise AuthenticationError("no")


def failing(attempts: Attempts, name: str | None, address: str) -> str:
    try:
        with attempts.attempt(name, address):
            refuse()
        return "in"
    except TooManyRequestsError:
        return "wait"
    except AuthenticationError:
        return "no"


def succeeding(attempts: Attempts, name: str | None, address: str) -> str:
    try:
        with attempts.attempt(name, address):
            return "in"
    except TooManyRequestsError:
        return "wait"


def test_an_address_that_tries_passwords_is_slowed_down() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    assert [failing(attempts, f"user{number}", "evil") for number in range(25)] == ["no"] * 20 + ["wait"] * 5
    assert succeeding(attempts, "ada", "evil") == "wait"
    assert succeeding(attempts, "ada", "elsewhere") == "in"
    clock.now = 6.0
    assert succeeding(attempts, "ada", "evil") == "in"


def test_a_name_whose_passwords_are_tried_from_everywhere_is_slowed_down() -> None:
    attempts = Attempts(clock=Clock())
    tried = [failing(attempts, "ada", f"address{number}") for number in range(60)]
    assert tried == ["no"] * 50 + ["wait"] * 10
    assert succeeding(attempts, "bo", "address1") == "in"


def test_a_good_token_passes_however_many_bad_ones_came_from_its_address(tmp_path: Path) -> None:
    with a_server(tmp_path) as http:
        bad = {"Authorization": "Bearer no"}
        statuses = [http.get(f"{PREFIX}/whoami", headers=bad).status_code for _ in range(25)]
        assert set(statuses[:20]) == {401}
        assert 429 in statuses[20:]
        assert http.get(f"{PREFIX}/whoami").status_code == 200


# -- leaving


def test_told_to_stop_it_says_so_first_and_answers_on(tmp_path: Path) -> None:
    with a_program(tmp_path, "--drain", "3") as (process, said):
        address = address_of(said)
        assert httpx.get(f"{address}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 2
        while (found := httpx.get(f"{address}/readyz")).status_code == 200 and time.monotonic() < until:
            time.sleep(0.02)
        assert (found.status_code, found.headers["Connection"]) == (503, "close")
        assert found.headers["Retry-After"]
        assert httpx.get(f"{address}/healthz").status_code == 200, "it answers on"
        assert process.wait(30) == 0


def test_a_request_in_flight_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = threading.Event()

    def slow(_work: object, _body: object, **_: int) -> list[object]:
        began.set()
        time.sleep(1)
        return []

    monkeypatch.setitem(SERVICES, "series.history", Registered(slow, writes=False))
    found: list[int] = []
    with a_server(tmp_path) as http:
        address, headers = str(http.base_url), dict(http.headers)
        path = series.HISTORY.path.format(key=1)
        thread = threading.Thread(
            target=lambda: found.append(httpx.get(f"{address}{PREFIX}{path}", headers=headers).status_code)
        )
        thread.start()
        assert began.wait(10)
    thread.join(10)
    assert found == [200]


# -- browsers


def test_documentation_needs_no_other_server_and_its_policy_says_so(http: httpx.Client) -> None:
    page = http.get("/docs", headers={"Authorization": ""})
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "script-src 'self';" in policy
    assert not re.findall(r"(?:src|href)=\"(?!/docs/|data:,)", page.text)
    assert "<script>" not in page.text
    for name in re.findall(r"(?:src|href)=\"(/docs/[^\"]+)\"", page.text):
        loaded = http.get(name)
        assert loaded.status_code == 200
        assert loaded.headers["X-Content-Type-Options"] == "nosniff"
    assert "SwaggerUIBundle" in http.get("/docs/swagger-ui-bundle.js").text
    assert http.get("/docs/../app.py").status_code == 404
    assert http.get("/docs/secrets").status_code == 404


ORIGIN = "https://desk.example"


def test_no_page_of_another_origin_may_read_unless_it_is_named(tmp_path: Path, http: httpx.Client) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    assert "Access-Control-Allow-Origin" not in http.get("/healthz", headers=asked).headers
    with a_server(tmp_path / "open", cors_origins=(ORIGIN,)) as other:
        flight = other.options(f"{PREFIX}/assets", headers=asked)
        assert (flight.status_code, flight.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
        assert (
            other.get(f"{PREFIX}/whoami", headers={"Origin": ORIGIN}).headers["Access-Control-Allow-Origin"] == ORIGIN
        )
        foreign = other.get("/healthz", headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in foreign.headers


@pytest.mark.parametrize("path", ["/healthz", "/nothing", f"{PREFIX}/whoami", "/docs", "/metrics"])
def test_every_answer_carries_careful_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])
    assert "server" not in headers


def test_who_asks_behind_a_trusted_proxy_is_who_the_proxy_says(tmp_path: Path) -> None:
    from mainsequence.contract import audit

    for trusted, seen in (((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")):
        with a_server(tmp_path / seen, trusted_proxies=trusted) as http:
            headers = {"X-Forwarded-For": "203.0.113.9"}
            http.post(f"{PREFIX}/assets", json={"unique_identifier": "a"}, headers=headers).raise_for_status()
            lines = carrier().call(audit.QUERY, audit.AuditQuery(filters={"operation": "assets.create"})).results
            assert [line.client for line in lines] == [seen]


# -- settings and logs


def test_what_the_environment_says_is_what_is_served() -> None:
    said = {
        "MAINSEQUENCE_RATE_LIMIT": "7,9",
        "MAINSEQUENCE_CORS_ORIGINS": f"{ORIGIN}, https://other.example",
        "MAINSEQUENCE_TRUSTED_PROXIES": "10.0.0.1",
        "MAINSEQUENCE_LOG_FORMAT": "text",
    }
    binding = Binding().with_settings(Settings.from_environment(said))
    assert (binding.rate, binding.trusted_proxies, binding.log_format) == (Rate(7, 9), ("10.0.0.1",), "text")
    assert binding.cors_origins == (ORIGIN, "https://other.example")
    with pytest.raises(ConfigurationError, match="log format"):
        Settings.from_environment({"MAINSEQUENCE_LOG_FORMAT": "xml"})


def test_the_log_may_be_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_LOG_FORMAT", "text")
    with a_program(tmp_path) as (process, said):
        httpx.get(f"{address_of(said)}/healthz").raise_for_status()
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)[1]
    assert re.search(r"INFO mainsequence.server.requests GET /healthz 200$", rest, re.MULTILINE)


def test_a_page_that_may_not_ask_is_refused_by_a_problem_document(tmp_path: Path) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    with a_server(tmp_path, cors_origins=(ORIGIN,)) as http:
        allowed = http.options(f"{PREFIX}/assets", headers={"Origin": ORIGIN, **asking})
        refused = http.options(f"{PREFIX}/assets", headers={"Origin": "https://evil.example", **asking})
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert (refused.status_code, refused.json()["detail"]) == (400, "Disallowed CORS origin.")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "Origin" in refused.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in refused.headers
