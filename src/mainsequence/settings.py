"""The settings of a process, read from the environment in this one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from mainsequence.errors import ConfigurationError

ENVIRONMENT = {
    "MAINSEQUENCE_HOME": "Folder of the embedded platform: registry and series. Default: a folder in your home.",
    "MAINSEQUENCE_DATABASE_URL": "PostgreSQL for the registry: postgresql+psycopg://…; series stay under the home.",
    "MAINSEQUENCE_LAKE": "Where the series are: a folder, or s3://bucket/prefix with AWS_*. Default: under the home.",
    "MAINSEQUENCE_ENDPOINT": "Address of a platform server; when set, nothing is embedded.",
    "MAINSEQUENCE_TOKEN": "Access token for the server.",
    "MAINSEQUENCE_FIGI_RESOLVER": "Who resolves FIGIs: offline (default), openfigi, or package.module:function.",
    "MAINSEQUENCE_OPENFIGI_KEY": "API key for OpenFIGI; optional.",
    "MAINSEQUENCE_PRIVATE_WEBHOOKS": "1 lets webhooks reach private addresses too. Default: the open internet.",
    "MAINSEQUENCE_JWT_KEY": "Key that signs a server's access tokens; by default one is made and kept in the registry.",
    "MAINSEQUENCE_RATE_LIMIT": "Requests a second (and at once: 100,500) of one token, or off. "
    "Default: off on this machine's own addresses, 200,2000 elsewhere.",
    "MAINSEQUENCE_CORS_ORIGINS": "Origins whose pages may read a server's answers, with commas between. Default: none.",
    "MAINSEQUENCE_TRUSTED_PROXIES": "Addresses of proxies that say (X-Forwarded-For) who asks a server. Default: none.",
    "MAINSEQUENCE_LOG_FORMAT": "How a server writes its log: json (default), one object a line, or text.",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the platform is and how to reach it.

    Parameters
    ----------
    home
        Folder of the embedded platform.
    database_url
        Address of the PostgreSQL database that holds the registry (``postgresql+psycopg://…``); ``None`` means SQLite,
        in the home.
    lake
        Where the series are: a folder, or ``s3://bucket/prefix`` (keys and endpoint from the ``AWS_*`` variables);
        ``None`` means under the home.
    endpoint
        Address of a server (``https://…``); ``None`` means embedded.
    token
        Access token for the server.
    figi_resolver
        Who resolves FIGIs: ``offline``, ``openfigi``, or ``package.module:function``.
    openfigi_key
        API key for OpenFIGI.
    private_webhooks
        Whether webhooks may be sent to addresses that are not of the open internet.
    rate_limit
        How much one token may ask a server for: ``100`` requests a second, ``100,500`` with so many at once, ``off``;
        ``None`` means off on this machine's own addresses, ``200,2000`` elsewhere.
    cors_origins
        Origins whose pages may read a server's answers.
    trusted_proxies
        Addresses of the proxies that say who asks a server.
    log_format
        How a server writes its log: ``json`` or ``text``.
    jwt_key
        Key that signs a server's access tokens, at least 32 characters; ``None`` means one that is made and kept in the
        registry.
    notify_socket
        Where the service manager that started this process hears how far it is (``NOTIFY_SOCKET``, as systemd sets it).
    """

    home: Path
    database_url: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    token: str | None = None
    figi_resolver: str = "offline"
    openfigi_key: str | None = None
    lake: str | None = None
    private_webhooks: bool = False
    jwt_key: str | None = field(default=None, repr=False)
    rate_limit: str | None = None
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    log_format: str = "json"
    notify_socket: str | None = None

    @property
    def series(self) -> str:
        """Where the series are: a folder, or the address of an object store."""
        return self.lake or str(self.home / "series")

    @property
    def derived(self) -> Path | None:
        """The folder of this machine for what is computed again from series in an object store; folders keep theirs."""
        if self.lake is None or "://" not in self.lake:
            return None
        return self.home / "derived" / sha256(self.lake.encode()).hexdigest()[:16]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from environment variables."""
        found = os.environ if environment is None else environment
        home = found.get("MAINSEQUENCE_HOME")
        return cls(
            home=Path(home).expanduser() if home else default_home(),
            database_url=_database_url(found.get("MAINSEQUENCE_DATABASE_URL")),
            endpoint=found.get("MAINSEQUENCE_ENDPOINT") or None,
            token=found.get("MAINSEQUENCE_TOKEN") or None,
            figi_resolver=found.get("MAINSEQUENCE_FIGI_RESOLVER") or "offline",
            openfigi_key=found.get("MAINSEQUENCE_OPENFIGI_KEY") or None,
            lake=_lake(found.get("MAINSEQUENCE_LAKE")),
            private_webhooks=_is_on(found.get("MAINSEQUENCE_PRIVATE_WEBHOOKS"), "MAINSEQUENCE_PRIVATE_WEBHOOKS"),
            jwt_key=found.get("MAINSEQUENCE_JWT_KEY") or None,
            rate_limit=found.get("MAINSEQUENCE_RATE_LIMIT") or None,
            cors_origins=_several(found.get("MAINSEQUENCE_CORS_ORIGINS")),
            trusted_proxies=_several(found.get("MAINSEQUENCE_TRUSTED_PROXIES")),
            log_format=_log_format(found.get("MAINSEQUENCE_LOG_FORMAT") or "json"),
            notify_socket=found.get("NOTIFY_SOCKET") or None,
        )

    @classmethod
    def for_url(cls, url: str, token: str | None = None) -> "Settings":
        """Read the place from an address, the rest as usual.

        ``https://…`` is a server; ``postgresql://…`` a registry whose series are under the usual home; a path is a
        whole embedded home, registry and series.
        """
        if not url.strip():
            raise ConfigurationError("The address is blank.", hint="Give https://… or the path of a folder.")
        usual = cls.from_environment()
        if url.startswith(("http://", "https://")):
            return replace(usual, endpoint=url, token=token or usual.token)
        if url.startswith(("postgresql+psycopg://", "postgresql://", "postgres://")):
            return replace(usual, database_url=_database_url(url), endpoint=None)
        if "://" in url and not url.startswith("file://"):
            raise ConfigurationError(
                f"Cannot connect to {url!r}.",
                hint="Give https://… for a server, or the path of a folder for an embedded home.",
            )
        return replace(
            usual, home=Path(url.removeprefix("file://")).expanduser(), database_url=None, endpoint=None, lake=None
        )


def _several(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in (text or "").split(","))))


def _log_format(text: str) -> str:
    if text not in ("json", "text"):
        raise ConfigurationError(
            f"There is no log format {text!r}.", hint="Set MAINSEQUENCE_LOG_FORMAT to json or text."
        )
    return text


def _database_url(url: str | None) -> str | None:
    """Accept the ways in which people write the address of a PostgreSQL database."""
    scheme, separator, rest = (url or "").partition("://")
    if not url:
        return None
    if not separator or scheme not in ("postgresql+psycopg", "postgresql", "postgres"):
        raise ConfigurationError(
            f"The registry cannot be kept at {scheme}://…." if separator else "The registry's address has no scheme.",
            hint="Set MAINSEQUENCE_DATABASE_URL to postgresql+psycopg://user:password@host/database.",
        )
    return f"postgresql+psycopg://{rest}"


def _is_on(value: str | None, name: str) -> bool:
    """Read a setting that is on or off."""
    if (value or "0").strip().lower() not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise ConfigurationError(f"{name} is {value!r}, which is neither on nor off.", hint=f"Set {name} to 1 or 0.")
    return (value or "0").strip().lower() in ("1", "true", "yes", "on")


def _lake(place: str | None) -> str | None:
    """Accept a folder, or an object store of the one kind that is tested."""
    if not place:
        return None
    scheme, separator, rest = place.partition("://")
    if not separator:
        return str(Path(place).expanduser())
    if scheme != "s3" or not rest.strip("/"):
        raise ConfigurationError(
            f"Series cannot be kept at {place!r}.", hint="Set MAINSEQUENCE_LAKE to s3://bucket/prefix, or to a folder."
        )
    return place.rstrip("/")


def default_home() -> Path:
    """Give the embedded home used when none is configured."""
    from platformdirs import user_data_path

    return user_data_path("mainsequence", appauthor=False)
