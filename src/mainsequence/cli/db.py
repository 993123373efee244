"""``mainsequence db``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mainsequence.cli.naming import Yes, confirm
from mainsequence.cli.output import AsJson, say, show_one, show_rows
from mainsequence.errors import ConfigurationError
from mainsequence.settings import Settings

if TYPE_CHECKING:
    from mainsequence.platform.backups import Backup

app = typer.Typer(no_args_is_help=True, help="The registry's database: versions, checks, backups.")

FINDINGS = ("check", "ok", "found")


def _settings(context: typer.Context) -> Settings:
    """Give the settings that the command works on: of the ``--home`` named, or as usual."""
    settings = context.obj if isinstance(context.obj, Settings) else Settings.from_environment()
    if settings.endpoint is not None:
        raise ConfigurationError(
            f"The database of {settings.endpoint} is looked after on its own machine.",
            hint="Run the command there, or unset MAINSEQUENCE_ENDPOINT.",
        )
    return settings


@app.command("current")
def current(context: typer.Context, as_json: AsJson = False) -> None:
    """Show where the registry is, its version, and the version that this release expects."""
    from mainsequence.platform import databases
    from mainsequence.platform.registry.tables import SCHEMA_HEAD

    settings = _settings(context)
    found = databases.current(settings)
    place = {"database": databases.described(settings), "series": settings.series}
    show_one(place | {"version": found, "expected": SCHEMA_HEAD, "is_current": found == SCHEMA_HEAD}, as_json=as_json)


@app.command("upgrade")
def upgrade(context: typer.Context) -> None:
    """Make the registry, or bring it to the version that this release expects; every command does so by itself."""
    from mainsequence.platform import databases
    from mainsequence.platform.platform import Platform

    settings = _settings(context)
    before = databases.current(settings)
    Platform.embedded(settings).close()
    after = databases.current(settings)
    said = "already" if before == after else f"and was at {before}" if before else "and new"
    say(f"{databases.described(settings)} is at {after}, {said}.")


@app.command("check")
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check version, integrity, ledger and series; the exit code is 1 where something is wrong."""
    from mainsequence.platform import databases

    findings = databases.check(_settings(context))
    show_rows([asdict(each) for each in findings], FINDINGS, as_json=as_json)
    if not all(each.ok for each in findings):
        raise typer.Exit(1)


@app.command("backup")
def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not be there, or be empty.")],
    as_json: AsJson = False,
) -> None:
    """Copy registry and series into a folder, while others use them.

    On PostgreSQL the registry's own tables are copied as one snapshot, without pg_dump. Roles, grants, other tables of
    the database and recovery to any point in time need pg_dump or pg_basebackup.
    """
    from mainsequence.platform.backups import backup as make

    _show(make(_settings(context), folder), as_json=as_json)


@app.command("restore")
def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder that `mainsequence db backup` made.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back, into an empty home and an empty database."""
    from mainsequence.platform import databases
    from mainsequence.platform.backups import restore as bring_back

    settings = _settings(context)
    confirm(f"Restore {folder} into {databases.described(settings)} and {settings.series}?", yes=yes)
    _show(bring_back(settings, folder), as_json=as_json)


def _show(found: Backup, *, as_json: bool) -> None:
    facts = {"folder": str(found.folder), "database": found.database, "schema": found.schema}
    show_one(facts | {"series_files": found.files, "series_bytes": found.size, "rows": found.rows}, as_json=as_json)
