"""Pages: every one is reachable, well formed and safe, and says what is so."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import httpx
import pytest

import mainsequence.client as msc
from mainsequence.client.connection import carrier
from mainsequence.contract import changes as feed
from mainsequence.server.pages.routes import PAGES
from tests.pages.conftest import MEAN, Browser, Desk
from tests.pages.reading import Read, read


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Browser:
    return desk.browser(desk.wire.token)


@pytest.fixture(scope="module")
def universes(desk: Desk) -> dict[str, int]:
    with msc.session(desk.address, desk.wire.token):
        return {each.unique_identifier: each.id for each in msc.AssetCategory.filter()}


def pages_of(admin: Browser) -> Iterator[tuple[str, httpx.Response]]:
    """Follow every link from the first page on, but for those that only choose another part of a list."""
    waiting, seen = ["/ui/"], {"/ui/"}
    while waiting:
        path = waiting.pop()
        answer = admin.http.get(path)
        yield path, answer
        if "html" not in answer.headers.get("Content-Type", ""):
            continue
        found = read(answer.text)
        for link in (*found.links, *found.pictures):
            whole = str(httpx.URL(path).join(link)) if link.startswith("?") else link
            shape = re.sub(r"(revisions/|assets/|revision=|after=|before=|a)\d+", r"\1", whole)
            if whole.startswith("/ui/") and shape not in seen:
                seen.add(shape)
                waiting.append(whole)


def test_every_page_is_reached_by_links_and_well_formed(admin: Browser):
    visited = dict(pages_of(admin))
    strange = {path: answer.status_code for path, answer in visited.items() if answer.status_code not in (200, 303)}
    assert strange == {}
    paths = [re.sub(r"\{\w+\}", "[0-9]+", page.path) for page in PAGES if page.method == "GET"]
    assert [path for path in paths if not any(re.fullmatch(rf"{path}(\?.*)?", each) for each in visited)] == []
    for path, answer in visited.items():
        assert "alert(1)" not in answer.text.replace("&lt;script&gt;alert(1)&lt;/script&gt;", ""), path
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"


def test_links_outside_lead_nowhere_else(admin: Browser):
    assert {link for link in admin.open("/ui/").links if not link.startswith(("/ui/", "#", "?"))} == {"/docs"}


@pytest.mark.parametrize("path", ["/", "/ui"])
def test_the_address_of_the_server_leads_to_the_pages(admin: Browser, path: str):
    assert admin.http.get(path).headers["Location"] == "/ui/"


def test_universes_are_listed_with_their_members_and_searched(admin: Browser, universes: dict[str, int]):
    everything = admin.open("/ui/")
    assert {f"/ui/universes/{key}" for key in universes.values()} <= set(everything.links)
    assert "260" in everything.text
    found = admin.open("/ui/?q=large/slash")
    assert f"/ui/universes/{universes['large/slash & co']}" in found.links
    assert "daily" not in found.text.split("Waits for approval")[0]
    assert "No universe fits." in admin.open("/ui/?q=nothing like it").text


def test_a_universe_says_who_changed_it_and_who_reads_it(admin: Browser, universes: dict[str, int]):
    found = admin.open(f"/ui/universes/{universes['core']}")
    assert found.titles == [f"Core {MEAN}"]
    assert "it left" in found.text
    assert f"core@{4}" in found.text
    assert {"/ui/find?kind=portfolio&name=fund", "/ui/find?kind=category&name=made"} <= set(found.links)
    assert f"/ui/universes/{universes['core']}/revisions/4" in found.links
    assert re.search(r"base core\s*calendar 24/7", admin.open(f"/ui/universes/{universes['ruled']}").text)
    assert "core | core" in admin.open(f"/ui/universes/{universes['made']}").text
    assert "Deprecated since" in admin.open(f"/ui/universes/{universes['large/slash & co']}").text


def test_a_revision_says_what_it_did(admin: Browser, universes: dict[str, int]):
    found = admin.open(f"/ui/universes/{universes['core']}/revisions/2")
    assert "a010" in found.text
    assert re.search(r"a011.*2021-01-01\s*2022-01-01\s*0\.25", found.text, re.DOTALL)
    assert "a009" not in found.text
    weighed = admin.open(f"/ui/universes/{universes['core']}/revisions/3").text
    assert re.search(r"a000.*2023-01-01\s*no end\s*→ 3", weighed, re.DOTALL)
    admin.open(f"/ui/universes/{universes['core']}/revisions/99", 404)
    admin.open(f"/ui/universes/{universes['core']}/revisions/0", 422)


def members(found: Read) -> list[str]:
    return re.findall(r"\ba\d\d\d\b", found.text)


def test_members_are_those_of_the_time_and_state_asked_for(admin: Browser, universes: dict[str, int]):
    path = f"/ui/universes/{universes['core']}/members"
    assert members(admin.open(path)) == [f"a{n:03}" for n in range(9)]
    assert members(admin.open(f"{path}?as_of=2021-06-01")) == [f"a{n:03}" for n in range(12)]
    assert members(admin.open(f"{path}?as_of=2024-06-01&revision=3")) == [f"a{n:03}" for n in range(10)]
    assert members(admin.open(f"{path}?as_of=2019-06-01")) == []
    admin.open(f"{path}?as_of=soon", 422)
    admin.open(f"{path}?revision=99", 404)


def test_large_universes_come_part_by_part(admin: Browser, universes: dict[str, int]):
    path = f"/ui/universes/{universes['large/slash & co']}/members"
    first = admin.open(path)
    (more,) = (link for link in first.links if link.startswith("?after="))
    assert members(first) + members(admin.open(path + more)) == [f"a{n:03}" for n in range(260)]


def test_why_says_since_when_and_by_whom(admin: Browser, universes: dict[str, int]):
    path = f"/ui/universes/{universes['core']}/why"
    found = admin.open(f"{path}?asset=a009")
    assert "a009 is not in core" in found.text
    assert "remove by admin" in found.text
    assert "a010 is in core" in admin.open(f"{path}?asset=T10&as_of=2021-06-01").text
    admin.open(f"{path}?asset=nobody", 404)


def test_what_if_says_what_would_change_and_changes_nothing(admin: Browser, universes: dict[str, int]):
    path = f"/ui/universes/{universes['core']}/what-if"
    asked = {"append": "a020\r\nT21", "remove": "a000, a001", "effective_from": "2024-05-01"}
    answer = admin.send(path, 200, **asked)
    found = read(answer.text)
    assert "2 to enter, 2 to leave" in found.text
    assert re.search(r"a021.*2024-05-01\s*no end", found.text, re.DOTALL)
    assert "/ui/find?kind=portfolio&name=fund" in found.links
    with_typo = read(admin.send(path, 422, append="a020\nnobody").text)
    assert "nobody: nobody has it" in with_typo.text
    assert "to enter" not in with_typo.text
    read(admin.send(path, 422, append="a020", remove="a020").text)
    many = admin.send(path, 422, append="\n".join(f"nobody {n}" for n in range(503))).text
    assert "… and 3 more." in many
    assert "nobody 502: " not in read(many).text
    read(admin.send(path, 422, append="a020", effective_from="soon").text)
    assert members(admin.open(f"/ui/universes/{universes['core']}/members")) == [f"a{n:03}" for n in range(9)]


def test_the_history_is_checked_on_demand_and_against_what_was_kept(
    desk: Desk, admin: Browser, universes: dict[str, int]
):
    path = f"/ui/universes/{universes['core']}/verified"
    assert path in admin.open(f"/ui/universes/{universes['core']}").links
    with msc.session(desk.address, desk.wire.token):
        newest = msc.AssetCategory.get(unique_identifier="core").history()[-1].content_hash
    found = admin.open(path)
    assert "as recorded 4 revisions" in found.text
    assert newest in found.text
    assert "as recorded 4 revisions" in admin.open(f"{path}?fingerprint={newest}").text
    assert "not as recorded 4 revisions" in admin.open(f"{path}?fingerprint={'f' * 64}").text


def test_pictures_are_drawn_of_what_is_stored(admin: Browser, universes: dict[str, int]):
    for name, said in (("core", "2020"), ("large/slash & co", "The same 260 at all times"), ("daily", "20")):
        answer = admin.http.get(f"/ui/universes/{universes[name]}/members.svg")
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert said in "".join(ET.fromstring(answer.text).itertext())
    assert admin.http.get("/ui/portfolios/1/values.svg").headers["Content-Type"] == "image/svg+xml"
    admin.open("/ui/portfolios/2/values.svg", 404)


def steps(svg: str) -> list[tuple[float, float]]:
    """Give the corners of the line of a picture; y grows downwards."""
    lines = [each.get("d", "") for each in ET.fromstring(svg).iter() if "#2f6fd0" in each.get("style", "")]
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", "".join(lines))]


@pytest.mark.parametrize(
    ("name", "window", "rises"),
    [
        ("once", {"effective_from": "2020-01-01"}, True),
        ("ended", {"effective_to": "2020-01-01"}, False),
        ("later", {"effective_from": "2090-01-01"}, True),
        ("since year 1", {"effective_from": "0001-01-01", "effective_to": "2020-01-01"}, False),
        ("until year 9999", {"effective_from": "2020-01-01", "effective_to": "9999-12-31"}, True),
    ],
)
def test_one_change_is_drawn_as_one_step(desk: Desk, admin: Browser, name: str, window: dict[str, str], *, rises: bool):
    with msc.session(desk.address, desk.wire.token):
        universe = msc.AssetCategory.create(unique_identifier=name)
        universe.append_assets(msc.Asset.filter(ticker="T1"), **window)
    drawn = steps(admin.http.get(f"/ui/universes/{universe.id}/members.svg").text)
    heights = [y for _, y in drawn]
    assert len(set(heights)) == 2
    assert (heights[0] > heights[-1]) == rises
    assert drawn[0][0] < drawn[1][0]


def test_times_that_no_axis_shows_are_drawn_as_open(desk: Desk, admin: Browser):
    with msc.session(desk.address, desk.wire.token):
        universe = msc.AssetCategory.create(unique_identifier="all of time")
        window = {"effective_from": "0001-01-01", "effective_to": "9999-12-31"}
        universe.append_assets(msc.Asset.filter(ticker="T1"), **window)
    assert "The same 1 at all times" in admin.http.get(f"/ui/universes/{universe.id}/members.svg").text


def test_what_no_revision_pins_is_not_said_to_be_pinned(admin: Browser, universes: dict[str, int]):
    assert "made@" not in admin.open(f"/ui/universes/{universes['made']}").text


@pytest.mark.parametrize(
    "path",
    ["universes/99", "universes/x", "universes", "log-out", "assets/99999", f"requests/{10**30}", "portfolios/99"],
)
def test_what_is_not_there_is_a_page_that_says_so(admin: Browser, path: str):
    assert admin.open(f"/ui/{path}", 404).titles == ["Not Found"]


@pytest.mark.parametrize("asked", ["?after=x", "?after=-x", f"?after={2**63}", f"portfolios?after={10**30}"])
def test_what_makes_no_sense_is_a_page_that_says_so(admin: Browser, asked: str):
    admin.open(f"/ui/{asked}", 422)


def test_changes_go_back_to_the_first(admin: Browser):
    assert "created" in admin.open("/ui/changes").text
    assert admin.open("/ui/changes?before=2").text.count("created") == 1
    assert "Nothing has happened yet." in admin.open("/ui/changes?before=1").text


def test_changes_that_are_hidden_from_a_reader_hide_no_others(desk: Desk):
    with msc.session(desk.address, desk.wire.token):
        expected = len(carrier().call(feed.CHANGES, feed.ChangesQuery()).changes)
        hidden = msc.AssetCategory.create(unique_identifier="hidden")
        hidden.set_visibility("private")
        for n in range(120):
            hidden.patch(description=f"{n}")
    reader = desk.browser(desk.user("reading", "reader"))
    found = reader.open("/ui/changes")
    assert expected > 30
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", found.text)) == expected
    assert [link for link in found.links if link.startswith("?")] == []
    assert "hidden" not in found.text


def test_what_was_deleted_is_named_in_the_feed_and_leads_nowhere(desk: Desk, admin: Browser):
    with msc.session(desk.address, desk.wire.token):
        gone = msc.AssetCategory.create(unique_identifier="gone", assets=msc.Asset.filter(ticker="T1"))
        gone.append_assets(msc.Asset.filter(ticker="T2"))
        gone.delete()
    found = admin.open("/ui/changes")
    assert found.text.count("gone") == 4
    assert [link for link in found.links if link.startswith(f"/ui/universes/{gone.id}")] == []


def test_a_reader_is_found_by_its_identifier(desk: Desk, admin: Browser, universes: dict[str, int]):
    asset = admin.http.get("/ui/find?kind=asset&name=a007").headers["Location"]
    assert admin.http.get("/ui/find?kind=asset&name=T7").headers["Location"] == asset
    assert f"/ui/universes/{universes['core']}" in admin.open(asset).links
    target = admin.http.get("/ui/find?kind=category&name=large%2Fslash%20%26%20co").headers["Location"]
    assert target == f"/ui/universes/{universes['large/slash & co']}"
    with msc.session(desk.address, desk.wire.token):
        msc.AssetCategory.create(unique_identifier="before").rename("afterwards")
    assert admin.http.get("/ui/find?kind=category&name=before").status_code == 303
    admin.open("/ui/find?kind=category&name=nothing", 404)
    admin.open("/ui/find?kind=category&name=core%4099", 404)
    admin.open("/ui/find?kind=category&name=%00", 422)
    admin.open("/ui/find?kind=colour&name=red", 404)
