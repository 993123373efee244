"""Absolute addresses, as a client knows them: the next page's is followed verbatim, a form's origin is compared."""

import re

from starlette.requests import Request

_HOST = re.compile(r"[A-Za-z0-9.\-_]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


def address_of(request: Request) -> str:
    """Give the absolute address of a request, without its parameters.

    Behind a proxy that ends TLS, ``X-Forwarded-Proto`` and ``X-Forwarded-Host`` say what the client called. They may be
    believed here, as nobody but the client that sent them reads the answer.
    """
    scheme = _forwarded(request, "X-Forwarded-Proto")
    host = _forwarded(request, "X-Forwarded-Host")
    scheme = scheme if scheme in ("http", "https") else request.url.scheme
    host = host if _HOST.fullmatch(host) else request.url.netloc
    return f"{scheme}://{host}{request.url.path}"


def _forwarded(request: Request, header: str) -> str:
    return request.headers.get(header, "").partition(",")[0].strip()
