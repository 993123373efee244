"""Which weights are in force when, and what becomes of those outside the universe (METHODOLOGY section 3)."""

from __future__ import annotations

import numpy as np
import pytest

from mainsequence.compute.weights import (
    MissingWeight,
    Postings,
    Targets,
    active_postings,
    equal_weights,
    postings_from_long,
    resolve_targets,
    spread,
)
from mainsequence.errors import InvalidWeightsError, UnpricedWeightError, ValidationError

NAN, INF = float("nan"), float("inf")


def posted(*rows: tuple[int, list[float]]) -> Postings:
    return Postings(np.array([time for time, _ in rows]), np.array([weights for _, weights in rows], dtype=float))


def test_the_last_posting_is_active_from_its_own_time_on_wherever_it_lies() -> None:
    times = np.array([-50, 20, 30])
    assert active_postings(times, np.array([-51, -50, 0, 19, 20, 29, 30, 99])).tolist() == [-1, 0, 0, 0, 1, 1, 2, 2]


def test_a_posting_grows_too_old() -> None:
    times = np.array([0, 100])
    assert active_postings(times, np.array([0, 10, 11, 100, 110, 111]), 10).tolist() == [0, 0, -1, 1, 1, -1]


def test_no_postings_are_never_active() -> None:
    none = np.array([], dtype=np.int64)
    assert active_postings(none, np.array([1, 2])).tolist() == [-1, -1]
    assert active_postings(none, np.array([1, 2]), 5).tolist() == [-1, -1]


def test_an_asset_absent_from_a_posting_has_no_weight() -> None:
    postings = postings_from_long(np.array([7, 5, 5]), np.array([2, 0, 1]), np.array([1.0, 0.25, 0.75]), 3)
    assert postings.times.tolist() == [5, 7]
    assert postings.weights.tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]


@pytest.mark.parametrize("weight", [NAN, INF, -INF])
def test_null_and_infinite_weights_are_refused(weight: float) -> None:
    with pytest.raises(InvalidWeightsError, match="asset 1"):
        posted((0, [0.5, weight]))


@pytest.mark.parametrize("column", [-1, 3])
def test_unknown_assets_are_refused(column: int) -> None:
    with pytest.raises(InvalidWeightsError, match=f"asset {column}"):
        postings_from_long(np.array([0]), np.array([column]), np.array([1.0]), 3)


def test_an_asset_named_twice_is_refused() -> None:
    with pytest.raises(InvalidWeightsError, match="asset 1 twice"):
        postings_from_long(np.array([0, 0]), np.array([1, 1]), np.array([0.5, 0.5]), 3)


def test_postings_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="strictly increasing"):
        posted((5, [1.0]), (5, [1.0]))


def test_shapes_must_fit() -> None:
    with pytest.raises(ValidationError, match="do not fit"):
        Postings(np.array([1, 2]), np.ones((1, 3)))
    with pytest.raises(ValidationError, match="mask must be"):
        resolve_targets(posted((0, [1.0])), np.array([0, 1]), mask=np.ones((2, 2), dtype=np.bool_))


def test_targets_without_a_universe_are_the_postings_themselves() -> None:
    targets = resolve_targets(posted((10, [1.0, 0.0]), (30, [0.0, 1.0])), np.array([5, 10, 20, 30]))
    assert targets.rows.tolist() == [-1, 0, 0, 1]
    assert targets.in_cash.tolist() == [True, False, False, False]
    assert targets.changed.tolist() == [True, True, False, True]
    assert targets.at_stamps().tolist() == [[0, 0], [1, 0], [1, 0], [0, 1]]


MASK = np.array([[True, True, True], [True, True, False], [True, True, False], [True, True, True]])


@pytest.mark.parametrize(
    ("policy", "second"),
    [("cash", [0.5, 0.25, 0.0]), ("renormalize", [0.5 / 0.75, 0.25 / 0.75, 0.0])],
)
def test_a_non_member_has_no_target_from_the_moment_its_membership_ends(
    policy: MissingWeight, second: list[float]
) -> None:
    targets = resolve_targets(posted((0, [0.5, 0.25, 0.25])), np.array([1, 2, 3, 4]), mask=MASK, masked_weight=policy)
    full = targets.at_stamps()
    assert full[0].tolist() == full[3].tolist() == [0.5, 0.25, 0.25]
    np.testing.assert_allclose(full[1], second, rtol=1e-15)
    np.testing.assert_array_equal(full[1], full[2])
    assert targets.changed.tolist() == [True, True, False, True]


def test_renormalising_keeps_the_invested_weight() -> None:
    targets = resolve_targets(
        posted((0, [0.3, 0.2, 0.1])), np.array([1, 2, 3, 4]), mask=MASK, masked_weight="renormalize"
    )
    np.testing.assert_allclose(targets.at_stamps().sum(axis=1), 0.6, rtol=1e-14)


def test_masked_weight_can_fail_the_run() -> None:
    with pytest.raises(UnpricedWeightError, match="first asset 2"):
        resolve_targets(posted((0, [0.5, 0.25, 0.25])), np.arange(4), mask=MASK, masked_weight="error")
    fine = resolve_targets(posted((0, [0.5, 0.5, 0.0])), np.arange(4), mask=MASK, masked_weight="error")
    assert fine.at_stamps().tolist() == [[0.5, 0.5, 0.0]] * 4


def test_weights_that_cancel_out_cannot_be_spread() -> None:
    with pytest.raises(UnpricedWeightError, match="sum to zero"):
        spread(np.array([0.5, -0.5, 0.2]), np.array([0.5, -0.5, 0.0]), 0)


def test_when_nothing_is_left_all_is_cash() -> None:
    assert spread(np.array([0.5, 0.5]), np.zeros(2), 0).tolist() == [0.0, 0.0]


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValidationError, match="scatter"):
        resolve_targets(posted((0, [1.0])), np.array([0]), masked_weight="scatter")  # type: ignore[arg-type]


def test_leaving_out_first_stamps_tells_a_resumed_run_whether_anything_changed() -> None:
    stamps = np.array([10, 20, 30, 40])
    whole = resolve_targets(posted((10, [1.0]), (30, [0.5])), stamps)
    resumed = resolve_targets(posted((10, [1.0]), (30, [0.5])), stamps[1:]).after(1)
    assert resumed.changed.tolist() == whole.changed[2:].tolist()
    assert resumed.at_stamps().tolist() == whole.at_stamps()[2:].tolist()


def test_equal_weights_are_shared_among_members() -> None:
    weights = equal_weights(np.array([[True, True, False], [False, False, False], [True, True, True]]))
    assert weights.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]


def test_dense_targets_change_at_every_stamp() -> None:
    assert Targets.dense(np.ones((2, 1))).changed.tolist() == [True, True]
