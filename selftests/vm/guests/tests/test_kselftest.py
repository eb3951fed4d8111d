# SPDX-License-Identifier: MIT
"""The verdict on the output of the installed tests, and the Makefile that installs them."""
from __future__ import annotations

import os
import shutil
import subprocess
from unittest import mock

from .. import kselftest, ktap
from .local import GuestTest

SELFTESTS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))

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


class Harness(GuestTest):
    """Where selftests/kselftest.mk finds the kernel's harness, and what it says without one."""

    FILES = ("lib.mk", "kselftest.h", "kselftest_harness.h", "run_kselftest.sh",
             "kselftest/runner.sh")

    def setUp(self) -> None:
        super().setUp()
        os.makedirs(self.at("tree", "selftests"))
        for name in ("Makefile", "kselftest.mk"):
            shutil.copy(os.path.join(SELFTESTS, name), self.at("tree", "selftests", name))

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make in a tree that has these two files only."""
        # a machine where this test runs may have the package
        return subprocess.run(["make", "-s", "-C", self.at("tree", "selftests"),
                               "USR_SRC=" + self.at("usr"), *words],
                              check=False, capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C",
                                   **({"OUTPUT": os.environ["OUTPUT"]} if "OUTPUT" in os.environ else {})})

    def says(self, *words: str) -> str:
        """The sentence of a make that fails."""
        made = self.make(*words)
        self.assertNotEqual(made.returncode, 0)
        said = [line for line in made.stderr.splitlines() if not line.startswith("make")]
        self.assertEqual(len(said), 1, made.stderr)
        return said[0]

    def source(self, *names: str) -> None:
        """A kernel's source with the files that are needed."""
        for file in self.FILES:
            self.write("", *names, "tools", "testing", "selftests", file)

    def test_machine_without_a_source_hears_of_the_package(self) -> None:
        for goal in ("all", "install", "run_tests"):
            if os.path.exists("/harness/tools"):
                self.skipTest("the lab's harness is there")
            self.assertIn("install the Debian package linux-source, or name the folder",
                          self.says(goal, "INSTALL_PATH=" + self.at("to")))
        self.assertFalse(os.path.exists(self.at("to")))

    def test_folder_that_is_no_harness_is_refused(self) -> None:
        self.assertIn(f"{self.at('none')} has no lib.mk", self.says("KSELFTEST=" + self.at("none")))

    def test_harness_is_found_around_the_tree_and_below_usr_src(self) -> None:
        for names in (("usr", "linux-source-7.3"), ()):
            self.source(*names)
            self.assertEqual(self.make("harness").returncode, 0)
        self.assertEqual(self.make("harness", "KSELFTEST=" + self.at("tools/testing/selftests"))
                         .returncode, 0)

    def test_tarball_is_unpacked_once_as_far_as_needed(self) -> None:
        self.source("linux-source-7.3")
        self.write("", "linux-source-7.3", "kernel", "fork.c")
        self.write("", "linux-source-7.3", "tools", "testing", "selftests", "dmabuf-heaps",
                   "dmabuf-heap.c")
        os.mkdir(self.at("usr"))
        subprocess.run(["tar", "-C", self.folder, "-cJf", self.at("usr", "linux-source-7.3.tar.xz"),
                        "linux-source-7.3"], check=True)
        self.assertIn("taking the test harness out of", self.make("harness").stdout)
        self.assertEqual(os.listdir(self.at("tree", "build", "kselftest", "harness")), ["tools"])
        again = self.make("harness")
        self.assertEqual((again.returncode, again.stdout), (0, ""))

    def test_tarball_that_is_broken_leaves_nothing(self) -> None:
        self.write("no tarball", "usr", "linux-source-7.3.tar.xz")
        self.assertIn("linux-source-7.3.tar.xz cannot be unpacked: install the package again",
                      self.make("harness").stderr)
        self.assertEqual(os.listdir(self.at("tree", "build", "kselftest")), [])

    def fake(self, runner: str = "") -> None:
        """A harness that compiles nothing."""
        self.source("usr", "linux-source-7.3")
        at = ("usr", "linux-source-7.3", "tools", "testing", "selftests")
        self.write("all install:\nemit_tests:\n\techo sluice:fence\n", *at, "lib.mk")
        os.chmod(self.write("#!/bin/sh\n" + runner, *at, "run_kselftest.sh"), 0o755)
        self.write("", "tree", "userspace", "examples", "vulkan.mk")

    def nothing(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make without programs."""
        return self.make("HELPERS=" + self.at("tree", "selftests", "Makefile"), "TEST_CUSTOM_PROGS=", *words)

    def test_only_the_command_line_names_the_output(self) -> None:
        self.fake()
        keep = self.write("keep", "mine", "file")
        with mock.patch.dict(os.environ, {"OUTPUT": self.at("mine")}):
            self.assertEqual(self.nothing("clean").returncode, 0)
            self.assertEqual(self.nothing("run_tests").returncode, 0)
        self.assertEqual(os.listdir(self.at("mine")), ["file"])
        self.assertTrue(os.path.exists(self.at("tree", "build", "kselftest", "installed")))
        self.assertEqual(self.nothing("clean").returncode, 0)
        self.assertFalse(os.path.exists(self.at("tree", "build", "kselftest")))
        self.assertTrue(os.path.exists(keep))

    def test_clean_deletes_no_folder_that_was_there_before(self) -> None:
        self.fake()
        self.write("keep", "mine", "file")
        for goal in ("clean", "all"):
            made = self.nothing(goal, "OUTPUT=" + self.at("mine"))
            self.assertEqual(made.returncode != 0, goal == "clean", made.stderr)
        self.assertIn("mine is not a folder that the build has made: delete it yourself",
                      self.says("clean", "OUTPUT=" + self.at("mine")))
        self.assertEqual(os.listdir(self.at("mine")), ["file"])
        for goal in ("all", "clean", "clean"):
            self.assertEqual(self.nothing(goal, "OUTPUT=" + self.at("new")).returncode, 0)
            self.assertEqual(os.path.exists(self.at("new")), goal == "all")

    def test_list_of_tests_has_no_command(self) -> None:
        self.fake()
        for words in ((), ("V=1",)):
            self.assertEqual(self.nothing("install", "INSTALL_PATH=" + self.at("to"), *words).returncode, 0)
            with open(self.at("to", "kselftest-list.txt"), encoding="utf-8") as file:
                self.assertEqual(file.read(), "sluice:fence\n")

    def test_run_fails_if_a_test_fails(self) -> None:
        for runner, fails in (("echo ok 1 x; echo '# not ok 1 y'", False), ("echo not ok 1 x", True),
                              ("echo ok 1 x; exit 1", True)):
            self.fake(runner + "\n")
            made = self.nothing("run_tests")
            self.assertEqual(made.returncode != 0, fails, made.stderr)
            self.assertIn("ok 1 x", made.stdout)

    def test_install_without_a_folder_is_refused(self) -> None:
        self.source("usr", "linux-source-7.3")
        self.assertIn("add INSTALL_PATH=/path/to/folder", self.says("install"))
