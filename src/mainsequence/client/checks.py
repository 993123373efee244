"""The examination of a server from a client's machine: reached, ready, clock, release, token. It changes nothing."""

import time
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpx

from mainsequence.client.http import HttpCarrier, Patience
from mainsequence.contract import categories
from mainsequence.contract.queries import Query
from mainsequence.domain.findings import Finding, examined, fine, skew, worth_a_look, wrong
from mainsequence.settings import Settings

TIMEOUT_SECONDS = 10


def examine(settings: Settings) -> Iterator[Finding]:
    """Examine the server that the settings name."""
    endpoint = (settings.endpoint or "").rstrip("/")
    began = time.time()
    try:
        answer = httpx.get(f"{endpoint}/readyz", timeout=TIMEOUT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        advice = "Check MAINSEQUENCE_ENDPOINT, that the server runs, and that nothing stands between."
        yield wrong("endpoint", f"{endpoint} is not reached: {error}", advice)
        return
    yield fine("endpoint", f"{endpoint} answers in {(time.time() - began) * 1000:.0f} ms")
    yield _encryption(endpoint)
    yield from _ready(answer)
    yield from _clock(answer, (began + time.time()) / 2)
    yield from _release(endpoint)
    yield from examined("token", lambda: _token(settings))


def _encryption(endpoint: str) -> Finding:
    host = httpx.URL(endpoint).host
    if endpoint.startswith("https://") or host in ("localhost", "127.0.0.1", "::1"):
        return fine("encryption", "what travels cannot be read on the way")
    return worth_a_look("encryption", "everybody on the way can read the token", "Serve over https://.")


def _ready(answer: httpx.Response) -> Iterator[Finding]:
    if answer.is_success and answer.headers.get("Content-Type", "").startswith("application/json"):
        yield fine("ready", "the server reaches its registry")
    elif answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        advice = "Run mainsequence doctor on the server's machine."
        yield wrong("ready", str(answer.json().get("detail", answer.status_code)), advice)
    else:
        found = f"it answers {answer.status_code} {answer.reason_phrase}, as no platform server does"
        yield wrong("ready", found, "Check that MAINSEQUENCE_ENDPOINT is the address of a platform server.")


def _clock(answer: httpx.Response, now: float) -> Iterator[Finding]:
    stamped = answer.headers.get("Date")
    if stamped is not None:
        server: datetime = parsedate_to_datetime(stamped)
        yield skew("clock", server.timestamp() - now, "the server's clock")


def _release(endpoint: str) -> Iterator[Finding]:
    own = version("mainsequence-platform")
    try:
        found = httpx.get(f"{endpoint}/openapi.json", timeout=TIMEOUT_SECONDS).json()["info"]["version"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        yield worth_a_look("server's release", "the server does not say its release", "Is it a platform server?")
        return
    if found == own:
        yield fine("server's release", f"{found}, as this client")
    else:
        yield worth_a_look("server's release", f"{found}, this client is {own}", "Install the same release on both.")


def _token(settings: Settings) -> Iterator[Finding]:
    carrier = HttpCarrier(settings.endpoint or "", settings.token, patience=Patience(attempts=1, at_first=1))
    try:
        found = carrier.call(categories.QUERY, Query(limit=1))
    finally:
        carrier.close()
    yield fine("token", f"it lets in and reads ({'some' if found.results else 'no'} universes)")
