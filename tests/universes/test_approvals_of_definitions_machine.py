"""Definitions that wait for approval, against a plain model of expressions, operands and requests."""

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import mainsequence.client as msc
from mainsequence.errors import PermissionDeniedError
from tests.universes.actors import request, seen, users_in_process
from tests.universes.approving import BOTH, ROLES, asked, derived_universe, holds, named

NAMES = ("owner", "author", "ada", "bob")
TEXTS = ("shared", "others", "shared & others", BOTH)


class DefiningMachine(RuleBasedStateMachine):
    """Expressions, operands and decisions of several users, against sets for members and a dict for each request."""

    @initialize()
    def begin(self) -> None:
        self.platform = users_in_process(Path(mkdtemp()), **{name: ROLES[name] for name in NAMES})
        self.users = self.platform.__enter__()
        self.category = derived_universe(self.users, approvers=["ada", "bob"])
        self.ids = named(self.users, "shared").assets + named(self.users, "others").assets[1:]
        self.approvers = {"ada", "bob"}
        self.operands = {"shared": {0, 1, 2}, "others": {2, 3, 4, 5}}
        self.waiting: dict[int, dict[str, Any]] = {}
        self.log: list[tuple[str, str, str | None, str]] = [("define", "owner", None, "shared")]

    def teardown(self) -> None:
        self.platform.__exit__(None, None, None)

    def _held(self, text: str) -> set[int]:
        one, other = self.operands["shared"], self.operands["others"]
        return {"shared": one, "others": other, "shared & others": one & other, BOTH: one | other}[text]

    def _follows(self, text: str) -> tuple[set[int], set[int]]:
        before, after = self._held(self.log[-1][3]), self._held(text)
        return after - before, before - after

    @rule(named=st.booleans())
    def name_approvers(self, named: bool) -> None:
        self.approvers = {"ada", "bob"} if named else set()
        self.category.guard(approvers=sorted(self.approvers))

    @rule(operand=st.sampled_from(("shared", "others")), members=st.sets(st.integers(0, 5), min_size=1))
    def move(self, operand: str, members: set[int]) -> None:
        named(self.users, operand).update_assets(asset_ids=[self.ids[each] for each in members])
        self.operands[operand] = members

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(TEXTS), planned=st.booleans())
    def redefine(self, name: str, text: str, planned: bool) -> None:
        theirs = seen(self.category, self.users[name])
        act = theirs.plan(expression=text).apply if planned else lambda: theirs.redefine(text)
        self._ask(act, name, text, "redefine")

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def revert(self, name: str, data: st.DataObject) -> None:
        revision = data.draw(st.integers(1, len(self.log)))
        theirs = seen(self.category, self.users[name])
        self._ask(lambda: theirs.revert(revision), name, self.log[revision - 1][3], f"revert to {revision}")

    def _ask(self, act: Callable[[], Any], name: str, text: str, operation: str) -> None:
        wanted = {"author": name, "text": text, "operation": operation, "at": len(self.log)}
        wanted["follows"] = self._follows(text)
        if text == self.log[-1][3]:
            assert act().revision == len(self.log)
        elif not self.approvers:
            act()
            self.log.append((operation, name, None, text))
        else:
            number = asked(act)
            same = [each for each, known in self.waiting.items() if known == wanted]
            assert number in same if same else number not in self.waiting
            self.waiting[number] = wanted

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def approve(self, data: st.DataObject, name: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        wanted, mine = self.waiting[number], request(number, self.users[name])
        expected: Any = msc.StaleRevisionError
        if name == wanted["author"] or name not in self.approvers:
            expected = PermissionDeniedError
        elif wanted["at"] == len(self.log) and wanted["follows"] == self._follows(wanted["text"]):
            mine.approve()
            self.log.append((wanted["operation"], wanted["author"], name, wanted["text"]))
            del self.waiting[number]
            return
        with pytest.raises(expected):
            mine.approve()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        request(number, self.users[self.waiting.pop(number)["author"]]).withdraw()

    @invariant()
    def the_universe_is_the_model(self) -> None:
        told = [(each.operation, each.actor, each.approved_by, each.reason) for each in self.category.history()]
        assert told == self.log
        assert holds(self.category, "made") == {f"a{each}" for each in self._held(self.log[-1][3])}
        assert self.category.verify().ok

    @invariant()
    def the_requests_are_the_model(self) -> None:
        found = {each.id: (each.status, each.expression) for each in self.category.requests(None)}
        for number, each in self.waiting.items():
            assert found[number] == ("pending" if each["at"] == len(self.log) else "stale", each["text"])


DefiningMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@pytest.mark.slow
@pytest.mark.embedded
class TestDefining(DefiningMachine.TestCase):
    """Runs the machine."""
