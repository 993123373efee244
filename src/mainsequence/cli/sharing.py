"""``mainsequence sharing``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

import mainsequence.client as msc
from mainsequence.cli.output import AsJson, show_one

if TYPE_CHECKING:
    from mainsequence.client.sharing import Shareable

app = typer.Typer(no_args_is_help=True, help="Sharing: who else sees or edits a universe, table or portfolio.")


class Noun(StrEnum):
    """What can be shared."""

    CATEGORY = "category"
    ROUTING = "routing"
    PORTFOLIO = "portfolio"


class Rights(StrEnum):
    """What can be granted."""

    VIEW = "view"
    EDIT = "edit"


class Visibility(StrEnum):
    """Who sees an object without a grant."""

    ORGANIZATION = "organization"
    PRIVATE = "private"


NounArgument = Annotated[Noun, typer.Argument(metavar="NOUN", help="category, routing or portfolio.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its unique identifier.")]
User = Annotated[str | None, typer.Option(help="A user of your organization, by name.")]
Team = Annotated[str | None, typer.Option(help="A team of your organization, by name.")]


def _find(noun: Noun, name: str) -> Shareable:
    if noun is Noun.CATEGORY:
        return msc.AssetCategory.get(unique_identifier=name)
    if noun is Noun.ROUTING:
        return msc.AssetTranslationTable.get(unique_identifier=name)
    return msc.Portfolio.get(unique_identifier=name)


def _show(found: Shareable, as_json: bool) -> None:
    record = found.shared_with().model_dump(mode="json")
    grants = record.pop("grants")
    if not as_json:
        grants = {_grantee(each): each["rights"] for each in grants}
    show_one(record | {"grants": grants}, as_json=as_json)


def _grantee(grant: dict[str, str | None]) -> str:
    return f"team {grant['team']}" if grant["user"] is None else f"user {grant['user']}"


@app.command("show")
def show(noun: NounArgument, name: Name, as_json: AsJson = False) -> None:
    """Show who reaches it beside those whose role allows it."""
    _show(_find(noun, name), as_json)


@app.command("grant")
def grant(
    noun: NounArgument,
    name: Name,
    user: User = None,
    team: Team = None,
    rights: Annotated[Rights, typer.Option(help="view, or edit, which includes it.")] = Rights.VIEW,
    as_json: AsJson = False,
) -> None:
    """Give a user or a team rights on it; what they had is replaced."""
    _show(_find(noun, name).share(user=user, team=team, rights=rights.value), as_json)


@app.command("revoke")
def revoke(noun: NounArgument, name: Name, user: User = None, team: Team = None, as_json: AsJson = False) -> None:
    """Take from a user or a team what they were given."""
    _show(_find(noun, name).unshare(user=user, team=team), as_json)


@app.command("visibility")
def visibility(
    noun: NounArgument,
    name: Name,
    who: Annotated[Visibility, typer.Argument(metavar="WHO", help="organization or private.")],
    as_json: AsJson = False,
) -> None:
    """Say who sees it without a grant: everybody of the organization, or its owner and administrators alone."""
    _show(_find(noun, name).set_visibility(who.value), as_json)
