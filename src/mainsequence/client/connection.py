"""Which platform the client talks to: one for the process, or another inside a ``with`` block.

Nothing is opened before the first operation; then the settings come from the environment.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mainsequence.contract.carrier import Carrier
from mainsequence.settings import Settings

_inside: ContextVar[Carrier | None] = ContextVar("mainsequence_session", default=None)
_of_processes: dict[int, Carrier] = {}


def connect(url: str | None = None, token: str | None = None) -> Carrier:
    """Connect this process to a platform and use it from now on.

    Parameters
    ----------
    url
        ``https://…`` for a server, the path of a folder for an embedded home; by default what the environment says.
    token
        Access token for a server.

    Raises
    ------
    ConfigurationError
        The address is of no known kind.
    StorageError
        The home cannot be used.
    """
    carrier = open_carrier(_settings(url, token))
    disconnect()
    _of_processes[os.getpid()] = carrier
    return carrier


def disconnect() -> None:
    """Let go of the platform of this process; the next operation connects again."""
    carrier = _of_processes.pop(os.getpid(), None)
    if carrier is not None:
        carrier.close()


@contextmanager
def session(url: str | None = None, token: str | None = None) -> Iterator[Carrier]:
    """Use another platform inside a ``with`` block; objects read there stay bound to it.

    The block holds for this thread (and its asyncio tasks). Other threads use the platform of the process, unless they
    are handed objects, which stay bound, or open a session of their own.
    """
    carrier = open_carrier(_settings(url, token))
    previous = _inside.set(carrier)
    try:
        yield carrier
    finally:
        _inside.reset(previous)
        carrier.close()


def carrier() -> Carrier:
    """Give the carrier of this context, connecting on first use; a forked process connects anew."""
    return _inside.get() or _of_processes.get(os.getpid()) or connect()


def _settings(url: str | None, token: str | None) -> Settings:
    return Settings.from_environment() if url is None else Settings.for_url(str(url), token)


def open_carrier(settings: Settings) -> Carrier:
    """Open the carrier that the settings ask for."""
    if settings.endpoint is not None:
        from mainsequence.client.http import HttpCarrier

        return HttpCarrier(settings.endpoint, settings.token)
    from mainsequence.client.embedded import open_embedded

    return open_embedded(settings)
