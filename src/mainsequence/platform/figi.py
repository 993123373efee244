"""Resolving a FIGI to the facts that register an asset: offline by default, OpenFIGI where configured."""

import json
from importlib import import_module
from typing import Any, Protocol
from urllib.error import URLError
from urllib.request import Request, urlopen

from mainsequence.domain.assets import AssetRegistration, SnapshotFields
from mainsequence.errors import ConfigurationError, NotFoundError, TransportError

OPENFIGI = "https://api.openfigi.com/v3/mapping"


class FigiResolver(Protocol):
    """Whatever turns a valid FIGI into a registration."""

    def __call__(self, figi: str) -> AssetRegistration:
        """Give the facts of one instrument."""
        ...


def offline(figi: str) -> AssetRegistration:
    """Register the FIGI itself; its check digit was verified, its names are not known."""
    return AssetRegistration(
        unique_identifier=figi, figi=figi, is_custom_by_organization=False, snapshot=SnapshotFields(name=figi)
    )


class OpenFigi:
    """Ask a service that speaks OpenFIGI's mapping API, version 3.

    Parameters
    ----------
    url
        Address of the mapping endpoint.
    api_key
        Raises the service's rate limit; optional.
    timeout
        Seconds to wait for an answer.
    """

    def __init__(self, url: str = OPENFIGI, api_key: str | None = None, timeout: float = 10.0) -> None:
        self.url = url
        self.api_key = api_key
        self.timeout = timeout

    def __call__(self, figi: str) -> AssetRegistration:
        """Give the facts that the service knows.

        Raises
        ------
        NotFoundError
            The service does not know the FIGI.
        TransportError
            The service could not be reached, or its answer was not understood.
        """
        found = self._ask(figi)
        if not found:
            raise NotFoundError(f"OpenFIGI does not know {figi}.", hint="Check the FIGI, or register a custom asset.")
        return _registration(figi, found[0])

    def _ask(self, figi: str) -> list[dict[str, Any]]:
        key = {"X-OPENFIGI-APIKEY": self.api_key} if self.api_key else {}
        body = json.dumps([{"idType": "ID_BB_GLOBAL", "idValue": figi}]).encode()
        request = Request(self.url, body, {"Content-Type": "application/json", **key})  # noqa: S310
        try:
            with urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                return list(json.load(answer)[0].get("data", []))
        except (URLError, TimeoutError, ValueError, LookupError) as error:
            raise TransportError(
                f"OpenFIGI at {self.url} did not answer: {error}.", hint="Try again, or use the offline resolver."
            ) from error


def _registration(figi: str, facts: dict[str, Any]) -> AssetRegistration:
    return AssetRegistration(
        unique_identifier=figi,
        figi=figi,
        composite=facts.get("compositeFIGI"),
        share_class=facts.get("shareClassFIGI"),
        security_type=facts.get("securityType"),
        security_type_2=facts.get("securityType2"),
        security_market_sector=facts.get("marketSector"),
        is_custom_by_organization=False,
        snapshot=SnapshotFields(
            name=facts.get("name") or figi,
            ticker=facts.get("ticker"),
            exchange_code=facts.get("exchCode"),
            asset_ticker_group_id=facts.get("shareClassFIGI"),
        ),
    )


def resolver(setting: str, api_key: str | None = None) -> FigiResolver:
    """Give the resolver that a setting names: ``offline``, ``openfigi``, or ``package.module:attribute``.

    Raises
    ------
    ConfigurationError
        The setting names nothing that can be imported.
    """
    if setting == "offline":
        return offline
    if setting == "openfigi":
        return OpenFigi(api_key=api_key)
    module, _, attribute = setting.partition(":")
    try:
        found: FigiResolver = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"MAINSEQUENCE_FIGI_RESOLVER names {setting!r}, which cannot be imported.",
            hint="Use offline, openfigi, or package.module:function.",
        ) from error
    return found
