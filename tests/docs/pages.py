"""The code blocks of a page, as one program whose line numbers are those of the page."""

import re
from pathlib import Path

from tests.shared_data import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\s*$")


def blocks(page: Path) -> list[tuple[str, int, list[str]]]:
    """Give each fenced block: its language, the line (from 0) where its text begins, and that text."""
    found, opened = [], None
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence and opened is None:
            opened = (fence[1], number + 1)
        elif fence and opened:
            found.append((*opened, lines[opened[1] : number]))
            opened = None
    assert opened is None, f"{page}: the block that begins at line {opened} never ends"
    return found


def program(page: Path) -> str:
    """Join the Python blocks of a page, and the shell blocks that call ``mainsequence``, in their order."""
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    for language, start, text in blocks(page):
        if language == "python":
            lines[start : start + len(text)] = text
        elif language == "bash" and text[0].startswith("mainsequence "):
            lines[start] = f"import subprocess; subprocess.run(['bash', '-euc', {chr(10).join(text)!r}], check=True)"
    return "\n".join(lines)
