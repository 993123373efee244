"""``mainsequence category``: universes made from others, and by rules."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.cli.categories import MEMBERS, Category, Force, IfRevision, Reason, find, record_of
from mainsequence.cli.naming import AssetArgument, find_asset, read_text
from mainsequence.cli.output import AsJson, say, show_one, show_rows
from mainsequence.errors import ValidationError

app = typer.Typer()

NewCategory = Annotated[str, typer.Argument(metavar="CATEGORY", help="The stable name of the universe.")]
Expression = Annotated[
    str, typer.Argument(metavar="EXPRESSION", help="Universes combined: \"(sp500 & nasdaq100) - 'my-list'\".")
]
RuleFile = Annotated[Path, typer.Argument(metavar="FILE", help="The rule as JSON, TOML or YAML.")]
DisplayName = Annotated[str | None, typer.Option(help="The name for people; by default the identifier.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
AsOf = Annotated[str | None, typer.Option(help="When; by default now.")]
KnownAt = Annotated[str | None, typer.Option(help="As known at this time; by default now.")]


@app.command("derive")
def derive(
    category: NewCategory,
    expression: Expression,
    display_name: DisplayName = None,
    description: Description = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Create a universe that is made from others and stays live."""
    described = {"display_name": display_name, "description": description}
    made = msc.AssetCategory.from_expression(category, expression, reason=reason, **described)
    show_one(_defined(made), as_json=as_json)


@app.command("redefine")
def redefine(
    category: Category,
    expression: Expression,
    reason: Reason = None,
    if_revision: IfRevision = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Give a universe that is made from others another expression."""
    made = find(category).redefine(expression, reason=reason, if_revision=if_revision, force=force)
    show_one(_defined(made), as_json=as_json)


@app.command("evaluate")
def evaluate(expression: Expression, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """List the assets that an expression of universes holds, at a time and as known at a time."""
    found = msc.UniverseExpression(expression).get_assets(as_of, known_at=known_at)
    columns = MEMBERS[:-1]
    rows = [{name: getattr(each, name) for name in columns} for each in found]
    show_rows(rows, columns, as_json=as_json, nothing="no members")


@app.command("definition")
def definition(category: Category, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Show what a universe is made by: its expression, or its rule."""
    found = find(category).definition(known_at=known_at).model_dump(mode="json", exclude_none=True)
    show_one(found, as_json=as_json)


@app.command("define-rule")
def define_rule(
    category: NewCategory,
    file: RuleFile,
    display_name: DisplayName = None,
    description: Description = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Create a universe that a rule fills; `refresh` decides its dates."""
    described = {"display_name": display_name, "description": description}
    made = msc.AssetCategory.from_rule(category, _rule(file), reason=reason, **described)
    show_one(_defined(made), as_json=as_json)


@app.command("change-rule")
def change_rule(
    category: Category,
    file: RuleFile,
    reason: Reason = None,
    if_revision: IfRevision = None,
    as_json: AsJson = False,
) -> None:
    """Give a universe that a rule fills another rule; dates that are decided stay decided."""
    made = find(category).change_rule(_rule(file), reason=reason, if_revision=if_revision)
    show_one(_defined(made), as_json=as_json)


@app.command("refresh")
def refresh(
    category: Category,
    until: Annotated[str | None, typer.Option(help="Decide effective dates up to this time; by default now.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Decide those from here on anew; by default the undecided ones.")
    ] = None,
    reason: Reason = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Decide effective dates of the rule that fills a universe."""
    found = find(category)
    if start is None:
        outcome = found.refresh_rule(until, reason=reason, force=force)
    else:
        outcome = found.materialise(start, until, reason=reason, force=force)
    told = outcome.model_dump(exclude={"category"})
    say(f"{outcome.decided} effective dates decided; {category} is at revision {outcome.category.revision}.")
    show_one(told | {"revision": outcome.category.revision}, as_json=as_json)


@app.command("why")
def why(
    category: Category, asset: AssetArgument, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """Say why an asset is in a universe, or is not: what its expression or rule asked, and what it found."""
    found = find(category).why(find_asset(asset), as_of, known_at=known_at)
    show_one(found.model_dump(exclude={"outcomes"}, exclude_none=True) | _outcomes(found, as_json), as_json=as_json)


def _outcomes(found: msc.WhyMember, as_json: bool) -> dict[str, Any]:
    if as_json:
        return {"outcomes": [each.model_dump() for each in found.outcomes]}
    if found.expression is not None:
        return {"outcomes": {each.condition: each.found for each in found.outcomes}}
    told = {each.condition: f"{'passed' if each.passed else 'failed'}: {each.found}" for each in found.outcomes}
    return {"outcomes": told}


def _defined(category: msc.AssetCategory) -> dict[str, Any]:
    """Give the facts of a universe with what it is made by."""
    found = category.definition()
    told = {"expression": found.expression} if found.rule is None else {"rule": found.rule.hash}
    return record_of(category) | told


def _rule(file: Path) -> msc.UniverseRule:
    """Read a rule from a file.

    Raises
    ------
    ValidationError
        It is no JSON, TOML or YAML, or no rule.
    """
    text = read_text(file)
    try:
        given = _READ.get(file.suffix.lower(), json.loads)(text)
    except ValueError as error:
        raise ValidationError(
            f"{file} cannot be read: {error}.", hint="Write the rule as JSON, TOML or YAML."
        ) from None
    return msc.UniverseRule.parse(given)


def _yaml(text: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError:
        raise ValidationError("YAML is read with PyYAML, which is not installed.", hint="Write JSON or TOML.") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


_READ: dict[str, Callable[[str], Any]] = {".json": json.loads, ".toml": tomllib.loads, ".yaml": _yaml, ".yml": _yaml}
