"""HTML of templates: escaped throughout, styled by one sheet, without scripts."""

from datetime import datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import jinja2
from pydantic_core import to_json
from starlette.responses import HTMLResponse

from mainsequence.domain.access import Actor
from mainsequence.domain.universe_rules import UniverseRule, differences
from mainsequence.server.pages.visits import Shown

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
"""Headers of every page. Under ``no-referrer`` browsers would not say where a form was sent from, not even to us."""


def page(shown: Shown, actor: Actor | None, *, logged_in: bool) -> HTMLResponse:
    """Write one page for who looks, who can log out where that was needed to come in."""
    facts = {"actor": actor, "logged_in": logged_in, "version": version("mainsequence-platform"), **shown.facts}
    content = _templates().get_template(shown.template).render(facts)
    return HTMLResponse(content, shown.status, HEADERS)


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("mainsequence.server.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"day": day, "moment": moment, "number": number, "weight": weight, "fields": fields}
    made.globals["differences"] = differences
    return made


@cache
def style() -> bytes:
    """Give the style sheet."""
    return files("mainsequence.server.pages").joinpath("style.css").read_bytes()


def day(time: datetime | None, nothing: str = "") -> str:
    """Write a time: its date, and its time of day where that is not midnight, UTC."""
    if time is None:
        return nothing
    at_midnight = (time.hour, time.minute, time.second, time.microsecond) == (0, 0, 0, 0)
    return f"{time:%Y-%m-%d}" if at_midnight else f"{time:%Y-%m-%d %H:%M}"


def moment(time: datetime | None) -> str:
    """Write when something was recorded, UTC."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def number(value: Any) -> str:
    """Write a whole number with its thousands apart."""
    return f"{value:,}"


def fields(rule: UniverseRule) -> list[tuple[str, str]]:
    """Give what a rule says, but for what every rule says that is not told otherwise."""
    said = rule.model_dump(mode="json", exclude_defaults=True)
    texts = (each if isinstance(each, str) else to_json(each).decode() for each in said.values())
    return [(name.replace("_", " "), text) for name, text in zip(said, texts, strict=True)]


def weight(value: float | None) -> str:
    """Write a weight."""
    return "" if value is None else f"{value:.6g}"
