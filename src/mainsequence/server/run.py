"""Starting the server: settings to sockets."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn

from mainsequence.domain.access import LOCAL_OWNER, IssuedToken
from mainsequence.errors import ConfigurationError
from mainsequence.platform.deliveries import delivering
from mainsequence.platform.platform import Platform
from mainsequence.platform.services.access import first_admin
from mainsequence.server.app import BODY_LIMIT, create_app, is_loopback

KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep idle connections, so that none is closed under a request."""

BACKLOG = 2_048
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
    certificate, key
        Files with a TLS certificate and its private key; without, what travels can be read on the way.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    authentication: bool = True
    body_limit: int = BODY_LIMIT
    certificate: Path | None = None
    key: Path | None = None

    def check(self) -> None:
        """Refuse to serve everybody.

        Raises
        ------
        ConfigurationError
            Without authentication on an address that other machines reach.
        """
        if not (self.authentication or is_loopback(self.host)):
            raise ConfigurationError(
                f"Without authentication the server listens on this machine only, not on {self.host}.",
                hint="Leave --no-auth out, or bind it to 127.0.0.1.",
            )
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("A certificate and its private key go together.", hint="Give both, or neither.")

    def address(self, listener: socket.socket) -> str:
        """Give the address at which clients of this machine reach it."""
        name = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host  # noqa: S104 (compared, not bound)
        name = f"[{name}]" if ":" in name else name
        return f"{'http' if self.certificate is None else 'https'}://{name}:{listener.getsockname()[1]}"


def first_token(platform: Platform) -> IssuedToken | None:
    """Make the first administrator, where there is no user yet, and give the token; it is shown this once."""
    with platform.work(LOCAL_OWNER, writes=True) as work:
        return first_admin(work)


def listen(binding: Binding) -> socket.socket:
    """Take the address.

    Raises
    ------
    ConfigurationError
        It is taken, is not this machine's, or must not be served like this.
    """
    binding.check()
    family = socket.AF_INET6 if ":" in binding.host else socket.AF_INET
    try:
        return socket.create_server((binding.host, binding.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"The server cannot listen on {binding.host}:{binding.port}: {error.strerror or error}.",
            hint="Choose another --port or --host.",
        ) from None


def serve(platform: Platform, binding: Binding, listener: socket.socket) -> None:
    """Serve until the process is told to stop; requests in flight finish first."""
    log_to_standard_error()
    with suppress(KeyboardInterrupt), delivering(platform):
        _server(platform, binding).run([listener])


@contextmanager
def serving(platform: Platform, binding: Binding) -> Iterator[str]:
    """Serve from a thread inside a ``with`` block; gives the address."""
    listener = listen(binding)
    address = binding.address(listener)
    server = _server(platform, binding)
    thread = Thread(target=server.run, args=([listener],), name="mainsequence-server", daemon=True)
    thread.start()
    try:
        with delivering(platform):
            yield address
    finally:
        server.should_exit = True
        thread.join()


def _server(platform: Platform, binding: Binding) -> uvicorn.Server:
    app = create_app(platform, authentication=binding.authentication, body_limit=binding.body_limit)
    configuration = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=binding.certificate,
        ssl_keyfile=binding.key,
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


_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"}


def log_to_standard_error() -> None:
    """Let the server's loggers write JSON lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name in ("mainsequence", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
