"""Who sees pages: coming in, going out, and what others' pages cannot do."""

import httpx
import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import access, credentials
from mainsequence.contract.credentials import PasswordChange
from mainsequence.server.pages.endpoint import COOKIE
from tests.pages.conftest import Desk
from tests.wire.servers import PASSWORD


def cookie(answer: httpx.Response) -> str:
    return answer.headers["Set-Cookie"]


def test_nobody_sees_a_page_without_logging_in(desk: Desk):
    browser = desk.browser()
    for path in ("", "universes/1", "universes/1/members.svg", "requests", "find?kind=asset&name=a001"):
        answer = browser.http.get(f"/ui/{path}")
        assert (answer.status_code, answer.content) == (303, b"")
        assert answer.headers["Location"].startswith("/ui/log-in?next=/ui/")
    assert browser.open("/ui/log-in").titles == ["Log in"]
    browser.send("/ui/requests/1/approve", 401)


def test_a_name_and_a_password_open_a_session_that_logging_out_ends(desk: Desk):
    desk.user("ada")
    browser = desk.browser()
    answer = browser.send("/ui/log-in", name="ada", password=PASSWORD, next="/ui/changes?before=3")
    assert answer.headers["Location"] == "/ui/changes?before=3"
    said = cookie(answer)
    assert all(word in said for word in ("HttpOnly", "SameSite=lax", "Path=/ui", f"Max-Age={30 * 24 * 3600}"))
    assert "Secure" not in said
    assert "ada (editor)" in browser.open("/ui/").text
    secret = browser.http.cookies[COOKIE]
    browser.send("/ui/log-out")
    assert COOKIE not in browser.http.cookies
    again = desk.browser()
    again.http.cookies.set(COOKIE, secret)
    assert again.http.get("/ui/").status_code == 303
    again.send("/ui/log-out")


def test_behind_tls_the_session_never_crosses_in_the_open(desk: Desk):
    desk.user("tess")
    headers = {"Origin": "https://desk.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "desk.example"}
    fields = {"name": "tess", "password": PASSWORD}
    answer = httpx.post(f"{desk.address}/ui/log-in", data=fields, headers=headers)
    assert answer.status_code == 303
    assert "Secure" in cookie(answer)


def test_a_wrong_password_is_told_and_leaves_nothing(desk: Desk):
    desk.user("bob")
    answer = desk.browser().send("/ui/log-in", 200, name="bob", password="wrong")
    assert "Name or password are wrong." in answer.text
    assert "Set-Cookie" not in answer.headers
    answer = desk.browser().send("/ui/log-in", 200, token="msp_wrong")
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" not in desk.browser().send("/ui/log-in", 200).headers


def test_a_form_is_read_from_its_fields_alone_and_an_address_from_its_parameters(desk: Desk):
    answer = desk.browser().send(f"/ui/log-in?token={desk.wire.token}", 200, name="admin", password="wrong")
    assert "Set-Cookie" not in answer.headers
    browser = desk.browser(desk.wire.token)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.http.request("GET", "/ui/?q=core", content=b"q=nothing like it", headers=headers)
    assert "No universe fits." not in answer.text


def test_an_access_token_of_a_program_opens_no_page(desk: Desk):
    tokens = desk.wire.sessions_of("admin")
    browser = desk.browser()
    browser.send("/ui/log-in", 200, token=tokens["access"])
    browser.http.cookies.set(COOKIE, tokens["access"])
    assert browser.http.get("/ui/").status_code == 303


def test_the_token_of_a_page_is_none_of_the_api(desk: Desk):
    desk.user("pia")
    browser = desk.browser()
    browser.send("/ui/log-in", name="pia", password=PASSWORD)
    secret = browser.http.cookies[COOKIE]
    answer = httpx.get(f"{desk.address}/api/v1/whoami", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert httpx.get(f"{desk.address}/api/v1/whoami", cookies={COOKIE: secret}).status_code == 401


def test_a_token_that_was_revoked_opens_no_page_any_more(desk: Desk):
    token = desk.user("tom")
    browser = desk.browser(token)
    browser.open("/ui/")
    with msc.session(desk.address, desk.wire.token):
        (user,) = (each for each in carrier().call(access.USERS, None) if each.name == "tom")
        (issued,) = carrier().call(access.TOKENS, None, key=user.id)
        carrier().call(access.REVOKE_TOKEN, None, key=user.id, token=issued.id)
    answer = browser.http.get("/ui/")
    assert answer.headers["Location"].startswith("/ui/log-in")
    assert COOKIE not in browser.http.cookies


@pytest.mark.parametrize("with_password", [True, False])
def test_what_becomes_of_a_user_holds_at_once_for_who_is_logged_in(desk: Desk, *, with_password: bool):
    name = f"changing-{with_password}"
    token = desk.user(name)
    browser = desk.browser(None if with_password else token)
    if with_password:
        browser.send("/ui/log-in", name=name, password=PASSWORD)
    assert f"{name} (editor)" in browser.open("/ui/").text
    with msc.session(desk.address, desk.wire.token):
        (user,) = (each for each in carrier().call(access.USERS, None) if each.name == name)
        carrier().call(access.PATCH_USER, access.UserPatch(role="reader"), key=user.id)
        assert f"{name} (reader)" in browser.open("/ui/").text
        carrier().call(access.PATCH_USER, access.UserPatch(is_active=False), key=user.id)
    assert browser.http.get("/ui/").status_code == 303


def test_another_password_ends_the_session_of_a_browser(desk: Desk):
    desk.user("pat")
    browser = desk.browser()
    browser.send("/ui/log-in", name="pat", password=PASSWORD)
    with msc.session(desk.address, desk.wire.token):
        (user,) = (each for each in carrier().call(access.USERS, None) if each.name == "pat")
        change = PasswordChange(password="another horse battery staple")
        carrier().call(credentials.SET_PASSWORD, change, key=user.id)
    assert browser.http.get("/ui/").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example/", "/ui/../docs\\x", "/api/v1/whoami", "/ui/\r\nx: y", "javascript:x"],
)
def test_logging_in_leads_to_a_page_here_only(desk: Desk, wanted: str):
    answer = desk.browser().send("/ui/log-in", token=desk.wire.token, next=wanted)
    assert answer.headers["Location"] == "/ui/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_forms_of_other_sites_do_nothing(desk: Desk, headers: dict[str, str], status: int):
    fields = {"token": desk.wire.token}
    assert httpx.post(f"{desk.address}/ui/log-in", data=fields, headers=headers).status_code == status


def test_browsers_may_say_here_where_a_form_was_sent_from(desk: Desk):
    """By the Fetch standard a form's origin is null under no-referrer; without TLS it is all that a browser says."""
    for browser, path in ((desk.browser(), "/ui/log-in"), (desk.browser(desk.wire.token), "/ui/")):
        assert browser.http.get(path).headers["Referrer-Policy"] == "same-origin"


def test_many_wrong_passwords_are_slowed_down(desk: Desk):
    desk.user("eve")
    browser = desk.browser()
    wrong, headers = {"name": "eve", "password": "x"}, {"Origin": desk.address}
    statuses = [browser.http.post("/ui/log-in", data=wrong, headers=headers).status_code for _ in range(30)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
