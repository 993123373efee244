"""Starting the server: settings to sockets."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import uvicorn

from mainsequence.domain.access import LOCAL_OWNER, IssuedToken
from mainsequence.errors import ConfigurationError
from mainsequence.platform.platform import Platform
from mainsequence.platform.services.access import first_admin
from mainsequence.server.app import BODY_LIMIT, create_app, is_loopback

KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that none is closed under a request."""

GRACE_SECONDS = 30
"""How long requests in flight may take to finish when the server is told to stop."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Where the server listens, and whom it answers.

    Parameters
    ----------
    host, port
        Address and port; port 0 is any free one.
    authentication
        Whether requests need a token.
    body_limit
        The longest body of a request, in bytes.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    authentication: bool = True
    body_limit: int = BODY_LIMIT

    def check(self) -> None:
        """Refuse to serve everybody.

        Raises
        ------
        ConfigurationError
            Without authentication on an address that other machines reach.
        """
        if self.authentication or is_loopback(self.host):
            return
        raise ConfigurationError(
            f"Without authentication the server listens on this machine only, not on {self.host}.",
            hint="Leave --no-auth out, or bind it to 127.0.0.1.",
        )


def first_token(platform: Platform) -> IssuedToken | None:
    """Make the first administrator, where there is no user yet, and give the token; it is shown this once."""
    with platform.work(LOCAL_OWNER, writes=True) as work:
        return first_admin(work)


def serve(platform: Platform, binding: Binding) -> None:
    """Serve until the process is told to stop; requests in flight finish first."""
    log_to_standard_error()
    _server(platform, binding).run()


@contextmanager
def serving(platform: Platform, binding: Binding) -> Iterator[str]:
    """Serve from a thread inside a ``with`` block; gives the address."""
    server = _server(platform, binding)
    thread = Thread(target=server.run, name="mainsequence-server", daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.002)
        if not thread.is_alive():
            raise ConfigurationError(f"The server cannot listen on {binding.host}:{binding.port}.", hint="Is it taken?")
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://{binding.host}:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _server(platform: Platform, binding: Binding) -> uvicorn.Server:
    binding.check()
    app = create_app(platform, authentication=binding.authentication, body_limit=binding.body_limit)
    configuration = uvicorn.Config(
        app,
        host=binding.host,
        port=binding.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(configuration)


class JsonLines(logging.Formatter):
    """Log records as JSON, one a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record: when, how grave, what, and the facts that came with it."""
        facts = {name: value for name, value in vars(record).items() if name not in _USUAL}
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def log_to_standard_error() -> None:
    """Let the server's loggers write JSON lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name in ("mainsequence", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
