# SPDX-License-Identifier: MIT
"""The strict reader of KTAP, and the comparison with the kernel's own."""
from __future__ import annotations

import os
import subprocess

from .. import ktap
from .local import GuestTest

LIBRARY = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../../lib/ktap.sh"))

GOOD = ["TAP version 13", "1..3", "# said", "ok 1 a.a", "not ok 2 a.b", "ok 3 a.c # SKIP no card"]


class Strict(GuestTest):
    """count(), and what it objects to."""

    def faults(self, *lines: str) -> list[str]:
        """What is wrong with a program's output."""
        return ktap.count(lines)[1]

    def test_output_that_is_right_is_counted(self) -> None:
        self.assertEqual(ktap.count(GOOD), ((1, 1, 1), []))
        self.assertEqual(ktap.count(["KTAP version 1", *GOOD[1:]]), ((1, 1, 1), []))

    def test_dash_before_a_name_is_no_part_of_it(self) -> None:
        line = ktap.Reader().line("ok 1 - a.a # SKIP no card")
        self.assertEqual(line, ktap.Line(1, True, "a.a", "SKIP", "no card"))

    def test_other_lines_have_no_meaning(self) -> None:
        self.assertEqual(self.faults(*GOOD[:2], "a message", "    an indented one", "okay", *GOOD[2:]),
                         [])

    def test_version_comes_first_and_once(self) -> None:
        self.assertEqual(self.faults("1..1", "ok 1 a"), ["no version line before the plan"])
        self.assertEqual(self.faults("1..1", "TAP version 13", "ok 1 a"),
                         ["no version line before the plan", "the version is not the first line"])
        self.assertEqual(self.faults("TAP version 13", "TAP version 13", "1..1", "ok 1 a"),
                         ["a second version line"])

    def test_plan_comes_before_the_results_and_once(self) -> None:
        self.assertEqual(self.faults("TAP version 13", "ok 1 a", "1..1"),
                         ["the plan is behind a result"])
        self.assertEqual(self.faults("TAP version 13", "1..1", "1..1", "ok 1 a"), ["a second plan"])
        self.assertEqual(self.faults("TAP version 13", "ok 1 a"), ["no TAP plan"])

    def test_number_of_results_is_that_of_the_plan(self) -> None:
        self.assertEqual(self.faults("TAP version 13", "1..2", "ok 1 a"),
                         ["2 tests planned, 1 reported"])

    def test_results_are_numbered_from_1_on(self) -> None:
        self.assertEqual(self.faults("TAP version 13", "1..2", "ok 2 a", "ok 2 b"),
                         ["result 2 comes as number 1"])

    def test_skip_has_a_reason(self) -> None:
        self.assertEqual(self.faults("TAP version 13", "1..1", "ok 1 a # SKIP"),
                         ["'a' skips without a reason"])
        self.assertEqual(self.faults("TAP version 13", "1..0"), ["a plan without tests gives no reason"])
        self.assertEqual(self.faults("TAP version 13", "1..0 # SKIP no card"), [])
        self.assertEqual(self.faults("TAP version 13", "1..1 # SKIP no card", "ok 1 a"),
                         ["a plan that skips has tests"])

    def test_lines_that_only_look_like_ktap_are_told(self) -> None:
        for line in ("ok", "ok a", "not ok", "  ok 1 a", "ok 1", "1..x", "2..3", "TAP version 12",
                     "1..1 tests", " TAP version 13"):
            with self.subTest(line):
                wrong = line in ("1..x",)
                said = self.faults("TAP version 13", "1..1", line, "ok 1 a")
                self.assertEqual(said, [] if wrong else [f"not KTAP: '{line}'"])

    def test_programs_of_a_guest_are_between_their_marks(self) -> None:
        lines = ["x", "# begin a", *GOOD, "# end a 1", "ok 1 z", "# begin b", "y", "# end b 0",
                 "# begin c", "cut off"]
        self.assertEqual(list(ktap.programs(lines)), [("a", GOOD), ("b", ["y"])])


