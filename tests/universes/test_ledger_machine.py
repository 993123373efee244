"""The membership ledger against a plain model: a cell for each asset and stretch of time, a copy for each revision."""

from contextlib import AbstractContextManager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from tempfile import mkdtemp
from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import mainsequence.client as msc

DAYS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(6)]
INSIDE = [DAYS[0] - timedelta(days=1), *(day + timedelta(hours=5) for day in DAYS)]
"""One moment inside every stretch: before the first day, between days, after the last."""

OUT = "out"
ASSETS = 5

assets_subsets = st.sets(st.integers(0, ASSETS - 1), max_size=ASSETS)
windows = st.tuples(st.none() | st.integers(0, 5), st.none() | st.integers(0, 5)).filter(
    lambda window: None in window or window[0] < window[1]
)
weights = st.none() | st.sampled_from([0.25, 0.5])


class LedgerMachine(RuleBasedStateMachine):
    """Every verb with every window, on a universe without dates of its own."""

    def a_platform(self) -> AbstractContextManager[Any]:
        """Give a session on a fresh platform; other carriers give theirs."""
        return msc.session(mkdtemp())

    @initialize()
    def begin(self) -> None:
        self.session = self.a_platform()
        self.session.__enter__()
        names = [{"unique_identifier": f"asset-{number}"} for number in range(ASSETS)]
        self.assets = msc.Asset.batch_get_or_register_custom_assets(names)
        self.category = msc.AssetCategory.get_or_create(unique_identifier="machine")
        self.now: list[dict[int, Any]] = [{} for _ in INSIDE]
        self.revisions = [deepcopy(self.now)]
        self.known_at = [datetime.now(UTC)]

    def teardown(self) -> None:
        self.session.__exit__(None, None, None)

    def _stretches(self, window: tuple[int | None, int | None]) -> range:
        start, end = window
        return range(0 if start is None else start + 1, len(INSIDE) if end is None else end + 1)

    def _window(self, window: tuple[int | None, int | None]) -> dict[str, Any]:
        names = ("effective_from", "effective_to")
        return {name: DAYS[day] for name, day in zip(names, window, strict=True) if day is not None}

    def _recorded(self, before: list[dict[int, Any]]) -> None:
        if before != self.now:
            self.revisions.append(deepcopy(self.now))
            self.known_at.append(self.category.history()[-1].recorded_at)

    @rule(chosen=assets_subsets, window=windows, weight=weights)
    def append(self, chosen: set[int], window: tuple[int | None, int | None], weight: float | None) -> None:
        before = deepcopy(self.now)
        for stretch in self._stretches(window):
            for number in chosen:
                present = self.now[stretch].get(number, None)
                self.now[stretch][number] = present if weight is None else weight
        ids = [self.assets[number].id for number in chosen]
        given = None if weight is None else dict.fromkeys(ids, weight)
        self.category.append_assets(asset_ids=ids, weights=given, **self._window(window))
        self._recorded(before)

    @rule(chosen=assets_subsets, window=windows)
    def remove(self, chosen: set[int], window: tuple[int | None, int | None]) -> None:
        before = deepcopy(self.now)
        for stretch in self._stretches(window):
            for number in chosen:
                self.now[stretch].pop(number, None)
        self.category.remove_assets(assets=[self.assets[number] for number in chosen], **self._window(window))
        self._recorded(before)

    @rule(chosen=assets_subsets, window=windows, weight=weights)
    def update(self, chosen: set[int], window: tuple[int | None, int | None], weight: float | None) -> None:
        before = deepcopy(self.now)
        for stretch in self._stretches(window):
            present = self.now[stretch]
            kept = {number: present.get(number) if weight is None else weight for number in chosen}
            self.now[stretch] = kept
        ids = [self.assets[number].id for number in chosen]
        given = None if weight is None else [weight] * len(ids)
        self.category.update_assets(asset_ids=ids, weights=given, **self._window(window))
        self._recorded(before)

    @rule(stretch=st.integers(0, len(INSIDE) - 1), data=st.data())
    def read_any_state(self, stretch: int, data: st.DataObject) -> None:
        revision = data.draw(st.integers(0, len(self.revisions) - 1))
        expected = {f"asset-{number}": weight for number, weight in self.revisions[revision][stretch].items()}
        assert self.category.weights(INSIDE[stretch], revision=revision) == expected
        by_time = self.category.get_assets(INSIDE[stretch], known_at=self.known_at[revision])
        assert {asset.unique_identifier for asset in by_time} == set(expected)

    @precondition(lambda self: len(self.revisions) > 1)
    @rule(data=st.data())
    def compare_two_revisions(self, data: st.DataObject) -> None:
        a, b = (data.draw(st.integers(0, len(self.revisions) - 1)) for _ in range(2))
        found = self.category.diff(a, b)
        old, new = self.revisions[a][-1], self.revisions[b][-1]
        assert {asset.unique_identifier for asset in found.entered} == {f"asset-{n}" for n in new.keys() - old}
        assert {asset.unique_identifier for asset in found.left} == {f"asset-{n}" for n in old.keys() - new}
        changed = {f"asset-{n}" for n in old.keys() & new.keys() if old[n] != new[n]}
        assert {asset.unique_identifier for asset in found.reweighted} == changed

    @rule(number=st.integers(0, ASSETS - 1), stretch=st.integers(0, len(INSIDE) - 1))
    def reverse_read(self, number: int, stretch: int) -> None:
        found = msc.AssetCategory.containing(self.assets[number], as_of=INSIDE[stretch])
        assert bool(found) == (number in self.now[stretch])

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        before, revision = deepcopy(self.now), data.draw(st.integers(0, len(self.revisions) - 1))
        self.now = deepcopy(self.revisions[revision])
        self.category.revert(revision if data.draw(st.booleans()) else self.known_at[revision], reason="back")
        self._recorded(before)

    @rule(stretch=st.integers(0, len(INSIDE) - 1), data=st.data(), by_time=st.booleans())
    def read_a_pin(self, stretch: int, data: st.DataObject, by_time: bool) -> None:
        revision = data.draw(st.integers(0, len(self.revisions) - 1))
        state = self.known_at[revision].isoformat() if by_time else revision
        pinned = msc.AssetCategory.get(unique_identifier=f"machine@{state}")
        expected = {f"asset-{number}": weight for number, weight in self.revisions[revision][stretch].items()}
        assert pinned.weights(INSIDE[stretch]) == expected
        assert [each.revision for each in pinned.history()] == list(range(1, revision + 1))
        seen = pinned.mask(INSIDE).loc[INSIDE[stretch]].astype(bool)
        assert set(seen[seen].index) == set(expected)

    @rule(number=st.integers(0, ASSETS - 1), stretch=st.integers(0, len(INSIDE) - 1), data=st.data())
    def ask_why(self, number: int, stretch: int, data: st.DataObject) -> None:
        revision = data.draw(st.integers(0, len(self.revisions) - 1))
        found = self.category.explain(self.assets[number], INSIDE[stretch], revision=revision)
        held = [number in state[stretch] for state in self.revisions[: revision + 1]]
        assert found.is_member == held[-1]
        turns = [r for r in range(1, revision + 1) if held[r] != held[r - 1]]
        assert [each.revision.revision for each in found.touches if each.effect in ("entered", "left")] == turns
        assert found.by is None or not turns or found.by.revision == turns[-1]
        inside = [number in stretch_ for stretch_ in self.revisions[revision]]
        if found.is_member:
            assert found.weight == self.revisions[revision][stretch][number]
            first = max((s + 1 for s in range(stretch) if not inside[s]), default=0)
            last = min((s for s in range(stretch, len(inside)) if not inside[s]), default=None)
            assert found.since == (None if first == 0 else DAYS[first - 1])
            assert found.until == (None if last is None else DAYS[last - 1])
        else:
            coming = min((s for s in range(stretch, len(inside)) if inside[s]), default=None)
            assert found.enters_at == (None if coming is None else DAYS[coming - 1])
            gone = max((s for s in range(stretch) if inside[s]), default=None)
            assert found.left_at == (None if gone is None else DAYS[gone])
            ever = any(number in each for state in self.revisions[: revision + 1] for each in state)
            assert found.ever_member == ever

    @rule()
    def nothing_was_edited(self) -> None:
        report = self.category.verify(self.category.fingerprint)
        assert report.ok, report
        assert report.revisions == len(self.revisions) - 1

    @rule()
    def the_feed_has_every_revision_once(self) -> None:
        told = [each.revision for each in self.category.changes(kinds=["changed"])]
        assert told == list(range(1, len(self.revisions)))

    @invariant()
    def head_is_the_model(self) -> None:
        assert self.category.revision == len(self.revisions) - 1 == len(self.category.history())
        assert self.category.assets == sorted(self.assets[number].id for number in self.now[-1])

    @invariant()
    def mask_is_the_model(self) -> None:
        mask = self.category.mask(INSIDE)
        for stretch, moment in enumerate(INSIDE):
            found = set(mask.columns[mask.loc[moment].astype(bool)])
            assert found == {f"asset-{number}" for number in self.now[stretch]}

    @invariant()
    def intervals_never_overlap_and_equal_neighbours_are_one(self) -> None:
        members = self.category.members()
        for _, rows in members.fillna({"weight": -1.0}).groupby("asset_id"):
            ordered = rows.sort_values("valid_from", na_position="first")
            for (_, left), (_, right) in zip(ordered.iterrows(), list(ordered.iterrows())[1:], strict=False):
                assert pd.notna(left.valid_to)
                assert left.valid_to < right.valid_from or (
                    left.valid_to == right.valid_from and left.weight != right.weight
                )


LedgerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.mark.slow
class TestLedger(LedgerMachine.TestCase):
    """Runs the machine."""
