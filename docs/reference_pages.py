"""Pages of the reference that are read from the program itself while the site is built (an mkdocs hook)."""

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from mainsequence.cli.main import app
from mainsequence.errors import MainSequenceError
from mainsequence.settings import ENVIRONMENT


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those of the folder."""
    for name, content in {"errors": errors_page(), "settings": settings_page()}.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Complete the page on commands by their usage and options."""
    return with_usage(markdown) if page.file.src_uri == "reference/cli.md" else markdown


def errors_page() -> str:
    """Give every error of the tree: class, dotted code, status on the wire, and when it is raised."""
    lines = [
        "# Errors",
        "",
        "Every error says what was asked, what was found and what to do (`hint`), carries typed `context`, and has a",
        "dotted `code` that stays the same. The client raises the same class in every way of running.",
        "",
    ]
    for error, depth in _tree(MainSequenceError):
        also = [base.__name__ for base in error.__bases__ if base.__module__ == "builtins" and base is not Exception]
        kinds = f" It is a `{'`, a `'.join(also)}` too." if also else ""
        summary = " ".join((getdoc(error) or "").split("\n\n")[0].split())
        lines += [f"{'#' * min(depth + 2, 5)} {error.__name__}", "", f"`{error.code}` · HTTP {error.status}", ""]
        lines += [f"{summary}{kinds}", ""]
    return "\n".join(lines)


def _tree(error: type[MainSequenceError], depth: int = 0) -> Iterator[tuple[type[MainSequenceError], int]]:
    yield error, depth
    for child in error.__subclasses__():
        yield from _tree(child, depth + 1)


def settings_page() -> str:
    """Give every environment variable that the platform reads."""
    lines = ["# Settings", "", "Read from the environment, once, when the platform is first needed.", ""]
    lines += ["| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT.items()]
    return "\n".join([*lines, "", "::: mainsequence.settings.Settings", ""])


def with_usage(markdown: str) -> str:
    """Write under the heading of each command its usage, arguments and options."""
    commands = dict(_commands(typer.main.get_command(app), ("mainsequence",)))
    lines = []
    for line in markdown.splitlines():
        lines.append(line)
        path = tuple(line.lstrip("# ").split())
        if line.startswith("#") and path in commands:
            lines += ["", *_command_lines(path, commands[path])]
    return "\n".join(lines)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, (*path, name))


def _command_lines(path: tuple[str, ...], command: Any) -> Iterator[str]:
    context = typer.Context(command, info_name=" ".join(path))
    yield from (command.help or command.short_help or "", "")
    yield from ("```text", command.get_usage(context).removeprefix("Usage: "), "```", "")
    for parameter in command.params:
        names = " ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        meaning = getattr(parameter, "help", None)
        if meaning and parameter.name not in ("install_completion", "show_completion"):
            yield f"- {names}: {meaning}"
    yield ""
