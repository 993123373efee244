"""Who may do what: every operation × every role × own and other organization × every standing to what is shared."""

from collections.abc import Iterator
from dataclasses import replace
from types import NoneType
from typing import Any

import httpx
import pyarrow as pa
import pytest

from mainsequence.client.http import HttpCarrier
from mainsequence.contract import access as contract
from mainsequence.contract import assets, categories, portfolios, routing, sharing, teams
from mainsequence.contract.arrow import ArrowTable, encode
from mainsequence.contract.catalogue import operations
from mainsequence.contract.loading import LoadOptions, interval_schema, with_options
from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import PREFIX, media_type
from mainsequence.domain.access import Actor, Role, TeamCreation, TokenCreation, UserCreation
from mainsequence.domain.assets import AssetRegistration
from mainsequence.domain.categories import CategoryCreation
from mainsequence.domain.portfolios import PortfolioCreation
from mainsequence.domain.sharing import GrantCreation
from mainsequence.errors import MainSequenceError, NotFoundError, PermissionDeniedError
from mainsequence.platform.platform import Platform, permitted
from mainsequence.settings import Settings
from tests.carriers.servers import a_server
from tests.server.matrix import BODIES, NAMED, OPEN, PRIVATE, RULE_OF

ROLES = ("reader", "editor", "admin")
LEAST = {"everybody": "reader", "editors": "editor", "administrators": "admin", "v": "reader", "n": "editor"}
RULED = [each for each in operations().values() if each.name in RULE_OF]
Bearers = tuple[str, dict[tuple[str, str], str]]


def test_every_operation_has_one_rule() -> None:
    assert sorted(NAMED) == sorted(operations()), "write the rule of a new operation into tests/server/matrix.py"
    assert BODIES.keys() <= operations().keys()


# -- roles, over HTTP


@pytest.fixture(scope="module")
def bearers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bearers]:
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
        "/teams": {"name": "quants"},
    }.items():
        http.post(path, json=body).raise_for_status()


def asked(address: str, token: str | None, operation: Operation[Any, Any]) -> httpx.Response:
    """Ask without a body: enough to learn whether the role may, and never enough to change what exists."""
    headers = {"Content-Type": media_type(operation.takes)} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.request(operation.method, f"{address}{PREFIX}{operation.path.format(key=1)}", headers=headers)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", RULED, ids=lambda operation: operation.name)
def test_a_role_may_what_it_may(bearers: Bearers, operation: Operation[Any, Any], role: str) -> None:
    address, tokens = bearers
    # What a grant may allow is refused with the object at hand: here, as another organization's, with "not found".
    least = LEAST.get(RULE_OF[operation.name], "reader")
    answer = asked(address, tokens["Other", role], operation)
    assert (answer.status_code == 403) == (ROLES.index(role) < ROLES.index(least)), answer.text
    assert answer.status_code != 401
    assert asked(address, None, operation).status_code == 401


KEYED = [each for each in RULED if "{key}" in each.path]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", KEYED, ids=lambda operation: operation.name)
def test_what_another_organization_has_is_not_found(
    bearers: Bearers, operation: Operation[Any, Any], role: str
) -> None:
    address, tokens = bearers
    body = BODIES.get(operation.name, {})
    sent: dict[str, Any] = {"params" if operation.takes_parameters else "json": body}
    if operation.takes is ArrowTable:
        sent = {"content": encode(_no_rows(operation)), "headers": {"Content-Type": media_type(operation.takes)}}
    url = f"{address}{PREFIX}{operation.path.format(key=1)}"
    headers = {"Authorization": f"Bearer {tokens['Other', role]}"} | sent.pop("headers", {})
    answer = httpx.request(operation.method, url, headers=headers, **sent)
    if ROLES.index(role) < ROLES.index(LEAST.get(RULE_OF[operation.name], "reader")):
        assert answer.status_code == 403, answer.text
    elif operation.name == "categories.containing":
        assert (answer.status_code, answer.json()) == (200, [])
    else:
        assert answer.status_code == 404, answer.text
        assert answer.json()["context"] == {}, "nothing of the other organization is told"


def _no_rows(operation: Operation[Any, Any]) -> pa.Table:
    if operation.name.startswith("categories."):
        return with_options(interval_schema().empty_table(), LoadOptions())
    kinds = {"time_index": pa.timestamp("us", "UTC"), "unique_identifier": pa.string(), "close": pa.float64()}
    return pa.schema(list(kinds.items())).empty_table()


# -- standings to what can be shared, in this process, each tried and undone

