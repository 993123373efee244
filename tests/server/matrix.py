"""Who may do what, written down by hand: one line for every operation, one for everybody who may stand to an object.

A new operation needs its place in `RULES` (and in `BODIES`, where an empty body is refused); a test fails until then.
"""

from typing import Any

from mainsequence.domain.plans import PlannedChange

RULES = {
    # every role, on what belongs to its organization
    "everybody": """
        assets.query assets.get assets.snapshots assets.classifications
        categories.query categories.containing categories.asset_ids_of
        categories.member_counts
        changes.query portfolios.query portfolio_groups.query portfolio_groups.get routing.query
        series.query series.get series.read series.wide series.statistics series.history
        assets.resolve categories.resolve categories.evaluate categories.evaluate_ids categories.evaluate_members
        categories.reconcile change_requests.query change_requests.get change_requests.plan
        access.whoami teams.query teams.get
    """,
    # by role alone
    "editors": """
        assets.create assets.register assets.register_ids assets.register_figi assets.patch assets.retire
        assets.set_pricing assets.clear_pricing categories.create categories.get_or_create
        portfolios.create portfolios.get_or_create portfolios.publish
        portfolio_groups.create portfolio_groups.get_or_create portfolio_groups.patch
        portfolio_groups.delete portfolio_groups.append_portfolios portfolio_groups.remove_portfolios
        routing.get_or_create series.create series.get_or_create series.patch series.delete series.append
        series.upsert series.replace series.delete_rows categories.derive categories.define_rule
        change_requests.approve change_requests.reject change_requests.withdraw
    """,
    "administrators": """
        access.users access.create_user access.patch_user access.tokens access.issue_token access.revoke_token
        access.set_password teams.create teams.delete teams.add_members teams.remove_members audit.query
        webhooks.query webhooks.get webhooks.create webhooks.resume webhooks.test webhooks.delete
    """,
    # by how somebody stands to the object that the address names
    "v": """
        categories.get categories.asset_ids categories.assets categories.weights categories.members
        categories.history categories.recorded_change categories.diff categories.references categories.sharing
        categories.definition
        categories.stamp categories.why categories.explain categories.verify categories.plan categories.plan_refresh
        categories.guards
        categories.guard_history categories.change_requests categories.preview_intervals categories.announcements
        categories.upcoming categories.expected categories.weight_sums categories.freshness
        routing.get routing.evaluate_asset routing.coverage routing.sharing
        portfolios.get portfolios.latest_weights portfolios.sharing
    """,
    "n": "categories.register_reference categories.drop_reference",
    "e": """
        categories.patch categories.append_assets categories.remove_assets categories.update_assets
        categories.redefine categories.change_rule categories.refresh categories.revert categories.apply
        categories.deprecate categories.undeprecate categories.rename categories.request_change
        categories.load_intervals
        routing.add_rules routing.remove_rules portfolios.patch
        portfolios.add_venue portfolios.remove_venue
    """,
    "d": "categories.delete routing.delete portfolios.delete",
    "s": """
        categories.set_visibility categories.share categories.unshare categories.guard
        routing.set_visibility routing.share routing.unshare
        portfolios.set_visibility portfolios.share portfolios.unshare
    """,
}
"""The rule of every operation. v: those who see the object; n: editors who see it, to name themselves its readers; e:
those who may change it; d: those who may delete it; s: those who may share it."""

RULE_OF = {name: rule for rule, names in RULES.items() for name in names.split()}

NAMED = [name for names in RULES.values() for name in names.split()]

OPEN = {
    "owner": "vneds",
    "admin": "vneds",
    "editor": "vned",
    "reader": "v",
    "viewing editor": "vned",
    "viewing reader": "v",
    "changing editor": "vned",
    "changing reader": "ve",
    "reader in a viewing team": "v",
    "reader in a changing team": "ve",
    "owner who reads by now": "v",
    "other reader": "",
    "other editor": "",
    "other admin": "",
}
"""What each may with an object that is everybody's of the organization."""

PRIVATE = {
    "owner": "vneds",
    "admin": "vneds",
    "editor": "",
    "reader": "",
    "viewing editor": "vn",
    "viewing reader": "v",
    "changing editor": "vne",
    "changing reader": "ve",
    "reader in a viewing team": "v",
    "reader in a changing team": "ve",
    "owner who reads by now": "v",
    "other reader": "",
    "other editor": "",
    "other admin": "",
}
"""The same with a private one; where nothing is said, it is not found."""

_CHANGE = {"category_id": 1, "revision": 0, "operation": "append", "closed": {}, "opened": {}}
_PLANNED = {"change": _CHANGE, "content_hash": PlannedChange.parse(_CHANGE).content_hash}
_RULE = {"calendar": "24/7", "frequency": "monthly", "start": "2024-01-01T00:00:00Z"}

BODIES: dict[str, Any] = {
    "categories.apply": _PLANNED,
    "categories.change_rule": {"rule": _RULE},
    "categories.expected": {"at": "2024-01-01T00:00:00Z"},
    "categories.explain": {"asset_id": 1},
    "categories.plan": {"append": []},
    "categories.redefine": {"expression": "one | two"},
    "categories.rename": {"unique_identifier": "renamed"},
    "categories.request_change": {"change": _CHANGE},
    "categories.revert": {"revision": 0},
    "categories.why": {"asset_id": 1},
    "assets.set_pricing": {"instrument_dump": {}, "pricing_details_date": "2024-01-01T00:00:00Z"},
    "categories.append_assets": {"asset_ids": []},
    "categories.diff": {"a": {}, "b": {}},
    "categories.drop_reference": {"kind": "node", "identifier": "x"},
    "categories.patch": {"display_name": "mine"},
    "categories.recorded_change": {"revision": 1},
    "categories.register_reference": {"kind": "node", "identifier": "x"},
    "categories.remove_assets": {"asset_ids": []},
    "categories.set_visibility": {"visibility": "private"},
    "categories.share": {"user": "bo"},
    "categories.unshare": {"user": "bo"},
    "categories.update_assets": {"asset_ids": []},
    "access.set_password": {"password": "correct horse battery staple"},
    "portfolio_groups.append_portfolios": {"portfolios": []},
    "portfolio_groups.remove_portfolios": {"portfolios": []},
    "portfolios.add_venue": {"venue_id": 1},
    "portfolios.patch": {"display_name": "mine"},
    "portfolios.remove_venue": {"venue_id": 1},
    "portfolios.set_visibility": {"visibility": "private"},
    "portfolios.share": {"user": "bo"},
    "portfolios.unshare": {"user": "bo"},
    "routing.coverage": {"asset_ids": []},
    "routing.evaluate_asset": {"asset_id": 1},
    "routing.set_visibility": {"visibility": "private"},
    "routing.share": {"user": "bo"},
    "routing.unshare": {"user": "bo"},
    "series.wide": {"column": "close"},
    "teams.add_members": {"members": []},
    "teams.remove_members": {"members": []},
}
"""What operations are asked with that an empty body does not fit; enough to be carried out where that is allowed."""
