"""Universes whose changes somebody must approve, and several users of one platform who ask, approve and look."""

from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.contract import assets as asset_contract
from mainsequence.contract import categories as contract
from mainsequence.domain.categories import CategoryCreation
from tests.universes.actors import Carriers

ROLES = {"owner": "editor", "author": "editor", "ada": "editor", "bob": "editor", "chief": "admin", "guest": "reader"}


def register(carrier: Any, number: int) -> list[int]:
    from mainsequence.contract.assets import Registrations
    from mainsequence.domain.assets import AssetRegistration

    wanted = [AssetRegistration(unique_identifier=f"a{each}") for each in range(number)]
    return [each.id for each in carrier.call(asset_contract.REGISTER, Registrations(assets=wanted))]


def universe(users: Carriers, members: int = 3, **guards: Any) -> tuple[msc.AssetCategory, list[int]]:
    """A universe of some of ten assets, made by its owner."""
    ids = register(users["owner"], 10)
    body = CategoryCreation(unique_identifier="shared", display_name="shared", assets=ids[:members])
    category = msc.AssetCategory._bind(users["owner"].call(contract.CREATE, body), users["owner"])
    category.guard(**guards)
    return category, ids


def asked(change: Any) -> int:
    """Ask for a change that needs approval; gives the number of the request."""
    with pytest.raises(msc.ApprovalRequiredError) as refused:
        change()
    return int(refused.value.context["request"])


def hand_made(category: msc.AssetCategory, carrier: Any, asset_ids: list[int], **said: Any) -> Any:
    """Ask for an append to be approved as no verb asks for it: by the operation behind them."""
    from mainsequence.contract.guards import REQUEST_CHANGE, ChangeAsked

    number = len(asset_ids)
    rows = {"asset_id": asset_ids, **{name: [None] * number for name in ("valid_from", "valid_to", "weight")}}
    change = {"category_id": category.id, "revision": category.refresh().revision, "closed": {}, "opened": rows}
    change |= {name: said.pop(name) for name in ("decided", "announced") if name in said}
    change["operation"] = said.pop("operation", "append")
    return carrier.call(REQUEST_CHANGE, ChangeAsked.parse({"change": change} | said), key=category.id)


def ruled_universe(users: Carriers) -> tuple[msc.AssetCategory, list[int]]:
    """A universe that a rule fills from another one, whose changes ada approves."""
    from mainsequence.contract import composition
    from mainsequence.domain.universe_rules import UniverseRule

    _, ids = universe(users)
    rule = UniverseRule(base="shared", calendar="24/7", frequency="monthly", start="2024-01-01")
    body = composition.RuleCreation(unique_identifier="ruled", display_name="ruled", rule=rule)
    ruled = msc.AssetCategory._bind(users["owner"].call(composition.DEFINE_RULE, body), users["owner"])
    ruled.guard(approvers=["ada"])
    return ruled, ids


def derived_universe(users: Carriers, text: str = "shared", **guards: Any) -> msc.AssetCategory:
    """A universe that is made from two others, of the first three of ten assets and of the third to the sixth."""
    from mainsequence.contract import composition

    _, ids = universe(users)
    body = CategoryCreation(unique_identifier="others", display_name="others", assets=ids[2:6])
    users["owner"].call(contract.CREATE, body)
    made = composition.Derivation(unique_identifier="made", display_name="made", expression=text)
    category = msc.AssetCategory._bind(users["owner"].call(composition.DERIVE, made), users["owner"])
    category.guard(**guards)
    return category


def named(users: Carriers, unique_identifier: str) -> msc.AssetCategory:
    """A universe that there is, as its owner has it."""
    body = CategoryCreation(unique_identifier=unique_identifier, display_name=unique_identifier)
    return msc.AssetCategory._bind(users["owner"].call(contract.GET_OR_CREATE, body), users["owner"])


BOTH = "shared | others"


def holds(category: msc.AssetCategory, text: str) -> set[str]:
    """Whom an expression holds now."""
    from mainsequence.contract import composition

    query = composition.Evaluation(expression=text)
    return {each.unique_identifier for each in category._call(composition.EVALUATE, query)}


ENTRY = {"unique_identifier": "a5", "valid_from": "2099-01-01"}


def announced_of(category: msc.AssetCategory) -> dict[str, str]:
    """When those who enter or leave in 2099 were announced, by asset, as far as anybody said."""
    rows = category.upcoming("2098-12-31").itertuples()
    return {each.unique_identifier: f"{each.announced_at:%Y-%m-%d}" for each in rows if str(each.announced_at) != "NaT"}


def load(category: msc.AssetCategory, *rows: dict[str, Any], **options: Any) -> msc.AssetCategory:
    """Load some rows beside what is there."""
    return category.load(list(rows), **({"mode": "append"} | options))


def refresh(category: msc.AssetCategory, carrier: Any, until: str | None = None, **said: Any) -> Any:
    """Let a rule decide its dates up to a time."""
    from mainsequence.contract import composition

    return carrier.call(composition.REFRESH, composition.Refresh(until=until, **said), key=category.id)
