"""Checking announcements against the revisions that recorded them: for `verify`.

A revision that notes announcements says how many, and its hash covers them; they have its time. Those that were noted
before revisions did so belong to none, and nothing proves them.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from mainsequence.domain.verification import Finding
from mainsequence.platform.registry.announcements import NOTHING, Announcements

Row: TypeAlias = Mapping[str, Any]

_COLUMNS = ("asset_id", "effective_at", "announced_at", "recorded_at")


def by_time(stored: Sequence[Row], findings: list[Finding]) -> dict[int, Announcements]:
    """Give announcements by the time at which they were recorded; what cannot be read is a finding."""
    readable = [each for each in stored if all(type(each[name]) is int for name in _COLUMNS)]
    if len(readable) < len(stored):
        message = f"{len(stored) - len(readable)} announcements hold values that the platform never writes."
        findings.append(Finding(what="announcement", message=message))
    return {time: _columns(list(rows)) for time, rows in groupby(readable, key=lambda each: each["recorded_at"])}


def _columns(rows: Sequence[Row]) -> Announcements:
    return Announcements(*(np.array([each[name] for each in rows], dtype=np.int64) for name in _COLUMNS))


def of_revision(revision: Row, noted: Mapping[int, Announcements]) -> Announcements:
    """Give the announcements that a revision recorded."""
    return NOTHING if revision["announced"] is None else noted.get(revision["recorded_at"], NOTHING)


def unclaimed(revisions: Sequence[Row], noted: Mapping[int, Announcements]) -> Iterator[Finding]:
    """Look for announcements that no revision recorded, since revisions record them."""
    times = {each["recorded_at"] for each in revisions if each["announced"] is not None}
    for time, notes in noted.items():
        if times and time > min(times) and time not in times:
            message = f"{len(notes)} announcements belong to no revision that recorded any."
            yield Finding(what="announcement", message=message)