class Kernel(GuestTest):
    """KernelReader, with a reader that counts lines."""

    def reader(self, errors: int = 0) -> ktap.KernelReader:
        """A kernel's harness with such a reader."""
        self.write("class Printer:\n\tdef __init__(self, print): pass\n",
                   "tools", "testing", "kunit", "kunit_printer.py")
        self.write(f"""
import types
def parse_run_tests(lines, printer):
    text = list(lines)
    ok = [line for line in text if line.startswith("ok")]
    return types.SimpleNamespace(counts=types.SimpleNamespace(
        passed=len([line for line in ok if "SKIP" not in line]), crashed=0, errors={errors},
        failed=len([line for line in text if line.startswith("not ok")]),
        skipped=len([line for line in ok if "SKIP" in line])))
""", "tools", "testing", "kunit", "kunit_parser.py")
        return ktap.KernelReader(self.folder)

    def test_source_without_the_reader_has_none(self) -> None:
        self.assertFalse(ktap.KernelReader(self.folder))
        self.assertTrue(self.reader())

    def test_same_counts_are_no_difference(self) -> None:
        self.assertEqual(self.reader().differs(GOOD), "")

    def test_other_counts_are_a_difference(self) -> None:
        self.assertEqual(self.reader().differs([*GOOD, "okay"]),
                         "kunit_parser.py counts 2 passed, 1 failed, 1 skipped")

    def test_errors_are_a_difference_except_without_tests(self) -> None:
        self.assertEqual(self.reader(2).differs(GOOD), "kunit_parser.py finds 2 errors")
        self.assertEqual(self.reader(1).differs(["TAP version 13", "1..0 # SKIP no card"]), "")

    def test_difference_fails_the_guest(self) -> None:
        judge = self.judged("# begin a", *GOOD, "# end a 1")
        log = self.write("\n".join(["# begin a", *GOOD, "okay", "# end a 1"]), "tap")
        judge.compare(log, ktap.KernelReader(self.at("none")))
        self.assertEqual(judge.failed, 1)
        judge.compare(log, self.reader())
        self.assertEqual(judge.problems[-1],
                         "    newest: a: kunit_parser.py counts 2 passed, 1 failed, 1 skipped\n")


class Scripts(GuestTest):
    """selftests/lib/ktap.sh."""

    def run_script(self, body: str) -> tuple[int, list[str]]:
        """Run a script that uses the library; returns its status and its output."""
        script = self.write(f". {LIBRARY}\n{body}\n", "script")
        ran = subprocess.run(["bash", script], check=False, capture_output=True, text=True,
                             cwd=self.folder, env={"PATH": os.environ["PATH"], "TMPDIR": self.folder})
        self.assertEqual(ran.stderr, "")
        # no temporary file is left
        self.assertEqual(os.listdir(self.folder), ["script"])
        return ran.returncode, ran.stdout.splitlines()

    def test_plan_is_in_front_and_counts_loops_and_conditions(self) -> None:
        status, output = self.run_script(
            'tests() { ok first true; for i in a b; do ok "loop_$i" test -n "$i"; done\n'
            '[ -e /nowhere ] || ok last true; [ -e / ] || ok never true; }\nrun_tests tests')
        self.assertEqual((status, output[:2]), (0, ["TAP version 13", "1..4"]))
        self.assertEqual(ktap.count(output), ((4, 0, 0), []))

    def test_failure_is_a_status_and_has_what_the_command_said(self) -> None:
        status, output = self.run_script(
            "says() { echo one; echo two >&2; false; }\n"
            "tests() { ok good echo hidden; ok bad says; }\nrun_tests tests")
        self.assertEqual((status, output[2:]), (1, ["ok 1 good", "# one", "# two", "not ok 2 bad"]))
        self.assertEqual(ktap.count(output), ((1, 1, 0), []))

    def test_program_that_skips_all_ends_with_4(self) -> None:
        for body in ("skip_all 'no card'",
                     "tests() { skip a 'no card'; ok_on none0 b true; }\nrun_tests tests"):
            with self.subTest(body):
                status, output = self.run_script(body)
                self.assertEqual(status, 4)
                self.assertEqual(ktap.count(output)[1], [])
        self.assertEqual(output[-1], "ok 2 b # SKIP this machine has no none0")

    def test_one_test_that_passes_is_no_skip(self) -> None:
        status, output = self.run_script("tests() { skip a 'no card'; ok b true; }\nrun_tests tests")
        self.assertEqual((status, ktap.count(output)), (0, ((1, 0, 1), [])))

    def test_output_is_that_of_the_running_test_alone(self) -> None:
        status, _ = self.run_script(
            "checks() { echo two; [ \"$(output)\" = two ]; }\n"
            "tests() { ok a echo one one one; ok b checks; }\nrun_tests tests")
        self.assertEqual(status, 0)

    def test_modules_are_those_of_the_folder_that_is_named(self) -> None:
        _, output = self.run_script("modules_folder; SLUICE_MODULES=/there modules_folder")
        self.assertEqual(output[-1], "/there")
