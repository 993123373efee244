"""Universes made from others against a plain model: sets of points, and a copy of everything for each event."""

from contextlib import AbstractContextManager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from tempfile import mkdtemp
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import mainsequence.client as msc
from mainsequence.errors import CyclicUniverseError

DAYS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(4)]
INSIDE = [DAYS[0] - timedelta(days=1), *(day + timedelta(hours=5) for day in DAYS)]
"""One moment inside every stretch: before the first day, between days, after the last."""

ASSETS = 4
PLAIN = ("sp500", "nasdaq-100", "restricted list")
DERIVED = ("d0", "d-1", "d2", "d3")
SETS = {"&": set.__and__, "|": set.__or__, "-": set.__sub__, "^": set.__xor__}

windows = st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)).filter(
    lambda window: None in window or window[0] < window[1]
)
leaves = st.tuples(st.integers(0, 100), st.none() | st.integers(0, 100))
trees = st.recursive(leaves, lambda below: st.tuples(st.sampled_from("&|-^"), below, below), max_leaves=6)


def is_leaf(tree: Any) -> bool:
    return not isinstance(tree[0], str) or tree[0] not in SETS


class ExpressionMachine(RuleBasedStateMachine):
    """Edits of ledgers, definitions of universes from any others, and reads of anything at any time."""

    def a_platform(self) -> AbstractContextManager[Any]:
        """Give a session on a fresh platform; other carriers give theirs."""
        return msc.session(mkdtemp())

    @initialize()
    def begin(self) -> None:
        self.session = self.a_platform()
        self.session.__enter__()
        names = [{"unique_identifier": f"asset-{number}"} for number in range(ASSETS)]
        self.assets = msc.Asset.batch_get_or_register_custom_assets(names)
        self.universes = {name: msc.AssetCategory.create(unique_identifier=name) for name in PLAIN}
        self.held: dict[str, list[set[int]]] = {name: [set() for _ in INSIDE] for name in PLAIN}
        self.made: dict[str, Any] = {}
        self.past: list[tuple[datetime, Any, Any, dict[str, int]]] = []

    def teardown(self) -> None:
        self.session.__exit__(None, None, None)

    # -- the model

    def _happened(self, name: str) -> None:
        at = self.universes[name].history()[-1].recorded_at
        revisions = {each: self.universes[each].revision for each in PLAIN}
        self.past.append((at, deepcopy(self.held), dict(self.made), revisions))

    def _holds(self, tree: Any, stretch: int, then: int) -> set[int]:
        """Whom a tree holds in a stretch, as known after the thing that happened as number ``then``."""
        if not is_leaf(tree):
            left, right = (self._holds(each, stretch, then) for each in tree[1:])
            return SETS[tree[0]](left, right)
        name, pin = tree
        then = then if pin is None else pin
        _, held, made, _ = self.past[then]
        return held[name][stretch] if name in held else self._holds(made[name], stretch, then)

    def _reaches(self, tree: Any, name: str) -> bool:
        if not is_leaf(tree):
            return any(self._reaches(each, name) for each in tree[1:])
        if tree[1] is not None:
            return False
        return tree[0] == name or (tree[0] in self.made and self._reaches(self.made[tree[0]], name))

    def _named(self, tree: Any) -> Any:
        """Let the numbers of a drawn tree name universes that exist, and pins that can be."""
        if not is_leaf(tree):
            return (tree[0], *map(self._named, tree[1:]))
        known = [*PLAIN, *self.made]
        name, pin = known[tree[0] % len(known)], tree[1]
        if pin is None or not self.past:
            return name, None
        then = pin % len(self.past)
        return name, then if name in PLAIN or name in self.past[then][2] else None

    def _written(self, tree: Any) -> str:
        if not is_leaf(tree):
            return f"({self._written(tree[1])} {tree[0]} {self._written(tree[2])})"
        name, pin = tree
        if pin is None:
            return f'"{name}"'
        at, _, _, revisions = self.past[pin]
        by_revision = name in PLAIN and pin % 2 and revisions[name]
        return f'"{name}"@{revisions[name] if by_revision else at.isoformat()}'

    # -- what happens

    @rule(name=st.sampled_from(PLAIN), chosen=st.sets(st.integers(0, ASSETS - 1)), window=windows)
    def update(self, name: str, chosen: set[int], window: tuple[int | None, int | None]) -> None:
        start, end = window
        for stretch in range(0 if start is None else start + 1, len(INSIDE) if end is None else end + 1):
            self.held[name][stretch] = set(chosen)
        before = self.universes[name].revision
        self.universes[name].update_assets(
            assets=[self.assets[number] for number in sorted(chosen)],
            effective_from=None if start is None else DAYS[start],
            effective_to=None if end is None else DAYS[end],
        )
        if self.universes[name].revision != before:
            self._happened(name)

    @precondition(lambda self: self.past)
    @rule(place=st.integers(0, len(DERIVED) - 1), drawn=trees)
    def define(self, place: int, drawn: Any) -> None:
        name, tree = DERIVED[place], self._named(drawn)
        text = self._written(tree)
        if name not in self.made:
            self.universes[name] = msc.AssetCategory.from_expression(name, text)
            self.made[name] = tree
            self._happened(name)
        elif self._reaches(tree, name):
            with pytest.raises(CyclicUniverseError):
                self.universes[name].redefine(text)
        else:
            before = self.universes[name].revision
            self.universes[name].redefine(text)
            self.made[name] = tree
            if self.universes[name].revision != before:
                self._happened(name)

    # -- what is read

    @precondition(lambda self: self.made)
    @rule(data=st.data(), stretch=st.integers(0, len(INSIDE) - 1))
    def read_any_state(self, data: st.DataObject, stretch: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.made)))
        first = next(number for number, (_, _, made, _) in enumerate(self.past) if name in made)
        then = data.draw(st.integers(first, len(self.past) - 1))
        expected = {f"asset-{number}" for number in self._holds((name, then), stretch, then)}
        known_at = self.past[then][0]
        found = self.universes[name].get_assets(INSIDE[stretch], known_at=known_at)
        assert {asset.unique_identifier for asset in found} == expected
        assert self.universes[name].weights(INSIDE[stretch], known_at=known_at) == dict.fromkeys(expected)

    @precondition(lambda self: self.past)
    @rule(drawn=trees, stretch=st.integers(0, len(INSIDE) - 1))
    def evaluate(self, drawn: Any, stretch: int) -> None:
        tree = self._named(drawn)
        expected = self._holds(tree, stretch, len(self.past) - 1)
        found = msc.UniverseExpression(self._written(tree)).asset_ids(INSIDE[stretch])
        assert found == sorted(self.assets[number].id for number in expected)

    @precondition(lambda self: self.made)
    @rule(number=st.integers(0, ASSETS - 1), stretch=st.integers(0, len(INSIDE) - 1))
    def reverse_read(self, number: int, stretch: int) -> None:
        found = msc.AssetCategory.containing(self.assets[number], as_of=INSIDE[stretch])
        then = len(self.past) - 1
        expected = {name for name in self.universes if number in self._holds((name, None), stretch, then)}
        assert {each.unique_identifier for each in found} == expected

    @invariant()
    def masks_are_the_model(self) -> None:
        for name in getattr(self, "made", ()):
            mask = self.universes[name].mask(INSIDE)
            for stretch, moment in enumerate(INSIDE):
                found = set(mask.columns[mask.loc[moment].astype(bool)])
                holds = self._holds((name, None), stretch, len(self.past) - 1)
                assert found == {f"asset-{number}" for number in holds}, (name, stretch)


ExpressionMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.mark.slow
class TestExpressions(ExpressionMachine.TestCase):
    """Runs the machine."""
