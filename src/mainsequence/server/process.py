"""The server as a process: it ends when told to while it only starts, and tells its service manager how far it is."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from types import FrameType

OPENING = "STATUS=Opening the registry. One of an older release is brought up to date first, however long that takes."
READY = "READY=1\nSTATUS=Answering."
STOPPING = "STOPPING=1\nSTATUS=Letting requests in flight finish."

PATIENCE_SECONDS = 1.0
"""How long a service manager may take to hear."""


@contextmanager
def ending_when_told() -> Iterator[None]:
    """End this process at SIGTERM, until a server takes over.

    By default that signal is lost on the first process of a container, and on one that was started to ignore it.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)  # still here: the first process of a container, which no signal ends by itself


def tell(address: str | None, state: str) -> None:
    """Tell a service manager how far this process is, in the manner of ``sd_notify``.

    Parameters
    ----------
    address
        The socket at which it hears (``NOTIFY_SOCKET``); ``None`` where there is none, or it does not want to know.
    state
        What to say.
    """
    if address is None:
        return
    abstract = address.startswith("@")
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
        way.settimeout(PATIENCE_SECONDS)
        way.sendto(state.encode(), f"\0{address[1:]}" if abstract else address)
