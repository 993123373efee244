"""Reads pages as a strict browser would: well formed, labelled, without scripts; what is said, and where links lead."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "img", "input", "link", "meta"}
BLOCKS = {"td", "th", "dt", "dd", "li", "p"}
FORBIDDEN = {"script", "style", "iframe", "object"}


@dataclass
class Read:
    """What a page says."""

    text: str = ""
    links: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    forms: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found = Read()
        self.problems: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._check(tag, given)
        if tag not in VOID:
            self.open.append(tag)
            self.said = ""
        if tag == "a":
            self.found.links.append(given["href"])
        elif tag == "img":
            self.found.pictures.append(given["src"])
        elif tag == "form":
            self.found.forms.append((given.get("method", "get"), given.get("action", "")))

    def _check(self, tag: str, given: dict[str, str]) -> None:
        if tag in FORBIDDEN or any(name.startswith("on") or name == "style" for name in given):
            self.problems.append(f"<{tag}> runs or styles by itself: {given}")
        if tag == "img" and not given.get("alt"):
            self.problems.append(f"a picture says nothing to those who cannot see it: {given}")
        if tag in ("input", "textarea") and given.get("type") != "hidden" and "label" not in self.open:
            self.problems.append(f"<{tag}> has no label: {given}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes what is not open")
        self.found.text += " " if tag in BLOCKS else ""
        if tag in ("th", "h1", "h2", "button", "a") and not self.said.strip():
            self.problems.append(f"<{tag}> says nothing")

    def handle_data(self, data: str) -> None:
        self.found.text += data
        self.said += data
        if "button" in self.open:
            self.found.buttons.append(data)
        if "h1" in self.open:
            self.found.titles.append(data)


def read(html: str) -> Read:
    """Read a page, and check it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert html.startswith("<!doctype html>")
    assert reader.problems == []
    assert reader.open == []
    assert reader.found.titles, "a page says what it is"
    return reader.found
