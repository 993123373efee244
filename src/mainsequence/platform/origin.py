"""From where an operation is asked: set around a request by whoever receives it, read where a write is recorded.

It is a context variable, so that every face of the server (API, pages, the vendor's wire) is covered by the one place
that sets it; what is asked in this process alone is embedded.
"""

import os
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from.

    Parameters
    ----------
    carrier
        ``embedded`` or ``http``.
    client
        Address of who asked; for embedded work, machine and process.
    request_id
        Id of the request.
    """

    carrier: str
    client: str | None = None
    request_id: str | None = None


asked_from: ContextVar[Origin | None] = ContextVar("mainsequence_origin", default=None)


def origin() -> Origin:
    """Give the origin of what is being carried out."""
    return asked_from.get() or _this_process(os.getpid())


@cache
def _this_process(pid: int) -> Origin:
    return Origin("embedded", f"{socket.gethostname()[:200]} process {pid}")
