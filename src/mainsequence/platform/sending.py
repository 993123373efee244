"""Sending one signed message to an address of somebody's choice, without letting it reach what it must not.

Messages follow the Standard Webhooks specification 1.0.0 (https://www.standardwebhooks.com): the headers
``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, the latter ``v1,`` and the base64 of HMAC-SHA256 over
``id.timestamp.body`` under the secret.
"""

import hmac
import socket
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from urllib.parse import urlsplit

from mainsequence.domain.changes import Delivery, is_public

SECRET_PREFIX = "whsec_"  # noqa: S105 (what secrets of webhooks begin with)
SECRET_BYTES = 32
TIMEOUT_SECONDS = 10
"""For each step: to connect, to send, and until the answer begins."""

HTTPS_PORT, HTTP_PORT = 443, 80


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: an id that stays the same when it is sent again, and a JSON body."""

    id: str
    body: bytes


def new_secret() -> str:
    """Make a secret for signatures."""
    return SECRET_PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message: Message, timestamp: int) -> str:
    """Sign a message that is sent at a time (seconds since 1970)."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message.id}.{timestamp}.".encode() + message.body
    return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()


def send(url: str, secret: str, message: Message, *, now: int, private: bool) -> Delivery:
    """Send a message; every way in which that can fail is an answer, not an error.

    The host is looked up once, and the connection goes to the very address that was checked. Redirects are not
    followed, proxies of the environment are not used, and of the answer only the status is read.

    Parameters
    ----------
    now
        Microseconds since 1970, UTC.
    private
        Whether it may go to addresses that are not of the open internet.
    """
    import httpx

    began = time.monotonic()
    try:
        status = _post(url, _headers(secret, message, now // 1_000_000), message.body, private=private)
        error = None if 200 <= status < 300 else f"the receiver answered {status}"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as problem:
        status, error = None, f"{type(problem).__name__}: {problem}"[:500]
    took = round((time.monotonic() - began) * 1_000)
    return Delivery(delivered=error is None, status_code=status, error=error, milliseconds=took)


def _headers(secret: str, message: Message, timestamp: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "mainsequence-platform",
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message, timestamp),
    }


class PrivateAddressError(OSError):
    """The host of a webhook is an address that is not of the open internet."""


def _post(url: str, headers: dict[str, str], body: bytes, *, private: bool) -> int:
    import httpx

    parts = urlsplit(url)
    host = str(parts.hostname)
    port = parts.port or (HTTPS_PORT if parts.scheme == "https" else HTTP_PORT)
    address = _address(host, port, private=private)
    target = httpx.URL(url).copy_with(host=address, port=port)
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=TIMEOUT_SECONDS) as client:
        request = client.build_request(
            "POST", target, content=body, headers=headers | {"Host": parts.netloc}, extensions={"sni_hostname": host}
        )
        response = client.send(request, stream=True)
        response.close()
        return response.status_code


def _address(host: str, port: int, *, private: bool) -> str:
    """Look a host up and give the address to connect to.

    Raises
    ------
    PrivateAddressError
        One of its addresses is not of the open internet, and that is not allowed.
    """
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    hidden = [] if private else [each for each in found if not is_public(each)]
    if hidden:
        raise PrivateAddressError(f"{host} is {hidden[0]}, which is not an address of the open internet")
    return found[0]
