"""``mainsequence team``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import Where, Yes, confirm, filters
from mainsequence.cli.output import AsJson, say, show_one, show_rows

app = typer.Typer(no_args_is_help=True, help="Teams: users with whom things are shared at once.")

TeamName = Annotated[str, typer.Argument(metavar="TEAM", help="Name of the team.")]
LISTED = ("id", "name", "members", "created_at")


def _record(team: msc.Team) -> dict[str, Any]:
    return {name: getattr(team, name) for name in LISTED}


@app.command("list")
def list_teams(where: Where = None, as_json: AsJson = False) -> None:
    """List the teams of the organization, all or those that fit."""
    from mainsequence.domain.access import TEAM_LOOKUPS

    found = msc.Team.filter(**filters(where, TEAM_LOOKUPS))
    show_rows(map(_record, found), LISTED, as_json=as_json, nothing="no teams")


@app.command("create")
def create(
    name: TeamName,
    users: Annotated[list[str] | None, typer.Argument(metavar="USER", help="Names of its first members.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a team, with first members where they are named."""
    show_one(_record(msc.Team.create(name, users or ())), as_json=as_json)


@app.command("add")
def add(
    name: TeamName,
    users: Annotated[list[str], typer.Argument(metavar="USER", help="Names of users.")],
    as_json: AsJson = False,
) -> None:
    """Put users into a team; those that are in it stay."""
    show_one(_record(msc.Team.get(name=name).add(*users)), as_json=as_json)


@app.command("remove")
def remove(
    name: TeamName,
    users: Annotated[list[str], typer.Argument(metavar="USER", help="Names of users.")],
    as_json: AsJson = False,
) -> None:
    """Take users out of a team; those that are not in it are left alone."""
    show_one(_record(msc.Team.get(name=name).remove(*users)), as_json=as_json)


@app.command("delete")
def delete(name: TeamName, yes: Yes = False) -> None:
    """Delete a team, with all that was granted to it."""
    found = msc.Team.get(name=name)
    confirm(f"Delete the team {found.name} of {len(found.members)} users?", yes=yes)
    found.delete()
    say(f"The team {name} is deleted.")
