"""``mainsequence token``."""

from __future__ import annotations

from typing import Annotated

import typer

from mainsequence.cli import users
from mainsequence.cli.output import AsJson, say, show_one, show_rows
from mainsequence.cli.users import UserName

app = typer.Typer(no_args_is_help=True, help="Tokens: what scripts show to a server instead of a password.")

LISTED = ("id", "label", "created_at", "expires_at", "revoked_at")


@app.command("list")
def list_tokens(name: UserName, as_json: AsJson = False) -> None:
    """List the tokens of a user; their secrets are not kept."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract

    found = [token.model_dump() for token in carrier().call(contract.TOKENS, None, key=users.find(name).id)]
    show_rows(found, LISTED, as_json=as_json, nothing="no tokens")


@app.command("create")
def create(
    name: UserName,
    label: Annotated[str, typer.Option(help="What it is for.")] = "token",
    expires: Annotated[str | None, typer.Option(help="A date or time; by default it does not expire.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a user a new token and print it: the only time that it is shown."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract
    from mainsequence.domain.access import TokenCreation
    from mainsequence.domain.times import to_datetime

    body = TokenCreation(label=label, expires_at=None if expires is None else to_datetime(expires, "expires"))
    issued = carrier().call(contract.ISSUE_TOKEN, body, key=users.find(name).id)
    if as_json:
        show_one(issued.model_dump(), as_json=True)
    else:
        typer.echo(issued.token)
    say(f"Token {issued.id} of {name}: keep it now, it is not shown again.")


@app.command("revoke")
def revoke(
    token: Annotated[int, typer.Argument(help="Id of the token, as `token list` shows it.")], as_json: AsJson = False
) -> None:
    """Make a token worthless from now on."""
    from mainsequence.client.connection import carrier
    from mainsequence.contract import access as contract

    show_one(carrier().call(contract.REVOKE_TOKEN, None, key=token).model_dump(), as_json=as_json)
