"""Universes written as expressions of others: ``(sp500_constituents & nasdaq100) - restricted_list``.

``&`` is both, ``|`` either, ``-`` the first without the second, ``^`` exactly one; parentheses group. They bind as in
Python: ``-`` before ``&`` before ``^`` before ``|``, from left to right. A name that holds a blank, a quote, a
parenthesis or one of the operators is quoted: ``'my-universe'`` (a quote inside is doubled). An operand may be pinned:
``sp500@12`` or ``us_core@2024-06-28``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, StringConstraints

from mainsequence.domain.identifiers import check_universe_identifier
from mainsequence.errors import InvalidExpressionError

MAX_EXPRESSION = 10_000
"""How many characters an expression may have."""


class Operator(StrEnum):
    """How two universes are combined."""

    BOTH = "&"
    EITHER = "|"
    WITHOUT = "-"
    ONE = "^"


_BINDS = {Operator.EITHER: 1, Operator.ONE: 2, Operator.BOTH: 3, Operator.WITHOUT: 4}
_ALONE = 9


@dataclass(frozen=True, slots=True)
class Operand:
    """A universe that an expression names, pinned where ``pin`` says so."""

    name: str
    pin: str | None = None

    def __str__(self) -> str:
        name = self.name if _BARE.fullmatch(self.name) else "'" + self.name.replace("'", "''") + "'"
        return name if self.pin is None else f"{name}@{self.pin}"


Step: TypeAlias = Operand | Operator


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression in postfix order: operands, and operators behind the two that they combine."""

    steps: tuple[Step, ...]

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The universes that it names, each once, in the order first named."""
        return tuple(dict.fromkeys(step for step in self.steps if isinstance(step, Operand)))

    def combined(self, operator: Operator, other: "Expression") -> "Expression":
        """Combine it with another one."""
        return Expression((*self.steps, *other.steps, operator))

    def __str__(self) -> str:
        written: list[tuple[str, int]] = []
        for step in self.steps:
            if isinstance(step, Operand):
                written.append((str(step), _ALONE))
                continue
            right, left = written.pop(), written.pop()
            binds = _BINDS[step]
            written.append((f"{_within(left, binds)} {step} {_within(right, binds + 1)}", binds))
        return written[0][0]


def _within(part: tuple[str, int], binds: int) -> str:
    text, own = part
    return text if own >= binds else f"({text})"


_BARE = re.compile(r"[^\s()&|^@'\"-]+")
_TOKEN = re.compile(
    r"""(?P<blank>\s+) | (?P<paren>[()]) | (?P<operator>[&|^-])
    | (?P<name>'(?:[^']|'')*' | "(?:[^"]|"")*" | [^\s()&|^@'"-]+)
      (?P<pin>@(?:\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)? | [^\s()&|^'"-]*))?""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int
    operand: Operand | None = None


@lru_cache(maxsize=1_024)
def parse_expression(text: str) -> Expression:
    """Read an expression, however deep its parentheses are.

    Raises
    ------
    InvalidExpressionError
        Something else was expected; the message points at the place, ``context["position"]`` counts it from 0.
    """
    if len(text) > MAX_EXPRESSION:
        raise InvalidExpressionError(
            f"The expression has {len(text):,} characters; at most {MAX_EXPRESSION:,} are allowed.",
            hint="Name a part of it as a universe of its own.",
        )
    return Expression(tuple(_postfix(text)))


def _postfix(text: str) -> Iterator[Step]:
    waiting: list[_Token] = []
    wants_operand = True
    for token in _tokens(text):
        opens = token.text == "(" and token.kind == "paren"
        if (token.kind == "name" or opens) is not wants_operand:
            raise _unexpected(text, token, wants_operand, waiting)
        if token.operand is not None:
            yield token.operand
            wants_operand = False
        elif opens:
            waiting.append(token)
        elif token.kind == "operator":
            yield from _before(waiting, token)
            waiting.append(token)
            wants_operand = True
        else:
            yield from _closed(text, waiting, token)
    if wants_operand:
        raise _unexpected(text, _Token("end", "", len(text)), wants_operand, waiting)
    yield from _rest(text, waiting)


def _before(waiting: list[_Token], token: _Token) -> Iterator[Operator]:
    """Give what binds at least as tightly as an operator and stands before it."""
    while waiting and waiting[-1].kind == "operator" and _binds(waiting[-1]) >= _binds(token):
        yield Operator(waiting.pop().text)


def _binds(token: _Token) -> int:
    return _BINDS[Operator(token.text)]


def _closed(text: str, waiting: list[_Token], token: _Token) -> Iterator[Operator]:
    while waiting and waiting[-1].kind == "operator":
        yield Operator(waiting.pop().text)
    if not waiting:
        raise _error(text, token.at, "this ')' closes nothing", "an operator or the end")
    waiting.pop()


def _rest(text: str, waiting: list[_Token]) -> Iterator[Operator]:
    for token in reversed(waiting):
        if token.kind != "operator":
            raise _error(text, token.at, "this '(' is never closed", "')'")
        yield Operator(token.text)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unreadable(text, at)
        kind = next(kind for kind in ("blank", "paren", "operator", "name") if found[kind] is not None)
        if kind != "blank":
            yield _Token(kind, found[0], at, _operand(text, found) if kind == "name" else None)
        at = found.end()


def _operand(text: str, found: re.Match[str]) -> Operand:
    name, pin = found["name"], found["pin"]
    if name[0] in "'\"":
        name = name[1:-1].replace(name[0] * 2, name[0])
    if pin == "@":
        raise _error(text, found.end(), "nothing follows the '@'", "a revision or a date")
    return Operand(check_universe_identifier(name), None if pin is None else pin[1:])


def _unreadable(text: str, at: int) -> InvalidExpressionError:
    if text[at] in "'\"":
        return _error(text, at, "this quote is never closed", f"another {text[at]}")
    return _error(text, at, f"found {text[at]!r}", "a universe before it")


def _unexpected(text: str, token: _Token, wants_operand: bool, waiting: list[_Token]) -> InvalidExpressionError:
    found = "the end" if token.kind == "end" else repr(token.text if len(token.text) <= 40 else token.text[:40] + "…")
    if wants_operand:
        return _error(text, token.at, f"found {found}", "a universe or '('")
    closing = any(each.kind == "paren" for each in waiting)
    return _error(text, token.at, f"found {found}", "&, |, -, ^" + (" or ')'" if closing else " or the end"))


_AROUND = 60


def pointed(text: str, at: int) -> str:
    """Show a place of a text: the text around it, and a caret below."""
    start = max(0, at - _AROUND)
    shown = re.sub(r"\s", " ", text[start : at + _AROUND])
    lead = "…" if start else ""
    tail = "…" if at + _AROUND < len(text) else ""
    return f"\n    {lead}{shown}{tail}\n    {' ' * (len(lead) + at - start)}^"


def _error(text: str, at: int, found: str, expected: str) -> InvalidExpressionError:
    return InvalidExpressionError(
        f"The expression cannot be read at position {at}: {found}, expected {expected}.{pointed(text, at)}",
        hint=None,
        position=at,
        expected=expected,
    )


def position_of(text: str, operand: Operand) -> int:
    """Give where an expression first names an operand."""
    return next((token.at for token in _tokens(text) if token.operand == operand), 0)


def canonical(text: str) -> str:
    """Give the one way in which an expression is written: blanks and needless parentheses make no difference."""
    return str(parse_expression(text))


ExpressionText = Annotated[str, StringConstraints(max_length=MAX_EXPRESSION), AfterValidator(canonical)]
"""An expression in a value, read and written again in the one way."""
