"""The examination of settings that only a server reads. It starts nothing and changes nothing."""

import re
from collections.abc import Iterator
from ipaddress import ip_network

from mainsequence.domain.findings import Finding, examined, wrong
from mainsequence.server.limits import Rate
from mainsequence.server.sessions import check_key
from mainsequence.settings import Settings

_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+")
"""What a browser calls the origin of a page: no path, not even a slash."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Examine what a server would make of the settings; gives only what is wrong."""
    yield from examined("settings", lambda: _refused(settings))
    for origin in settings.cors_origins:
        if not _ORIGIN.fullmatch(origin):
            advice = "Write it like https://desk.example, with nothing behind the host and port."
            yield wrong("settings", f"MAINSEQUENCE_CORS_ORIGINS holds {origin!r}, which no browser sends", advice)
    for proxy in settings.trusted_proxies:
        if not _is_network(proxy):
            advice = "Name proxies by address, or network: 10.0.0.1, 10.0.0.0/8."
            yield wrong("settings", f"MAINSEQUENCE_TRUSTED_PROXIES holds {proxy!r}, which is no address", advice)


def _refused(settings: Settings) -> Iterator[Finding]:
    if settings.rate_limit is not None:
        Rate.parse(settings.rate_limit)
    check_key(settings.jwt_key)
    yield from ()


def _is_network(text: str) -> bool:
    try:
        return text == "*" or bool(ip_network(text, strict=False))
    except ValueError:
        return False
