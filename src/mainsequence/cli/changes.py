"""``mainsequence changes`` and ``mainsequence webhook``: what happens to universes, and who is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.naming import Yes, confirm
from mainsequence.cli.output import AsJson, plain, say, show_json, show_one, show_rows
from mainsequence.errors import ConfigurationError

if TYPE_CHECKING:
    from mainsequence.platform.platform import Platform

app = typer.Typer(no_args_is_help=True, help="Webhooks: addresses that are told of changes of universes, signed.")

Categories = Annotated[
    list[str] | None, typer.Option("--category", "-c", help="Of this universe; repeat it. By default of all.")
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="created, changed, described or deleted; repeat it. By default all.")
]
Webhook = Annotated[int, typer.Argument(metavar="WEBHOOK", help="Id of the webhook.")]

LISTED = ("id", "url", "status", "position", "attempts", "status_reason")
SHOWN = ("position", "recorded_at", "kind", "unique_identifier", "revision", "actor", "added", "removed", "reason")


def changes(
    since: Annotated[int | None, typer.Option(min=0, help="Begin behind this position of the feed.")] = None,
    category: Categories = None,
    kind: Kinds = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most; by default all there are.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as changes come, from now on where --since is not given.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what happened to universes, in order; with --follow as it happens, one JSON object a line with --json."""
    chosen: dict[str, Any] = {"categories": category, "kinds": kind}
    if follow:
        with suppress(KeyboardInterrupt):
            _follow(msc.AssetCategory.follow(since, **chosen), limit, as_json=as_json)
        return
    found = msc.AssetCategory.changes(since or 0, limit=limit, **chosen)
    rows = [each.model_dump(mode="json") for each in found]
    show_rows(rows, SHOWN, as_json=as_json, nothing="no changes")
    if not as_json:
        say(f"To go on from here: --since {found.cursor}")


def _follow(coming: Iterator[msc.Change], limit: int | None, *, as_json: bool) -> None:
    from mainsequence.client.changes import line_of

    for number, change in enumerate(coming, start=1):
        typer.echo(
            json.dumps(plain(change.model_dump(mode="json")), ensure_ascii=False) if as_json else line_of(change)
        )
        if number == limit:
            return


def _record(webhook: msc.Webhook) -> dict[str, Any]:
    names = (*LISTED[:4], "kinds", "category_ids", "description", "created_at", "created_by", "last_delivery_at")
    return {name: getattr(webhook, name) for name in (*names, "attempts", "next_attempt_at", "status_reason")}


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send: https://… of the open internet.")],
    category: Categories = None,
    kind: Kinds = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    since: Annotated[int | None, typer.Option(min=0, help="Begin behind this position of the feed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell an address of changes from now on; the secret of the signatures is shown this once."""
    made = msc.Webhook.create(url, categories=category, kinds=kind, description=description, since=since)
    show_one(_record(made) | {"secret": made.secret}, as_json=as_json)


@app.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """List webhooks and how they are doing."""
    show_rows(map(_record, msc.Webhook.filter()), LISTED, as_json=as_json, nothing="no webhooks")


@app.command("remove")
def remove(webhook: Webhook, yes: Yes = False) -> None:
    """Tell an address no more."""
    found = msc.Webhook.get(webhook)
    confirm(f"Tell {found.url} no more?", yes=yes)
    found.delete()
    say(f"{found.url} is told no more.")


@app.command("test")
def try_webhook(webhook: Webhook, as_json: AsJson = False) -> None:
    """Send a message that says nothing; exit 1 where it was not acknowledged."""
    found = msc.Webhook.get(webhook).test()
    show_one(found.model_dump(mode="json"), as_json=as_json)
    if not found.delivered:
        raise typer.Exit(1)


@app.command("resume")
def resume(webhook: Webhook, as_json: AsJson = False) -> None:
    """Send to a failing or disabled webhook again, at once, from where it stopped."""
    show_one(_record(msc.Webhook.get(webhook).resume()), as_json=as_json)


@app.command("deliver")
def deliver(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell webhooks what they have not been told, from a platform without a server; exit 1 where one failed."""
    from threading import Event

    from mainsequence.platform.deliveries import Deliverer

    deliverer = Deliverer(_platform())
    if follow:
        say("Delivering (stop with Ctrl-C)")
        with suppress(KeyboardInterrupt):
            deliverer.run(Event())
        return
    outcome = deliverer.deliver_due()
    told = {"delivered": outcome.delivered, "failed": outcome.failed}
    show_json(told) if as_json else say(f"{outcome.delivered} delivered, {outcome.failed} webhooks failed")
    if outcome.failed:
        raise typer.Exit(1)


def _platform() -> Platform:
    from mainsequence.client.connection import carrier
    from mainsequence.platform.platform import Platform

    found = carrier()
    if isinstance(found, Platform):
        return found
    raise ConfigurationError(f"Webhooks are told by the {found.describe()} itself.", hint="Nothing is to be done here.")
