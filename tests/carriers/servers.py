"""Servers for tests: real ones, on a loopback socket, in a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import mainsequence.client as msc
from mainsequence.contract.carrier import Carrier
from mainsequence.platform.platform import Platform
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings

_SERVED: list[Platform] = []
"""The platforms that are served now, the newest last."""


def platform_behind(where: Carrier) -> Platform:
    """Give the platform that a carrier leads to: itself in this process, or the one that was served last."""
    return where if isinstance(where, Platform) else _SERVED[-1]


@contextmanager
def a_server(home: Path) -> Iterator[tuple[str, str]]:
    """Serve a fresh home; gives the address and an administrator's token."""
    platform = Platform.embedded(replace(Settings.from_environment(), home=home, endpoint=None))
    _SERVED.append(platform)
    try:
        issued = first_token(platform)
        assert issued is not None
        with serving(platform, Binding(port=0)) as address:
            yield address, issued.token
    finally:
        _SERVED.remove(platform)
        platform.close()


@contextmanager
def a_session_over_http(home: Path) -> Iterator[None]:
    """Use a fresh server inside a ``with`` block."""
    with a_server(home) as (address, token), msc.session(address, token):
        yield