ON_OBJECTS = [each for each in KEYED if RULE_OF[each.name] in set("vneds")]
PEOPLE = {
    "owner": Actor("ada", 1, Role.EDITOR),
    "admin": Actor("root", 1, Role.ADMIN),
    "editor": Actor("ed", 1, Role.EDITOR),
    "reader": Actor("bo", 1, Role.READER),
    "viewing editor": Actor("vera", 1, Role.EDITOR),
    "viewing reader": Actor("vic", 1, Role.READER),
    "changing editor": Actor("cy", 1, Role.EDITOR),
    "changing reader": Actor("cleo", 1, Role.READER),
    "reader in a viewing team": Actor("tom", 1, Role.READER),
    "reader in a changing team": Actor("tina", 1, Role.READER),
    "other reader": Actor("oro", 2, Role.READER),
    "other editor": Actor("ola", 2, Role.EDITOR),
    "other admin": Actor("otto", 2, Role.ADMIN),
}
PEOPLE["owner who reads by now"] = replace(PEOPLE["owner"], role=Role.READER)
GRANTS = ({"user": "vera"}, {"user": "vic"}, {"team": "viewers"})
EDIT_GRANTS = ({"user": "cy"}, {"user": "cleo"}, {"team": "changers"})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, dict[tuple[str, str], int]]]:
    """Give a platform, and the ids of an open and a private object of each kind, made by one and shared with some."""
    platform = Platform.embedded(Settings(home=tmp_path_factory.mktemp("shared")))
    for person in dict.fromkeys(replace(each, role=Role.READER) for each in PEOPLE.values()):
        organization = "Other" if person.organization_id == 2 else None
        platform.call(contract.CREATE_USER, UserCreation(name=person.name, organization=organization))
    platform.call(assets.CREATE, AssetRegistration(unique_identifier="a"))
    platform.call(teams.CREATE, TeamCreation(name="viewers", members=["tom"]))
    platform.call(teams.CREATE, TeamCreation(name="changers", members=["tina", "tom"]))
    platform.call(teams.REMOVE_MEMBERS, teams.TeamEdit(members=["tom"]), key=2)
    yield platform, {(kind, state): _made(platform, kind, state) for kind in sharing.VERBS for state in STATES}
    platform.close()


STATES = {"organization": OPEN, "private": PRIVATE}


def _made(platform: Platform, kind: str, state: str) -> int:
    name, owner = f"{kind} {state}", PEOPLE["owner"]
    if kind == "category":
        body = CategoryCreation(unique_identifier=name, display_name=name)
        key = platform.call_as(owner, categories.CREATE, body).id
    elif kind == "portfolio":
        key = platform.call_as(
            owner, portfolios.CREATE, PortfolioCreation(unique_identifier=name, display_name=name)
        ).id
    else:
        declared = routing.TableDeclaration(unique_identifier=name)
        key = platform.call_as(owner, routing.GET_OR_CREATE, declared).table.id
    verbs = sharing.VERBS[kind]  # type: ignore[index]
    platform.call_as(owner, verbs.change, sharing.VisibilityChange.parse({"visibility": state}), key=key)
    for grantees, rights in ((GRANTS, "view"), (EDIT_GRANTS, "edit")):
        for grantee in grantees:
            platform.call_as(owner, verbs.share, GrantCreation.parse({**grantee, "rights": rights}), key=key)
    return key


class UndoneError(Exception):
    """Takes back what was tried."""


def outcome(platform: Platform, actor: Actor, operation: Operation[Any, Any], key: int) -> str:
    """Try one operation as a platform does, and take it back."""
    body = _no_rows(operation) if operation.takes is ArrowTable else None
    if operation.takes not in (ArrowTable, NoneType):
        body = operation.takes.parse(BODIES.get(operation.name, {}))
    try:
        registered = permitted(actor, operation)
        with platform.work(actor, writes=registered.writes) as work:
            registered.service(work, body, key=key)
            raise UndoneError  # noqa: TRY301 (takes back what was done)
    except NotFoundError as error:
        return "not found" if f"with id {key}." in error.message else "allowed"
    except PermissionDeniedError:
        return "denied"
    except (UndoneError, MainSequenceError):
        return "allowed"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", ON_OBJECTS, ids=lambda operation: operation.name)
def test_everybody_may_what_their_standing_says(
    shared: tuple[Platform, dict[tuple[str, str], int]], operation: Operation[Any, Any], state: str
) -> None:
    platform, ids = shared
    kind = {"categories": "category", "routing": "translation_table", "portfolios": "portfolio"}
    key, rule = ids[kind[operation.name.partition(".")[0]], state], RULE_OF[operation.name]
    for standing, may in STATES[state].items():
        expected = "allowed" if rule in may else "denied" if may else "not found"
        if rule == "n" and PEOPLE[standing].role is Role.READER:
            expected = "denied"  # by the role alone, whatever there is
        assert outcome(platform, PEOPLE[standing], operation, key) == expected, standing
