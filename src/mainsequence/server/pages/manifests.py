"""What the manifest of a portfolio tells people. Anybody who registers one may write into it what they like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAMED = ("translation_table", "price_column", "package")


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What the last run read, and what a reader of its numbers should know.

    Parameters
    ----------
    universe
        ``name@revision``; ``None`` where it is not said.
    others
        The series at their versions, the table, the package, by what they are.
    flags
        Messages, each with what to do about it.
    """

    universe: str | None
    others: dict[str, str]
    flags: list[str]


def made_from(manifest: Mapping[str, Any]) -> MadeFrom:
    """Read a manifest; what is not as `mainsequence.virtualfundbuilder` writes it is left out."""
    last = _mapping(_listed(manifest.get("segments"))[-1:])
    prices, version = manifest.get("prices_series"), last.get("prices_version")
    sources = manifest.get("sources")
    raw = ", ".join(f"{name}@{each}" for name, each in sources.items()) if isinstance(sources, Mapping) else ""
    said = {"prices": f"{prices}@{version}" if prices and version else prices, "raw series": raw}
    said |= {name.replace("_", " "): manifest.get(name) for name in _NAMED}
    universe = last.get("universe")
    flags = (_mapping([each]) for each in _listed(manifest.get("flags")))
    return MadeFrom(
        universe if isinstance(universe, str) else None,
        {name: str(value) for name, value in said.items() if value},
        [" ".join(str(each[name]) for name in ("message", "hint") if each.get(name)) for each in flags if each],
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(values: list[Any]) -> Mapping[str, Any]:
    """Give the first of some values where it is a mapping, else an empty one."""
    return values[0] if values and isinstance(values[0], Mapping) else {}
