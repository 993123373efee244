"""How commands name things: assets by unique identifier or id, filters as ``field=value``, and lists in files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mainsequence.client as msc
from mainsequence.errors import UnknownAssetsError, ValidationError

if TYPE_CHECKING:
    from mainsequence.domain.lookups import FieldLookups

Where = Annotated[
    list[str] | None,
    typer.Option("--where", "-w", help="A lookup: ticker=KO, ticker__in=KO,PG, name__contains=Coca; repeat it."),
]
AssetArgument = Annotated[str, typer.Argument(metavar="ASSET", help="Unique identifier, or id.")]
AssetArguments = Annotated[
    list[str] | None, typer.Argument(metavar="ASSET", help="Assets by unique identifier, or id.")
]
AssetFile = Annotated[
    Path | None, typer.Option("--file", "-f", help="A file with one asset on each line; - is standard input.")
]


def filters(pairs: Sequence[str] | None, lookups: Mapping[str, FieldLookups]) -> dict[str, Any]:
    """Read ``field=value`` pairs as the lookups of a noun."""
    return dict(_filter(pair, lookups) for pair in pairs or ())


def _filter(pair: str, lookups: Mapping[str, FieldLookups]) -> tuple[str, Any]:
    key, separator, text = pair.partition("=")
    if not separator:
        raise ValidationError(f"{pair!r} is no lookup.", hint="Write it like ticker=KO.")
    field, _, suffix = key.rpartition("__")
    kind = bool if suffix == "isnull" else _kind(lookups, field or key) or _kind(lookups, key) or str
    if suffix == "in":
        return key, [_value(key, kind, each) for each in text.split(",")]
    return key, _value(key, kind, text)


def _kind(lookups: Mapping[str, FieldLookups], field: str) -> type | None:
    return lookups[field].kind if field in lookups else None


def _value(key: str, kind: type, text: str) -> Any:
    if kind is bool and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if kind is int and text.removeprefix("-").isdecimal():
        return int(text)
    if kind is str:
        return text
    raise ValidationError(f"{key} takes {'true or false' if kind is bool else 'a whole number'}, got {text!r}.")


def find_asset(name: str) -> msc.Asset:
    """Find one asset by unique identifier, or id."""
    return find_assets([name])[0]


def find_assets(names: Sequence[str]) -> list[msc.Asset]:
    """Find assets by unique identifier, or id, in the order named; retired ones too.

    Raises
    ------
    UnknownAssetsError
        Names all that were not found.
    """
    from mainsequence.domain.values import listed

    found = {each.unique_identifier: each for each in _assets(unique_identifier__in=sorted(set(names)))}
    ids = {int(name): name for name in names if name not in found and name.isdecimal()}
    if ids:
        found |= {ids[each.id]: each for each in _assets(id__in=sorted(ids))}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise UnknownAssetsError(
            f"{len(unknown)} of {len(names)} assets do not exist: {listed(unknown)}. Nothing was changed.",
            hint="mainsequence asset list shows those that do.",
            unknown=unknown[:1_000],
        )
    return [found[name] for name in names]


def _assets(**lookups: Any) -> list[msc.Asset]:
    return msc.Asset.query(10_000, include_retired=True, **lookups)


def named_assets(names: Iterable[str] | None, file: Path | None) -> list[msc.Asset]:
    """Find the assets named on the command line and in a file.

    Raises
    ------
    ValidationError
        None is named, or the file cannot be read.
    """
    every = [*(names or ()), *(_lines(file) if file is not None else ())]
    if not every and file is None:
        raise ValidationError("No asset is named.", hint="Name assets, or give --file.")
    return find_assets(list(dict.fromkeys(every))) if every else []


def _lines(file: Path) -> list[str]:
    text = sys.stdin.read() if str(file) == "-" else read_text(file)
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_text(file: Path) -> str:
    """Read a file that the user names."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"{file} cannot be read: {error}.") from None


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost, unless ``--yes`` says it already."""
    if not yes:
        typer.confirm(question, abort=True, err=True)


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
