"""``mainsequence user``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainsequence.cli.output import AsJson, say, show_one, show_rows

if TYPE_CHECKING:
    from mainsequence.domain.access import UserRecord

app = typer.Typer(no_args_is_help=True, help="Users: who may use the platform, and what they may do.")

UserName = Annotated[str, typer.Argument(metavar="USER", help="Name of the user.")]
LISTED = ("id", "name", "role", "organization", "is_active", "created_at")


def find(name: str) -> UserRecord:
    """Find a user of the organization by name.

    Raises
    ------
    NotFoundError
        There is none.
    """
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract
    from mainsequence.errors import NotFoundError

    for user in carrier().call(contract.USERS, None):
        if user.name == name:
            return user
    raise NotFoundError(f"There is no user {name!r}.", hint="mainsequence user list shows those that exist.")


@app.command("whoami")
def whoami(as_json: AsJson = False) -> None:
    """Say who you are to the platform: your name, role, organization and teams."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract

    show_one(carrier().call(contract.WHOAMI, None).model_dump(), as_json=as_json)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List the users of the organization."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract

    found = [user.model_dump() for user in carrier().call(contract.USERS, None)]
    show_rows(found, LISTED, as_json=as_json, nothing="no users")


@app.command("create")
def create(
    name: UserName,
    role: Annotated[str, typer.Option(help="reader, editor or admin.")] = "editor",
    organization: Annotated[str | None, typer.Option(help="By default your own; another is made if needed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a user; give it a token with `mainsequence token create`."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract
    from mainsequence.domain.access import UserCreation

    body = UserCreation.parse({"name": name, "role": role, "organization": organization})
    show_one(carrier().call(contract.CREATE_USER, body).model_dump(), as_json=as_json)


@app.command("change")
def change(
    name: UserName,
    role: Annotated[str | None, typer.Option(help="reader, editor or admin.")] = None,
    active: Annotated[
        bool | None, typer.Option("--let-in/--shut-out", help="Whether the user's tokens are accepted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a user's role, or shut a user out."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract

    asked: dict[str, Any] = {"role": role, "is_active": active}
    body = contract.UserPatch.parse({key: value for key, value in asked.items() if value is not None})
    changed = carrier().call(contract.PATCH_USER, body, key=find(name).id)
    show_one(changed.model_dump(), as_json=as_json)
    say(f"{name} is {changed.role}{'' if changed.is_active else ', shut out'}.")


@app.command("password")
def set_password(
    name: UserName,
    from_input: Annotated[bool, typer.Option("--stdin", help="Read it from standard input instead of asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a user a password, for clients that log in by name; sessions that are open end."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import credentials as contract

    user = find(name)
    given = sys.stdin.readline().rstrip("\r\n") if from_input else _asked(name)
    changed = carrier().call(contract.SET_PASSWORD, contract.PasswordChange(password=given), key=user.id)
    if as_json:
        show_one(changed.model_dump(), as_json=True)
    say(f"{name} has a new password.")


def _asked(name: str) -> str:
    return str(typer.prompt(f"New password for {name}", hide_input=True, confirmation_prompt=True, err=True))
