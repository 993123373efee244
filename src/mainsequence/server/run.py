"""Starting the server: settings to sockets."""

import gc
import logging
import math
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import orjson
import uvicorn

from mainsequence.domain.access import LOCAL_OWNER, IssuedToken
from mainsequence.errors import ConfigurationError
from mainsequence.platform import auditing
from mainsequence.platform.deliveries import delivering
from mainsequence.platform.platform import Platform
from mainsequence.platform.services.access import first_admin
from mainsequence.server.app import BODY_LIMIT, create_app, is_loopback
from mainsequence.server.frame import Lifecycle
from mainsequence.server.limits import Rate
from mainsequence.server.long_lines import LongLines
from mainsequence.server.process import READY, STOPPING, tell
from mainsequence.settings import Settings

OPEN_RATE = "200,2000"
"""What one token may ask of a server that other machines reach, where the settings say nothing."""

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
    rate
        How much each token, and each address without one, may ask for; ``None`` for as much as they like.
    cors_origins
        The origins whose pages may read answers.
    trusted_proxies
        The addresses of proxies that say who asks.
    drain_seconds
        How long the server, told to stop, still answers, while ``/readyz`` says that it is about to.
    log_format
        ``json`` or ``text``.
    notify_socket
        Where a service manager hears that the server answers, and that it is about to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    authentication: bool = True
    body_limit: int = BODY_LIMIT
    certificate: Path | None = None
    key: Path | None = None
    rate: Rate | None = None
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    drain_seconds: float = 0.0
    log_format: str = "json"
    notify_socket: str | None = None

    def with_settings(self, settings: Settings) -> "Binding":
        """Give the same with what the environment says; the limit of requests depends on who can reach the server.

        Raises
        ------
        ConfigurationError
            A setting cannot be read.
        """
        usual = "off" if is_loopback(self.host) else OPEN_RATE
        return replace(
            self,
            rate=Rate.parse(settings.rate_limit or usual),
            cors_origins=settings.cors_origins,
            trusted_proxies=settings.trusted_proxies,
            log_format=settings.log_format,
            notify_socket=settings.notify_socket,
        )

    def check(self) -> None:
        """Refuse to serve everybody, and what cannot be served.

        Raises
        ------
        ConfigurationError
            Without authentication on an address that other machines reach; the certificate cannot be used.
        """
        if not (self.authentication or is_loopback(self.host)):
            raise ConfigurationError(
                f"Without authentication the server listens on this machine only, not on {self.host}.",
                hint="Leave --no-auth out, or bind it to 127.0.0.1.",
            )
        if (self.certificate is None) != (self.key is None):
            raise ConfigurationError("A certificate and its private key go together.", hint="Give both, or neither.")
        if self.certificate is not None and self.key is not None:
            _check_pair(self.certificate, self.key)

    def address(self, listener: socket.socket) -> str:
        """Give the address at which clients of this machine reach it."""
        name = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host  # noqa: S104 (compared, not bound)
        name = f"[{name}]" if ":" in name else name
        return f"{'http' if self.certificate is None else 'https'}://{name}:{listener.getsockname()[1]}"


def _check_pair(certificate: Path, key: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigurationError(
            f"The certificate {certificate} with the key {key} cannot be used: {error.strerror or error}.",
            hint="Give two files in PEM, a certificate and the private key that it was made with.",
        ) from None


def first_token(platform: Platform) -> IssuedToken | None:
    """Make the first administrator, where there is no user yet, and give the token; it is shown this once."""
    with platform.work(LOCAL_OWNER, writes=True) as work:
        issued = first_admin(work)
        if issued is not None:
            facts = {"object_id": issued.user_id, "unique_identifier": "admin", "objects": 1}
            auditing.record(work, "access.first_admin", facts)
        return issued


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
    log_to_standard_error(binding.log_format)
    _settle()
    with suppress(KeyboardInterrupt), delivering(platform):
        _server(platform, binding).run([listener])


def _settle() -> None:
    """Take what was loaded for good out of the search for garbage, which large answers set off many times."""
    gc.collect()
    gc.freeze()


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


class _Server(uvicorn.Server):
    """A server that, told to stop, first tells those who watch it, and answers on for a while."""

    def __init__(self, configuration: uvicorn.Config, lifecycle: Lifecycle, binding: Binding) -> None:
        super().__init__(configuration)
        self.lifecycle, self.drain_seconds = lifecycle, binding.drain_seconds
        self.notify_socket = binding.notify_socket
        self._leaves_at = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        tell(self.notify_socket, READY)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave; told so again, or from the keyboard, go at once."""
        again, self.lifecycle.leaving = self.lifecycle.leaving, True
        tell(self.notify_socket, STOPPING)
        if again or sig == signal.SIGINT or not self.drain_seconds:
            super().handle_exit(sig, frame)
            return
        self._leaves_at = time.monotonic() + self.drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests in flight finish, then let go of what served them."""
        await super().shutdown(sockets)
        for let_go in self.lifecycle.at_the_end:
            await let_go()

    async def on_tick(self, counter: int) -> bool:
        """Say, ten times a second, whether to go."""
        return await super().on_tick(counter) or time.monotonic() >= self._leaves_at


def _server(platform: Platform, binding: Binding) -> uvicorn.Server:
    lifecycle = Lifecycle()
    app = create_app(
        platform,
        authentication=binding.authentication,
        body_limit=binding.body_limit,
        rate=binding.rate,
        cors_origins=binding.cors_origins,
        lifecycle=lifecycle,
    )
    configuration = uvicorn.Config(
        app,
        http=LongLines,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(binding.trusted_proxies),
        forwarded_allow_ips=list(binding.trusted_proxies),
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=binding.certificate,
        ssl_keyfile=binding.key,
    )
    return _Server(configuration, lifecycle, binding)


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
        return orjson.dumps(line, default=str).decode()


_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"}


TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def log_to_standard_error(log_format: str = "json") -> None:
    """Let the server's loggers write to standard error: JSON lines, or plain text."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else logging.Formatter(TEXT))
    for name in ("mainsequence", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
