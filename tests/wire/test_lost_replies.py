"""Trap 15: the client asks again, without any key, until it gets an answer; each write is done once."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.faults.proxy import DroppingProxy
from tests.wire.servers import ASSET, CATEGORY, GROUP, PORTFOLIO, TABLE, Wire

TRIES = 240


class Patient:
    """Asks as the vendor's client does: the same request again where the connection was lost."""

    def __init__(self, address: str, token: str) -> None:
        self.http = httpx.Client(base_url=address, headers={"Authorization": f"Token {token}"})
        self.lost = 0

    def ask(self, method: str, path: str, status: set[int], **sent: Any) -> Any:
        for _ in range(TRIES):
            try:
                answer = self.http.request(method, path, **sent)
            except httpx.TransportError:
                self.lost += 1
                continue
            assert answer.status_code in status, f"{method} {path}: {answer.status_code} {answer.text}"
            return answer.json() if answer.content else None
        raise AssertionError("never answered")


@pytest.fixture
def patient(wire: Wire) -> Iterator[Patient]:
    port = urlsplit(wire.address).port
    assert port is not None
    with DroppingProxy(port, share=0.5) as proxy:
        client = Patient(proxy.address, wire.token)
        yield client
        client.http.close()


def test_a_working_day_over_a_line_that_drops_every_second_reply(wire: Wire, patient: Patient, name: str) -> None:
    series, made = wire.a_series(name), {200, 201}
    body: dict[str, Any] = {"unique_identifier": f"{name}a", "snapshot": {"name": "A"}}
    first = patient.ask("POST", ASSET, made, json=body)["id"]
    many = [{"unique_identifier": f"{name}{each}"} for each in "abc"]
    found = patient.ask("POST", f"{ASSET}batch_get_or_register_custom_assets/", {200}, json=many)
    ids = [each["id"] for each in found]
    assert ids[0] == first

    universe = patient.ask("POST", f"{CATEGORY}get-or-create/", made, json={"display_name": name, "assets": ids[:1]})
    path = f"{CATEGORY}{universe['id']}/"
    patient.ask("POST", f"{path}append-assets/", made, json={"assets": ids[1:]})
    patient.ask("POST", f"{path}remove-assets/", made, json={"assets": ids[:1]})
    assert patient.ask("PATCH", path, {200}, json={"assets": ids[:2]})["assets"] == ids[:2]
    history = wire.get(f"/api/v1/asset-categories/{universe['id']}/history")
    assert [each["operation"] for each in history] == ["append", "append", "remove", "update"]

    table = patient.ask("POST", TABLE, made, json={"unique_identifier": name})
    rule = {"asset_filter": {"security_type": "Crypto"}, "markets_time_serie_unique_identifier": name}
    patient.ask("POST", f"{TABLE}{table['id']}/add_rule/", {201, 400}, json=rule)
    assert len(wire.get(f"{TABLE}{table['id']}/")["rules"]) == 1
    patient.ask("POST", f"{TABLE}{table['id']}/remove_rule/", {200, 204, 404}, json=rule)
    assert wire.get(f"{TABLE}{table['id']}/")["rules"] == []

    body = {"portfolio_name": name, "data_node_update_id": series, "calendar_name": "XNYS"}
    portfolio = patient.ask("POST", f"{PORTFOLIO}create_from_time_series/", {201}, json=body)["portfolio"]["id"]
    body = {"unique_identifier": name, "display_name": name, "portfolios": [portfolio], "source": None}
    group = patient.ask("POST", GROUP, made, json=body)["id"]
    patient.ask("POST", f"{GROUP}{group}/remove-portfolios/", {200}, json={"portfolios": [portfolio]})
    for address in (f"{GROUP}{group}/", f"{PORTFOLIO}{portfolio}/", f"{TABLE}{table['id']}/", path, f"{ASSET}{first}/"):
        patient.ask("DELETE", address, {200, 204})
        assert wire.get(address, 404)["detail"]
    assert patient.lost > 5
