"""``mainsequence server``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mainsequence.cli.output import say
from mainsequence.errors import ConfigurationError
from mainsequence.server.process import OPENING, ending_when_told, tell
from mainsequence.settings import Settings

if TYPE_CHECKING:
    from mainsequence.domain.access import IssuedToken
    from mainsequence.platform.platform import Platform

app = typer.Typer(no_args_is_help=True, help="The server: one platform for many users, over HTTP.")

MEBIBYTE = 1024 * 1024


@app.callback()
def group() -> None:
    """Keep ``start`` a command of its own."""


@app.command("start")
def start(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 is any free one.")] = 8000,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask for no token; on this machine's own addresses only.")
    ] = False,
    max_body: Annotated[int, typer.Option(min=1, help="Longest body of a request, in MiB.")] = 256,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, PEM; with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="Private key of the certificate, PEM.")] = None,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds to answer on after SIGTERM while /readyz says no.")
    ] = 0.0,
) -> None:
    """Serve the platform until stopped; requests in flight finish first. The first start makes an administrator."""
    with ending_when_told():
        settings = Settings.from_environment()
        tell(settings.notify_socket, OPENING)
        platform = _platform()
        try:
            from mainsequence.server.run import Binding, first_token, listen, serve
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"{error.name} is not installed.", hint="pip install 'mainsequence-platform[server]'"
            ) from None
        asked = Binding(host, port, not no_auth, max_body * MEBIBYTE, certificate, key, drain_seconds=drain)
        binding = asked.with_settings(settings)
        listener = listen(binding)
        address = binding.address(listener)
        say(f"Serving {platform.describe().removeprefix('embedded at ')} at {address}  (stop with Ctrl-C)")
        say(f"Its pages, for people who look and decide: {address}/ui/")
        if binding.authentication:
            _show_first_token(first_token(platform), address)
        serve(platform, binding, listener)


def _platform() -> Platform:
    from mainsequence.client.connection import carrier
    from mainsequence.platform.platform import Platform

    found = carrier()
    if isinstance(found, Platform):
        return found
    raise ConfigurationError(
        f"The settings name another server: {found.describe()}.", hint="Unset MAINSEQUENCE_ENDPOINT to serve from here."
    )


def _show_first_token(issued: IssuedToken | None, address: str) -> None:
    if issued is not None:
        say("\nNobody could use it yet, so the administrator 'admin' was made. Its token is shown this once:\n")
        say(f"  export MAINSEQUENCE_ENDPOINT={address}\n  export MAINSEQUENCE_TOKEN={issued.token}\n")
