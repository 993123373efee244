"""Files whose times overlap are read together; others need no sorting against each other."""

import pytest

from mainsequence.platform.lake.snapshots import DataFile, clusters


def file(first: int, last: int) -> DataFile:
    return DataFile(f"{first}-{last}", 2020, 1, 1, first, last)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ([], []),
        ([(1, 1)], [[(1, 1)]]),
        ([(1, 2), (3, 4)], [[(1, 2)], [(3, 4)]]),
        ([(1, 3), (3, 4)], [[(1, 3), (3, 4)]]),
        ([(1, 9), (2, 3), (5, 6), (10, 11)], [[(1, 9), (2, 3), (5, 6)], [(10, 11)]]),
        ([(-9, -5), (-5, -4), (0, 0)], [[(-9, -5), (-5, -4)], [(0, 0)]]),
    ],
)
def test_files_are_grouped_where_their_times_overlap(
    bounds: list[tuple[int, int]], expected: list[list[tuple[int, int]]]
) -> None:
    groups = clusters(file(*each) for each in bounds)
    assert [[(each.first, each.last) for each in group] for group in groups] == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(5, 6, True), (0, 5, False), (0, 6, True), (7, 9, True), (8, 9, False), (0, 99, True)],
)
def test_a_file_is_read_when_its_times_reach_into_the_range(start: int, end: int, expected: bool) -> None:
    assert file(5, 7).overlaps(start, end) is expected
