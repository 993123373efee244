"""Who may do what: every operation × every role × own and other organization."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mainsequence.client.http import HttpCarrier
from mainsequence.contract import access as contract
from mainsequence.contract.catalogue import operations
from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import PREFIX, media_type
from mainsequence.domain.access import Role, TokenCreation, UserCreation
from tests.carriers.servers import a_server

ROLES = ("reader", "editor", "admin")


@pytest.fixture(scope="module")
def bearers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[tuple[str, str], str]]]:
    """Serve; gives the address and a token for each organization and role. Every object belongs to the first one."""
    with a_server(tmp_path_factory.mktemp("served")) as (address, token):
        carrier = HttpCarrier(address, token)
        tokens = {}
        for organization in ("local", "Other"):
            for role in ROLES:
                body = UserCreation(name=f"{organization}-{role}", role=role, organization=organization)
                user = carrier.call(contract.CREATE_USER, body)
                tokens[organization, role] = carrier.call(contract.ISSUE_TOKEN, TokenCreation(), key=user.id).token
        _one_of_each(httpx.Client(base_url=f"{address}{PREFIX}", headers={"Authorization": f"Bearer {token}"}))
        yield address, tokens


def _one_of_each(http: httpx.Client) -> None:
    for path, body in {
        "/assets": {"unique_identifier": "a"},
        "/asset-categories": {"unique_identifier": "u", "display_name": "u"},
        "/series": {"unique_identifier": "s", "series_schema": {"columns": [{"name": "close"}]}},
        "/asset-translation-tables/get-or-create": {"unique_identifier": "t"},
        "/portfolios": {"unique_identifier": "p", "display_name": "p"},
        "/portfolio-groups": {"unique_identifier": "g", "display_name": "g"},
    }.items():
        http.post(path, json=body).raise_for_status()


def asked(address: str, token: str, operation: Operation[Any, Any]) -> httpx.Response:
    """Ask without a body: enough to learn whether the role may, and never enough to change what exists."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type(operation.takes)}
    return httpx.request(operation.method, f"{address}{PREFIX}{operation.path.format(key=1)}", headers=headers)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: operation.name)
def test_a_role_may_what_it_may(
    bearers: tuple[str, dict[tuple[str, str], str]], operation: Operation[Any, Any], role: str
) -> None:
    address, tokens = bearers
    allowed = Role[role.upper()] >= operation.access
    answer = asked(address, tokens["Other", role], operation)
    assert (answer.status_code == 403) == (not allowed), answer.text
    assert answer.status_code != 401
    assert asked(address, "msp_none", operation).status_code == 401


KEYED = [each for each in operations().values() if "{key}" in each.path]
BODIES: dict[str, Any] = {
    "categories.diff": {"a": {}, "b": {}},
    "categories.patch": {"display_name": "mine"},
    "categories.register_reference": {"kind": "node", "identifier": "x"},
    "categories.append_assets": {"asset_ids": []},
    "categories.remove_assets": {"asset_ids": []},
    "categories.update_assets": {"asset_ids": []},
    "portfolio_groups.append_portfolios": {"portfolios": []},
    "portfolio_groups.remove_portfolios": {"portfolios": []},
    "assets.set_pricing": {"instrument_dump": {}, "pricing_details_date": "2024-01-01T00:00:00Z"},
    "routing.coverage": {"asset_ids": []},
    "series.wide": {"column": "close"},
}
PARAMETERS: dict[str, Any] = {
    "categories.drop_reference": {"kind": "node", "identifier": "x"},
    "routing.evaluate_asset": {"asset_id": 1},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", KEYED, ids=lambda operation: operation.name)
def test_what_another_organization_has_is_not_found(
    bearers: tuple[str, dict[tuple[str, str], str]], operation: Operation[Any, Any], role: str
) -> None:
    address, tokens = bearers
    sent: dict[str, Any] = {"params": PARAMETERS.get(operation.name, {})}
    if media_type(operation.takes) != "application/json":
        sent |= {"content": _no_rows(), "headers": {"Content-Type": media_type(operation.takes)}}
    elif not operation.takes_parameters:
        sent |= {"json": BODIES.get(operation.name, {})}
    url = f"{address}{PREFIX}{operation.path.format(key=1)}"
    headers = {"Authorization": f"Bearer {tokens['Other', role]}"} | sent.pop("headers", {})
    answer = httpx.request(operation.method, url, headers=headers, **sent)
    if Role[role.upper()] < operation.access:
        assert answer.status_code == 403, answer.text
    elif operation.name == "categories.containing":
        assert (answer.status_code, answer.json()) == (200, [])
    else:
        assert answer.status_code == 404, answer.text
        assert answer.json()["context"] == {}, "nothing of the other organization is told"


def _no_rows() -> bytes:
    import pyarrow as pa

    from mainsequence.contract.arrow import encode

    kinds = {"time_index": pa.timestamp("us", "UTC"), "unique_identifier": pa.string(), "close": pa.float64()}
    return encode(pa.schema(list(kinds.items())).empty_table())
