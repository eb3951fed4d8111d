# SPDX-License-Identifier: MIT
"""The verdict on the output of the installed tests."""
from __future__ import annotations

from unittest import mock

from .. import kselftest, ktap
from .local import GuestTest

PASSES = ["TAP version 13", "1..1", "ok 1 a.a"]
SKIPS = ["TAP version 13", "1..0 # SKIP no card"]


class Counting:
    """In place of the kernel's reader."""

    def count(self, lines: list[str]) -> tuple[ktap.Sum, int]:
        """The same as ours, also of a runner's output."""
        return ktap.count(kselftest.strip_skips(lines))[0], 0

    def differs(self, _lines: list[str]) -> str:
        """Never."""
        return ""


def said(run: str, **programs: list[str]) -> list[str]:
    """The output of run_kselftest.sh for these programs."""
    lines = [f"# begin {run}", "TAP version 13", f"1..{len(programs)}"]
    for number, (name, output) in enumerate(programs.items(), 1):
        skip = " # SKIP" if "SKIP" in " ".join(output) else ""
        bad = "not " if any(line.startswith("not ok") for line in output) else ""
        lines += ["# timeout set to 9", f"# selftests: sluice: {name}",
                  *("# " + line for line in output), f"{bad}ok {number} selftests: sluice: {name}{skip}"]
    return [*lines, "# Totals: pass:1", f"# end {run} 0"]


class Verdict(GuestTest):
    """judge()."""

    def setUp(self) -> None:
        super().setUp()
        for name, value in (("RUNS", {"installed": ("a", "b")}), ("SKIPPING", ("b",))):
            patch = mock.patch.object(kselftest, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def failing(self, lines: list[str]) -> list[str]:
        """The tests that fail."""
        tap = kselftest.Tap()
        kselftest.judge(tap, lines, Counting())	# type: ignore[arg-type]
        failed = [line.split(": ", 1)[1] for line in self.printed.splitlines()
                  if line.startswith("not ok")]
        self.assertEqual((tap.failed, tap.passed), (len(failed), 5 - len(failed)))
        return failed

    def test_run_as_it_should_be_passes(self) -> None:
        self.assertEqual(self.failing(said("installed", a=PASSES, b=SKIPS)), [])

    def test_program_that_fails_is_told_with_its_output(self) -> None:
        self.assertEqual(self.failing(said("installed", a=["TAP version 13", "1..1", "not ok 1 a.a"],
                                           b=SKIPS)), ["1 pass, 1 skip", "a prints KTAP, and passes"])
        self.assertIn("# not ok 1 a.a\n", self.printed)

    def test_program_that_skips_instead_of_passing_is_told(self) -> None:
        self.assertEqual(self.failing(said("installed", a=SKIPS, b=SKIPS)),
                         ["1 pass, 1 skip", "a prints KTAP, and passes"])

    def test_program_that_passes_instead_of_skipping_is_told(self) -> None:
        self.assertEqual(self.failing(said("installed", a=PASSES, b=PASSES)),
                         ["1 pass, 1 skip", "b prints KTAP, and skips with a reason"])

    def test_skip_without_a_reason_is_told(self) -> None:
        self.assertEqual(self.failing(said("installed", a=PASSES, b=["TAP version 13", "1..0 # SKIP"])),
                         ["b prints KTAP, and skips with a reason"])

    def test_program_that_is_missing_is_told(self) -> None:
        self.assertEqual(self.failing(said("installed", a=PASSES)),
                         ["run_kselftest.sh has run each program", "1 pass, 1 skip",
                          "b prints KTAP, and skips with a reason"])

    def test_run_without_output_fails_everywhere(self) -> None:
        self.assertEqual(len(self.failing([])), 4)
