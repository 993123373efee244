"""Sharing: who reaches a universe, a translation table or a portfolio beside those whose role allows it."""

from mainsequence.contract import sharing as contract
from mainsequence.domain.sharing import WORDS, GrantCreation, Grantee, Kind, Rights, Sharing
from mainsequence.errors import PermissionDeniedError
from mainsequence.platform import rights
from mainsequence.platform.registry import sharing as registry
from mainsequence.platform.registry import teams
from mainsequence.platform.work import Work, carries_out


def _sharing(work: Work, kind: Kind, key: int) -> Sharing:
    found = registry.facts(work.connection, work.actor, kind, key)
    if found is None:
        raise rights.missing(kind, key)
    visibility = "private" if found["is_private"] else "organization"
    return Sharing.parse(
        {"owner": found["owner"], "visibility": visibility, "grants": registry.grants(work.connection, kind, key)}
    )


def _begin(work: Work, kind: Kind, key: int) -> None:
    """Hold an object whose sharing somebody may change.

    Raises
    ------
    PermissionDeniedError
        They neither own it nor are administrators.
    """
    registry.hold(work.connection, kind, key)
    if not rights.standing(work.connection, work.actor, kind, key).may_share:
        raise PermissionDeniedError(
            f"Only its owner and administrators share the {WORDS[kind][0]}, {work.actor.name} is neither.",
            hint="Ask one of them.",
        )


def _grantee(work: Work, named: Grantee) -> dict[str, int]:
    """Find whom a grant is for: in the organization of who grants, never in another."""
    if named.user is not None:
        return {"user_id": teams.users_named(work.connection, work.organization_id, [named.user])[named.user]}
    return {"team_id": teams.by_name(work.connection, work.organization_id, str(named.team)).id}


def _carry_out(verbs: contract.Verbs) -> None:
    """Register the services of one kind of object: the same four for each."""
    kind = verbs.kind

    @carries_out(verbs.get)
    def sharing(work: Work, _body: None, *, key: int) -> Sharing:
        return _sharing(work, kind, key)

    @carries_out(verbs.change)
    def set_visibility(work: Work, body: contract.VisibilityChange, *, key: int) -> Sharing:
        _begin(work, kind, key)
        registry.set_private(work.connection, kind, key, private=body.visibility == "private")
        return _sharing(work, kind, key)

    @carries_out(verbs.share)
    def share(work: Work, body: GrantCreation, *, key: int) -> Sharing:
        _begin(work, kind, key)
        stamp = {"rights": int(Rights[body.rights.upper()]), "granted_by": work.actor.name, "granted_at": work.now}
        registry.give(work.connection, kind, key, _grantee(work, body), stamp)
        return _sharing(work, kind, key)

    @carries_out(verbs.unshare)
    def unshare(work: Work, body: Grantee, *, key: int) -> Sharing:
        _begin(work, kind, key)
        registry.take(work.connection, kind, key, _grantee(work, body))
        return _sharing(work, kind, key)


for _verbs in contract.VERBS.values():
    _carry_out(_verbs)
