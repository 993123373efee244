"""A server for each module of tests, with browsers."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import access, credentials
from mainsequence.contract.credentials import PasswordChange
from mainsequence.domain.access import TokenCreation, UserCreation
from tests.pages.reading import Read, read
from tests.wire.servers import PASSWORD, Wire, a_wire

MEAN = '<b>&amp; "O\'Neil"</b><script>alert(1)</script>'
"""A name that breaks pages which do not escape it."""


@dataclass
class Browser:
    """A browser of somebody, which does not follow where it is sent."""

    http: httpx.Client
    address: str

    def open(self, path: str, status: int = 200) -> Read:
        """Open a page, check its status, and read it."""
        answer = self.http.get(path)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[-600:]}"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return read(answer.text)

    def send(self, path: str, status: int = 303, **fields: str) -> httpx.Response:
        """Send a form as browsers do."""
        answer = self.http.post(path, data=fields, headers={"Origin": self.address})
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[-600:]}"
        return answer


@dataclass
class Desk:
    """A served platform with some universes, and people before browsers."""

    wire: Wire

    @property
    def address(self) -> str:
        return self.wire.address

    def browser(self, token: str | None = None) -> Browser:
        """Open a browser, logged in where a token is given."""
        made = Browser(httpx.Client(base_url=self.address), self.address)
        if token is not None:
            made.send("/ui/log-in", token=token)
        return made

    def user(self, name: str, role: str = "editor") -> str:
        """Make a user with a password; gives a token."""
        with msc.session(self.address, self.wire.token):
            user = carrier().call(access.CREATE_USER, UserCreation.parse({"name": name, "role": role}))
            carrier().call(credentials.SET_PASSWORD, PasswordChange(password=PASSWORD), key=user.id)
            return carrier().call(access.ISSUE_TOKEN, TokenCreation(), key=user.id).token


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with a_wire(tmp_path_factory.mktemp("desk")) as served:
        made = Desk(served)
        with msc.session(served.address, served.token):
            _fill()
        yield made


def _fill() -> None:
    """Make universes of every kind, with mean names, readers, history, and a change that waits."""
    called = [{"name": f"Name {n} {MEAN}", "ticker": f"T{n}"} for n in range(260)]
    wanted = [{"unique_identifier": f"a{n:03}", "snapshot": names} for n, names in enumerate(called)]
    assets = msc.Asset.batch_get_or_register_custom_assets(wanted)
    core = msc.AssetCategory.get_or_create(unique_identifier="core", display_name=f"Core {MEAN}", description=MEAN)
    core.append_assets(assets[:10], effective_from="2020-01-01", reason=MEAN)
    core.append_assets(assets[10:12], effective_from="2021-01-01", effective_to="2022-01-01", weights=[0.5, 0.25])
    core.append_assets(assets[:1], weights=[3.0], effective_from="2023-01-01")
    core.remove_assets(assets[9:10], effective_from="2024-01-01", reason="it left")
    large = msc.AssetCategory.get_or_create(unique_identifier="large/slash & co", assets=assets)
    large.deprecate(core, reason=MEAN)
    msc.AssetCategory.from_expression("made", "core | core")
    daily = msc.AssetCategory.create(unique_identifier="daily", dated=True)
    for each in assets[:20]:
        daily.append_assets([each])
    daily.guard(approvers=["admin"])
    with pytest.raises(msc.ApprovalRequiredError):
        daily.remove_assets(assets[:1], reason=MEAN)
    rule = msc.UniverseRule(base="core", calendar="24/7", frequency="monthly", start="2024-01-01")
    msc.AssetCategory.from_rule("ruled", rule).refresh_rule("2024-02-10")
    fund = msc.Portfolio.get_or_create(
        unique_identifier="fund",
        display_name=f"Fund {MEAN}",
        description=MEAN,
        universe="core",
        about={"signal_name": MEAN},
        values_series="fund values",
        weights_series="fund weights",
    )
    fund.add_venue(7)
    _store()
    msc.Portfolio.get_or_create(unique_identifier="empty", universe="core")


def _store() -> None:
    times = pd.to_datetime(["2024-01-02T21:00Z", "2024-01-03T21:00Z"])
    values = msc.Series.create("fund values", {"close": "float64"}, by_asset=False)
    values.append(pd.DataFrame({"close": [1.0, 1.1]}, index=pd.DatetimeIndex(times, name="time_index")))
    held = pd.MultiIndex.from_product([times[1:], ["a001", "a002"]], names=["time_index", "unique_identifier"])
    weights = msc.Series.create("fund weights", {"weight_current": "float64"})
    weights.append(pd.DataFrame({"weight_current": [0.25, 0.5]}, index=held))
