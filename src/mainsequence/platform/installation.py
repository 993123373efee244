"""What is installed: Python, the libraries that the settings need, and what must not be there beside it."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from mainsequence.domain.findings import Finding, fine, wrong

DISTRIBUTION, VENDOR = "mainsequence-platform", "mainsequence"
OLDEST_PYTHON = (3, 11)
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([0-9.]+))?[^;]*(?:;\s*(.*))?")
_EXTRA = re.compile(r"extra == ['\"](\w+)['\"]")


def examine_installation(*extras: str) -> Iterator[Finding]:
    """Examine what is installed.

    Parameters
    ----------
    *extras
        The extras that the settings need.
    """
    running = sys.version.split()[0]
    if sys.version_info < OLDEST_PYTHON:
        yield wrong("python", running, "Install Python 3.11 or newer.")
    else:
        yield fine("python", running)
    yield fine("release", f"{DISTRIBUTION} {version(DISTRIBUTION)}")
    lacking = [each for each in map(_lack, _needed(extras)) if each]
    if lacking:
        named = f"[{','.join(extras)}]" if extras else ""
        yield wrong("libraries", "; ".join(lacking), f"pip install --upgrade '{DISTRIBUTION}{named}'")
    else:
        yield fine("libraries", f"{len(_needed(extras))} needed, all there and new enough")
    yield from _beside()


def _needed(extras: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give names and least versions of the libraries needed."""
    found = []
    for line in requires(DISTRIBUTION) or ():
        match = _REQUIREMENT.match(line)
        extra = _EXTRA.search(match[3] or "") if match else None
        elsewhere = match is not None and "platform_system" in (match[3] or "") and sys.platform == "win32"
        if match and not elsewhere and match[1] != DISTRIBUTION and (extra is None or extra[1] in extras):
            found.append((match[1], match[2] or "0"))
    return found


def _lack(needed: tuple[str, str]) -> str | None:
    name, least = needed
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed"
    return f"{name} {installed} is older than {least}" if _numbers(installed) < _numbers(least) else None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _beside() -> Iterator[Finding]:
    try:
        found = version(VENDOR)
    except PackageNotFoundError:
        return
    yield wrong(
        "beside it",
        f"the package {VENDOR} {found}, imported by the same name",
        f"Keep them in environments of their own: pip uninstall {VENDOR}, then reinstall {DISTRIBUTION}.",
    )
