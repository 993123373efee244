"""Webhooks: every change, signed, in order, again until it is acknowledged, and never where it must not go."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import text

import mainsequence.client as msc
from mainsequence.client.connection import carrier as current
from mainsequence.domain.changes import is_public
from mainsequence.errors import PermissionDeniedError, ValidationError
from mainsequence.platform import sending
from mainsequence.platform.deliveries import Deliverer, Retrying, delivering
from tests.carriers.servers import a_server
from tests.cli.runner import answer, run
from tests.server.receiver import DROP, is_signed, receiving

SOON = Retrying(first=20_000, longest=50_000, patience=60_000_000)


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_PRIVATE_WEBHOOKS", "1")


@pytest.fixture
def category() -> msc.AssetCategory:
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(6)])
    return msc.AssetCategory.create(unique_identifier="universe")


def change(category: msc.AssetCategory, times: int = 1) -> None:
    for _ in range(times):
        number = category.revision % 6 + 1
        category.update_assets(asset_ids=[number], reason=f"now {number}")


def deliverer(retrying: Retrying = SOON) -> Deliverer:
    platform: Any = current()
    return Deliverer(platform, retrying)


def until(done: Callable[[], Any], seconds: float = 20) -> None:
    end = monotonic() + seconds
    while not done() and monotonic() < end:
        sleep(0.02)
    assert done()


def deliver_until(webhook: msc.Webhook, position: int) -> None:
    def reached() -> bool:
        deliverer().deliver_due()
        return webhook.refresh().position >= position

    until(reached)


def test_changes_are_delivered_in_order_and_signed(category: msc.AssetCategory) -> None:
    with receiving() as receiver:
        webhook = msc.Webhook.create(receiver.url, description="for the desk")
        assert webhook.secret is not None
        change(category, 3)
        outcome = deliverer().deliver_due()
        assert (outcome.delivered, outcome.failed) == (3, 0)
        assert receiver.positions() == [2, 3, 4]
        assert all(is_signed(webhook.secret, *each) for each in receiver.came)
        assert not is_signed("whsec_" + "A" * 44, *receiver.came[0])
        message, revision = receiver.messages()[0], category.history()[0]
        assert message["type"] == "asset_category.changed"
        told = message["data"]
        assert (told["unique_identifier"], told["revision"], told["reason"]) == ("universe", 1, "now 1")
        assert told["content_hash"] == revision.content_hash
        assert receiver.came[0][0]["content-type"] == "application/json"
        found = webhook.refresh()
        assert (found.status, found.position, found.attempts) == ("active", 4, 0)
        assert found.last_delivery_at is not None
        assert deliverer().deliver_due().delivered == 0


def test_a_receiver_that_fails_gets_the_same_message_again(category: msc.AssetCategory) -> None:
    with receiving(500, 503, DROP) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        change(category, 2)
        assert deliverer().deliver_due().failed == 1
        failing = webhook.refresh()
        assert (failing.status, failing.attempts, failing.position) == ("failing", 1, 1)
        assert "answered 500" in str(failing.status_reason)
        assert failing.next_attempt_at is not None
        assert deliverer().deliver_due().delivered == 0, "not before its time"
        deliver_until(webhook, 3)
        assert receiver.positions() == [2, 2, 2, 2, 3]
        assert len(set(receiver.ids())) == 2
        assert (webhook.status, webhook.status_reason, webhook.attempts) == ("active", None, 0)


def test_an_acknowledgement_that_was_lost_repeats_the_message(category: msc.AssetCategory) -> None:
    with receiving(204, DROP) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        change(category, 2)
        deliver_until(webhook, 3)
        assert receiver.positions() == [2, 3, 3]
        assert receiver.ids()[1] == receiver.ids()[2]


def test_a_restart_goes_on_where_it_stopped(category: msc.AssetCategory, home: Path) -> None:
    with receiving() as receiver:
        msc.Webhook.create(receiver.url)
        change(category)
        deliverer().deliver_due()
        msc.disconnect()
        change(category)
        deliverer().deliver_due()
        assert receiver.positions() == [2, 3]


def test_one_process_at_a_time_tells_a_webhook(category: msc.AssetCategory) -> None:
    with receiving(seconds=0.05) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        change(category, 8)
        workers = [Thread(target=lambda: deliverer().deliver(webhook.id)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert receiver.positions() == list(range(2, 10))


def test_a_receiver_that_fails_for_too_long_is_told_no_more_until_it_is_resumed(category: msc.AssetCategory) -> None:
    with receiving(500, 500, 500) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        change(category)
        hasty = deliverer(Retrying(first=1, longest=1, patience=1))
        until(lambda: hasty.deliver_due() and webhook.refresh().status == "disabled")
        assert "It is told no more" in str(webhook.status_reason)
        assert webhook.next_attempt_at is None
        came = len(receiver.came)
        change(category)
        assert deliverer().deliver_due().failed == 0
        assert len(receiver.came) == came
        receiver.answers.clear()
        assert webhook.resume().status == "active"
        deliverer().deliver_due()
        assert receiver.positions()[came:] == [2, 3]


def test_a_receiver_that_is_gone_is_told_no_more_at_once(category: msc.AssetCategory) -> None:
    with receiving(410) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        change(category)
        deliverer().deliver_due()
        assert webhook.refresh().status == "disabled"


def test_pauses_double_with_chance_and_have_an_end() -> None:
    retrying = Retrying()
    pauses = [retrying.pause(attempt) / 1_000_000 for attempt in range(1, 100)]
    assert all(2.5 * 2**n <= pause <= 5 * 2**n for n, pause in enumerate(pauses[:8]))
    assert max(pauses) <= 3_600
    assert min(pauses[20:]) >= 1_800
    assert len(set(pauses[20:])) > 50


def test_a_webhook_is_told_of_what_it_asked_for(category: msc.AssetCategory) -> None:
    other = msc.AssetCategory.create(unique_identifier="other")
    with receiving() as receiver:
        webhook = msc.Webhook.create(receiver.url, categories=["other"], kinds=["changed", "deleted"], since=0)
        change(category)
        change(other)
        other.patch(description="x")
        change(category)
        other.delete()
        deliverer().deliver_due()
        kinds = [(each["data"]["kind"], each["data"]["unique_identifier"]) for each in receiver.messages()]
        assert kinds == [("changed", "other"), ("deleted", "other")]
        assert webhook.refresh().position == 7, "what it did not ask for is behind it"


def test_a_slow_receiver_keeps_nobody_else_waiting(category: msc.AssetCategory) -> None:
    with receiving(seconds=2) as slow, receiving() as quick:
        msc.Webhook.create(slow.url)
        msc.Webhook.create(quick.url)
        change(category, 3)
        stop = Event()
        worker = Thread(target=deliverer().run, args=(stop, 0.02))
        worker.start()
        until(lambda: len(quick.came) == 3)
        assert len(slow.came) <= 1
        stop.set()
        worker.join(30)
        assert not worker.is_alive()


def test_a_registry_that_is_away_is_one_line_each_time(
    category: msc.AssetCategory, caplog: pytest.LogCaptureFixture
) -> None:
    teller = deliverer()

    def lines() -> list[str]:
        return [each.message for each in caplog.records if "cannot be read" in each.message]

    def rename(before: str, after: str) -> None:
        with teller.platform.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    with receiving() as receiver, delivering(teller.platform, 0.01):
        for round_ in (1, 2):
            rename("webhook", "elsewhere")
            until(lambda round_=round_: len(lines()) == round_)
            sleep(0.2)
            rename("elsewhere", "webhook")
            sleep(0.2)
        msc.Webhook.create(receiver.url)
        change(category)
        until(lambda: receiver.came)
    assert len(lines()) == 2, "one for each time, though it was asked for many times"


@pytest.mark.slow
def test_a_server_delivers_by_itself(tmp_path: Path) -> None:
    with receiving(500) as receiver, a_server(tmp_path / "served") as (address, token), msc.session(address, token):
        msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": f"asset-{n}"} for n in range(6)])
        msc.Webhook.create(receiver.url)
        msc.AssetCategory.create(unique_identifier="universe")
        until(lambda: len(receiver.came) == 2, 40)
        assert receiver.positions() == [1, 1]


def test_a_message_that_says_nothing_tells_whether_it_works(category: msc.AssetCategory) -> None:
    with receiving(204, 500) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        first, second = webhook.test(), webhook.test()
        assert (first.delivered, first.status_code, first.error) == (True, 204, None)
        assert (second.delivered, second.status_code) == (False, 500)
        assert receiver.messages()[0]["type"] == "webhook.test"
        assert is_signed(str(webhook.secret), *receiver.came[0])
    assert "ConnectError" in str(webhook.test().error)


def test_a_secret_is_shown_once_and_never_again(category: msc.AssetCategory) -> None:
    with receiving() as receiver:
        made = msc.Webhook.create(receiver.url)
        assert str(made.secret).startswith("whsec_")
        assert len(sending.b64decode(str(made.secret).removeprefix("whsec_"))) == 32
        assert msc.Webhook.get(made.id).secret is None
        for shown in (repr(made), made._repr_html_(), repr(msc.Webhook.filter()), str(made.model_dump())):
            assert str(made.secret) not in shown
        assert [each.id for each in msc.Webhook.filter(url__contains="/hook", status="active")] == [made.id]
        made.delete()
        assert msc.Webhook.filter() == []
        with pytest.raises(msc.NotFoundError):
            made.test()


def test_webhooks_are_for_administrators(tmp_path: Path) -> None:
    from mainsequence.contract import access
    from mainsequence.domain.access import TokenCreation, UserCreation

    with a_server(tmp_path / "served") as (address, token):
        with msc.session(address, token) as admin:
            user = admin.call(access.CREATE_USER, UserCreation(name="editor", role="editor"))
            issued = admin.call(access.ISSUE_TOKEN, TokenCreation(), key=user.id)
        with msc.session(address, issued.token), pytest.raises(PermissionDeniedError):
            msc.Webhook.create("https://example.com/hook")


# -- where they must not go


def test_addresses_of_the_inside_are_refused(category: msc.AssetCategory, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        webhook = msc.Webhook.create(receiver.url)
        monkeypatch.setenv("MAINSEQUENCE_PRIVATE_WEBHOOKS", "0")
        for url in (
            receiver.url,
            "http://localhost/x",
            "https://10.0.0.1/",
            "http://[::1]/",
            "http://169.254.169.254/latest",
        ):
            with pytest.raises(ValidationError, match="open internet"):
                msc.Webhook.create(url)
        change(category)
        deliverer().deliver_due()
        assert receiver.came == []
        assert "not an address of the open internet" in str(webhook.refresh().status_reason)


def test_a_name_that_leads_inside_is_refused_when_something_is_sent(
    category: msc.AssetCategory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINSEQUENCE_PRIVATE_WEBHOOKS", "0")
    webhook = msc.Webhook.create("http://hooks.example.com/x")
    inside = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr(sending.socket, "getaddrinfo", lambda *_, **__: inside)
    change(category)
    deliverer().deliver_due()
    assert "hooks.example.com is 127.0.0.1" in str(webhook.refresh().status_reason)


def test_redirects_are_not_followed(category: msc.AssetCategory) -> None:
    with receiving(302, 302) as receiver:
        webhook = msc.Webhook.create(receiver.url)
        change(category)
        assert deliverer().deliver_due().failed == 1
        assert len(receiver.came) == 1
        assert "302" in str(webhook.refresh().status_reason)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_addresses_of_the_open_internet_are_told_apart(address: str, public: bool) -> None:
    assert is_public(address) == public


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "example.com",
        "http://user:secret@example.com/",
        "http://a b/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        msc.Webhook.create(url)


# -- from a shell


def test_the_shell_does_it_all(category: msc.AssetCategory) -> None:
    with receiving(204, 500) as receiver:
        made = answer("webhook", "add", receiver.url, "--kind", "changed")
        assert made["secret"].startswith("whsec_")
        change(category)
        assert answer("webhook", "deliver") == {"delivered": 1, "failed": 0}
        assert [each["position"] for each in answer("webhook", "list")] == [2]
        assert answer("webhook", "test", made["id"], code=1)["status_code"] == 500
        assert answer("webhook", "resume", made["id"])["status"] == "active"
        run("webhook", "remove", made["id"], "--yes")
        assert answer("webhook", "list") == []
        assert [each["position"] for each in answer("changes")] == [1, 2]
        followed = run("changes", "--follow", "--since", 1, "--limit", 1, "--json")
        assert json.loads(followed.stdout)["position"] == 2
