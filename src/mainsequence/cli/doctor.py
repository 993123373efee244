"""``mainsequence doctor``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import Annotated

import typer

from mainsequence.cli.output import AsJson, say, show_rows
from mainsequence.domain.findings import Finding, Level, examined, fine, worth_a_look, wrong
from mainsequence.settings import ENVIRONMENT, Settings

COLUMNS = ("level", "check", "found", "advice")
_FOR_TESTS = "MAINSEQUENCE_TEST_"


def run(
    context: typer.Context,
    as_json: AsJson = False,
    server: Annotated[bool, typer.Option("--server", help="Examine too what a server needs to run here.")] = False,
) -> None:
    """Examine settings, installation, home, database, lake and clock, or the server in use; change nothing.

    Each line says what was found and what to do. The exit code is 1 where something fails.
    """
    chosen = context.obj if isinstance(context.obj, Settings) else None
    found = list(examine(os.environ, chosen, server=server))
    show_rows([asdict(each) for each in found], COLUMNS, as_json=as_json)
    failed = sum(each.level is Level.FAIL for each in found)
    if not as_json:
        say(f"{failed} of {len(found)} checks failed." if failed else "Nothing fails.")
    if failed:
        raise typer.Exit(1)


def examine(environment: Mapping[str, str], chosen: Settings | None, *, server: bool = False) -> Iterator[Finding]:
    """Examine the platform that the environment, or ``--home``, names."""
    yield from _names(environment)
    holder: list[Settings] = []
    yield from examined("settings", lambda: _values(environment, chosen, holder))
    for settings in holder:
        yield from _installation(settings, server=server)
        yield from _of_a_server(settings)
        if settings.endpoint is None:
            from mainsequence.platform.checks import examine as examine_here

            yield from examine_here(settings)
        else:
            from mainsequence.client.checks import examine as examine_there

            yield from examine_there(settings)


def _names(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Find settings that nobody reads."""
    for name in sorted(environment):
        if name.upper().startswith("MAINSEQUENCE_") and name not in ENVIRONMENT and not name.startswith(_FOR_TESTS):
            near = get_close_matches(name.upper(), ENVIRONMENT, 1, cutoff=0.6)
            advice = f"Did you mean {near[0]}?" if near else "Unset it; mainsequence.settings lists those that exist."
            yield worth_a_look("settings", f"nobody reads {name}", advice)


def _values(environment: Mapping[str, str], chosen: Settings | None, holder: list[Settings]) -> Iterator[Finding]:
    settings = chosen or Settings.from_environment(environment)
    holder.append(settings)
    given = [name for name in ENVIRONMENT if environment.get(name)]
    yield fine("settings", ", ".join(given) + (" are set" if len(given) > 1 else " is set") if given else "none is set")
    if settings.endpoint is not None:
        shadowed = [name for name in ("MAINSEQUENCE_DATABASE_URL", "MAINSEQUENCE_LAKE") if environment.get(name)]
        if shadowed:
            advice = "Unset them, or unset MAINSEQUENCE_ENDPOINT to use them."
            yield worth_a_look("settings", f"MAINSEQUENCE_ENDPOINT makes {', '.join(shadowed)} unused", advice)
        if settings.token is None:
            yield wrong("token", "there is none", "Set MAINSEQUENCE_TOKEN; an administrator makes one.")
    yield from _object_store(environment, settings)


def _object_store(environment: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    plain = environment.get("AWS_ENDPOINT_URL", environment.get("AWS_ENDPOINT", "")).startswith("http://")
    allowed = environment.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1")
    if "://" in settings.series and plain and not allowed:
        yield wrong(
            "settings", "the object store's address is http://, which is not allowed", "Set AWS_ALLOW_HTTP=true."
        )


def _installation(settings: Settings, *, server: bool) -> Iterator[Finding]:
    from mainsequence.platform.installation import examine_installation

    extras = ["server"] if server or settings.database_url is not None else []
    yield from examine_installation(*extras, *(["s3"] if "://" in settings.series else []))


def _of_a_server(settings: Settings) -> Iterator[Finding]:
    if settings.rate_limit or settings.jwt_key or settings.cors_origins or settings.trusted_proxies:
        try:
            from mainsequence.server.checks import examine as examine_settings
        except ModuleNotFoundError:  # no server can be started here, which --server says
            return
        yield from examine_settings(settings)
