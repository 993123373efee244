"""What the vendor's client sees: a real server, spoken to with plain HTTP as that client speaks."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mainsequence.platform.platform import Platform
from mainsequence.server.run import Binding, first_token, serving
from mainsequence.settings import Settings
from tests.postgresql import new_database

ON_POSTGRESQL = os.environ.get("MAINSEQUENCE_TEST_DATABASE") == "postgresql"
ORM = "/orm/api/assets"
ASSET, INDEX = f"{ORM}/asset/", f"{ORM}/portfolio_index_asset/"
CATEGORY = f"{ORM}/asset-category/"
TABLE = f"{ORM}/asset-translation-tables/"
PORTFOLIO, GROUP = f"{ORM}/target_portfolio/", f"{ORM}/portfolio_group/"
PASSWORD = "correct horse battery staple"


class Clock:
    """A time that tests set, in microseconds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)


@dataclass
class Wire:
    """A served platform and two clients of it: one shows an administrator's token, one shows nothing."""

    platform: Platform
    address: str
    token: str
    http: httpx.Client
    bare: httpx.Client
    clock: Clock

    def ask(self, method: str, path: str, status: int | set[int] = 200, **sent: Any) -> Any:
        """Ask, check the status, and give what the answer holds."""
        answer = self.http.request(method, path, **sent)
        expected = {status} if isinstance(status, int) else status
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def get(self, path: str, status: int | set[int] = 200, **given: Any) -> Any:
        return self.ask("GET", path, status, params=given or None)

    def post(self, path: str, body: Any = None, status: int | set[int] = 200, **given: Any) -> Any:
        return self.ask("POST", path, status, json=body, params=given or None)

    def patch(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.ask("PATCH", path, status, **({} if body is None else {"json": body}))

    def delete(self, path: str, status: int | set[int] = 204) -> Any:
        return self.ask("DELETE", path, status)

    def sessions_of(self, name: str) -> dict[str, str]:
        """Log a user in as programs do; gives the access and the refresh token."""
        answer = self.bare.post("/auth/jwt-token/token/", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def assets(self, *names: str, **fields: Any) -> list[int]:
        """Register assets and give their ids."""
        body = [{"unique_identifier": name, "snapshot": {"name": name}, **fields} for name in names]
        return [each["id"] for each in self.post(f"{ASSET}batch_get_or_register_custom_assets/", body)]

    def a_series(self, name: str) -> int:
        """Declare a series and give its id: what this client calls the id of a data node update."""
        body = {"unique_identifier": name, "series_schema": {"columns": [{"name": "close"}]}}
        return int(self.post("/api/v1/series", body)["id"])

    def a_portfolio(self, name: str, **fields: Any) -> Any:
        """Register a portfolio as this client does."""
        body = {
            "portfolio_name": name,
            "data_node_update_id": self.a_series(f"{name} values"),
            "signal_data_node_update_id": None,
            "calendar_name": "XNYS",
            "target_portfolio_about": {
                "description": "what it is",
                "signal_name": "EqualWeights",
                "signal_description": "",
                "rebalance_strategy_name": "ImmediateSignal",
            },
            "backtest_table_price_column_name": "close",
        }
        return self.post(f"{PORTFOLIO}create_from_time_series/", body | fields, 201)


@contextmanager
def a_wire(home: Path) -> Iterator[Wire]:
    """Serve a fresh home."""
    with ExitStack() as stack:
        database = stack.enter_context(new_database()) if ON_POSTGRESQL else None
        clock = Clock()
        platform = Platform.embedded(Settings(home=home, database_url=database), clock)
        stack.callback(platform.close)
        issued = first_token(platform)
        assert issued is not None
        address = stack.enter_context(serving(platform, Binding(port=0)))
        headers = {"Authorization": f"Token {issued.token}"}
        http = stack.enter_context(httpx.Client(base_url=address, headers=headers))
        bare = stack.enter_context(httpx.Client(base_url=address))
        wire = Wire(platform, address, issued.token, http, bare, clock)
        wire.ask("PUT", "/api/v1/users/1/password", json={"password": PASSWORD})
        yield wire


# -- the shapes of section 1, written down by hand: a key more, and the client raises

_ASSET = {
    *("id", "unique_identifier", "figi", "composite", "share_class", "isin"),
    *("security_type", "security_type_2", "security_market_sector", "is_tradable", "is_custom_by_organization"),
    *("current_snapshot", "current_pricing_detail"),
}
_SNAPSHOT = {
    *("asset", "effective_from", "effective_to", "name", "ticker", "exchange_code", "asset_ticker_group_id"),
    "venue_specific_properties",
}
_RULE = {
    *("id", "asset_filter", "markets_time_serie_unique_identifier", "target_exchange_code", "default_column_name"),
}
_PORTFOLIO = {
    *("id", "data_node_update", "signal_data_node_update", "calendar", "creation_date", "index_asset"),
    *("backtest_table_price_column_name", "builds_from_target_weights", "builds_from_target_positions"),
}


def an_asset(found: Any, *more: str) -> Any:
    """Check the keys of an asset."""
    assert set(found) == _ASSET | set(more)
    assert set(found["current_snapshot"]) - {"id"} == _SNAPSHOT
    assert found["current_snapshot"]["asset"] == found["id"]
    assert isinstance(found["current_snapshot"]["venue_specific_properties"], dict)
    detail = found["current_pricing_detail"]
    if detail is not None:
        assert set(detail) == {"instrument_dump", "pricing_details_date"}
        assert isinstance(detail["instrument_dump"]["instrument"], dict)
    return found


def an_index_asset(found: Any, *more: str) -> Any:
    """Check the keys of the asset of a portfolio."""
    assert isinstance(found["reference_portfolio"], int)
    return an_asset(found, "reference_portfolio", *more)


def a_category(found: Any) -> Any:
    """Check the keys of a universe."""
    assert set(found) == {"id", "unique_identifier", "display_name", "assets", "description"}
    assert all(isinstance(each, int) for each in found["assets"])
    return found


def a_table(found: Any) -> Any:
    """Check the keys of a translation table."""
    assert set(found) == {"id", "unique_identifier", "rules"}
    assert all(set(rule) == _RULE for rule in found["rules"])
    return found


def a_rule(found: Any) -> Any:
    """Check the keys of a rule."""
    assert set(found) == _RULE
    return found


def a_portfolio(found: Any) -> Any:
    """Check the keys of a portfolio."""
    assert set(found) == _PORTFOLIO
    an_index_asset(found["index_asset"])
    assert found["calendar"] is None or set(found["calendar"]) <= {"id", "name", "calendar_dates"}
    assert len(found["backtest_table_price_column_name"]) <= 20
    return found


def a_group(found: Any) -> Any:
    """Check the keys of a group."""
    assert set(found) == {"id", "unique_identifier", "display_name", "source", "portfolios", "description"}
    assert isinstance(found["source"], str)
    return found


def a_page(found: Any) -> list[Any]:
    """Check the keys of a page and give its objects."""
    assert set(found) == {"count", "next", "previous", "results"}
    results: list[Any] = found["results"]
    return results
