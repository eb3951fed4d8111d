# SPDX-License-Identifier: MIT
"""The report of the benchmarks: selftests/bench/report."""
from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import unittest
from typing import Any

from .. import places


def report() -> Any:
    """The program as a module."""
    loader = importlib.machinery.SourceFileLoader(
        "bench_report", os.path.join(places.TOP, "selftests/bench/report"))
    spec = importlib.util.spec_from_loader("bench_report", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Goals(unittest.TestCase):
    """record_of()."""

    def met(self, ours: float, peer: float, goal: float | None) -> bool | None:
        """Whether the goal is met."""
        sides = [{"name": "sluice", "value": ours}, {"name": "peer", "value": peer}]
        line = {"area": "memory", "case": "a case", "unit": "instructions", "kernel": "7.3",
                "sides": sides, "goal": goal}
        found = report().record_of(line)["met"]
        assert found is None or isinstance(found, bool)
        return found

    def test_goal_is_met_at_the_goal_and_below(self) -> None:
        self.assertIs(self.met(1000, 1000, 1), True)
        self.assertIs(self.met(10, 1000, 1), True)

    def test_goal_that_is_missed_by_the_noise_is_met(self) -> None:
        self.assertIs(self.met(100500, 100000, 1), True)
        self.assertIs(self.met(60290, 100000, 0.6), True)

    def test_goal_that_is_missed_by_more_is_missed(self) -> None:
        self.assertIs(self.met(100510, 100000, 1), False)
        self.assertIs(self.met(60310, 100000, 0.6), False)
        # also where the ratio, rounded to four digits, is that of the noise
        self.assertIs(self.met(1008, 1000000, 0.001), False)

    def test_case_without_a_goal_has_no_verdict(self) -> None:
        self.assertIsNone(self.met(1, 1, None))
