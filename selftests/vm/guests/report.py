# SPDX-License-Identifier: MIT
"""The output about several guests: sums and tables."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from .judge import Counts, Judge

SLOWEST = int(os.environ.get("SLUICE_SLOWEST", "12"))


def total(judges: Iterable[Judge]) -> Counts:
    """The results of all guests."""
    return Counts(*(sum(column) for column in zip(*(judge.counts for judge in judges))))


def slowest(judges: Iterable[Judge], count: int = SLOWEST) -> str:
    """The tests that took longest."""
    times = sorted(((*took, judge.label) for judge in judges for took in judge.times),
                   reverse=True)
    return "What took longest:\n" + "".join(
        f"    {seconds:5.1f} s  {label} {name}\n" for seconds, name, label in times[:count])


def failures(judges: Iterable[Judge]) -> str:
    """All problems again, next to the sum, because later lines may have pushed them away."""
    return "What has failed:\n" + "".join(text for judge in judges for text in judge.problems)


def summary(judges: Sequence[Judge]) -> str:
    """Print the results of a run, with the sum in the last line."""
    passed, failed, skipped = total(judges)
    return (slowest(judges) + (failures(judges) if failed else "") +
            f"{passed} passed, {failed} failed, {skipped} skipped\n")


def status(judges: Sequence[Judge]) -> int:
    """The exit status: a run in which no test has passed is no success."""
    passed, failed, _ = total(judges)
    return 1 if failed or not passed else 0
