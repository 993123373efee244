"""``mainsequence``: where the nouns come together and errors become exit codes."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mainsequence.cli import (
    assets,
    audit,
    changes,
    composition,
    db,
    demo,
    doctor,
    guards,
    loading,
    past,
    plans,
    portfolios,
    reconcile,
    routing,
    series,
    server,
    sharing,
    teams,
    tokens,
    users,
)
from mainsequence.cli.output import complain
from mainsequence.errors import MainSequenceError, ValidationError
from mainsequence.settings import Settings

REFUSED, MISUSED = 1, 2


class Nouns(TyperGroup):
    """The root group: what the platform refuses is said on standard error, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; 2 is left for requests that are wrong in themselves, 1 for those that failed."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _say_warning
                return super().invoke(ctx)
        except MainSequenceError as error:
            complain("Error", str(error))
            raise typer.Exit(MISUSED if isinstance(error, ValidationError) else REFUSED) from None


def _say_warning(message: Warning | str, *_where: Any, **_more: Any) -> None:
    complain("Warning", str(message))


app = typer.Typer(
    cls=Nouns,
    name="mainsequence",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(assets.app, name="asset")
assets.app.add_typer(loading.asset_app)
app.add_typer(past.app, name="category")
for commands in (plans.app, composition.app, guards.app, loading.app, reconcile.app):
    past.app.add_typer(commands)
app.add_typer(routing.app, name="routing")
app.add_typer(series.app, name="series")
app.add_typer(portfolios.app, name="portfolio")
app.add_typer(server.app, name="server")
app.add_typer(users.app, name="user")
app.add_typer(tokens.app, name="token")
app.add_typer(teams.app, name="team")
app.add_typer(sharing.app, name="sharing")
app.add_typer(audit.app, name="audit")
app.add_typer(changes.app, name="webhook")
app.command("changes")(changes.changes)
app.add_typer(db.app, name="db")
app.command("doctor")(doctor.run)
app.command("demo")(demo.run)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(version("mainsequence-platform"))
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Folder of the embedded platform; by default MAINSEQUENCE_HOME.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which release this is.")
    ] = False,
) -> None:
    """Asset universes, and what hangs from them: routing, series, portfolios."""
    if home is None:
        return
    if context.invoked_subcommand in ("db", "doctor"):
        context.obj = Settings.for_url(str(home))
        return
    import mainsequence.client as msc

    msc.connect(str(home))
