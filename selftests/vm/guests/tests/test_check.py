# SPDX-License-Identifier: MIT
"""The choice of guests, their number at a time, and their results."""
from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from unittest import mock

from .. import check, guest, places, report
from ..guest import Guest
from .local import DEBUG, LTS, NEWEST, GuestTest


class Plan(GuestTest):
    """guests_for(), without_twins() and guests_at_once()."""

    def setUp(self) -> None:
        super().setUp()
        self.kernel("lts", LTS)
        self.kernel("newest", NEWEST)
        self.debug_kernel(DEBUG)

    def test_one_kernel_is_one_guest(self) -> None:
        self.assertEqual(check.guests_for(["lts"], "", ""), [("lts", "", "")])
        self.assertEqual(check.guests_for(["lts"], "fence", "iommu"), [("lts", "fence", "iommu")])

    def test_all_kernels_take_the_newest_several_times(self) -> None:
        self.assertEqual(check.guests_for(["newest", "lts"], "", ""), [
            ("newest", "", ""), ("lts", "", ""), ("newest", "", "iommu"), ("newest", "large", ""),
            ("newest", "ac97", "gapless"), ("newest", "", "bounced"), ("newest", "numa", "numa"),
            ("newest", "scarce", "scarce")])

    def test_kernels_for_arm64_take_no_guest_more(self) -> None:
        self.assertEqual(check.guests_for(["lts-arm64", "newest-arm64"], "", ""),
                         [("lts-arm64", "", ""), ("newest-arm64", "", "")])

    def test_debug_kernel_takes_two_guests_for_all_its_tests(self) -> None:
        self.assertEqual(check.guests_for([DEBUG], "", ""), [(DEBUG, "", "rest"), (DEBUG, "", "faults")])
        self.assertEqual(check.guests_for([DEBUG], "fence", ""), [(DEBUG, "fence", "")])

    def test_tests_that_need_a_machine_of_their_own_get_it(self) -> None:
        for test in ("bounced", "numa", "scarce"):
            self.assertEqual(check.guests_for(["lts"], test, ""), [("lts", test, test)])

    def test_two_roles_of_one_kernel_are_one(self) -> None:
        os.symlink(self.at("cache", NEWEST), self.at("build", "lab", "kernels", "canary"))
        self.assertEqual(check.without_twins(["newest", "lts", "canary"]), ["newest", "lts"])
        self.assertEqual(self.printed,
                         "==> 'canary' is the same kernel as 'newest': testing it once\n")

    def test_guests_at_once_are_two_a_processor_as_far_as_memory_goes(self) -> None:
        for processors, gigabytes, debug, count in ((8, 64, False, 16), (8, 20, False, 5),
                                                    (1, 2, False, 2), (8, 2, True, 8)):
            self.assertEqual(check.guests_at_once(processors, gigabytes, debug), count)

    def test_newest_release_is_so_by_its_numbers(self) -> None:
        self.assertEqual(max(["6.9.1-amd64", "6.12.1-amd64", "6.1.99-amd64"], key=places.natural),
                         "6.12.1-amd64")

    def test_kernel_that_is_not_there_gives_a_sentence(self) -> None:
        with self.assertRaises(SystemExit) as raised:
            places.kernel_of("6.5")
        self.assertEqual(str(raised.exception), f"sluice: no kernel '6.5' in {places.LAB}/kernels: "
                         "run selftests/vm/setup first")


class Runs(GuestTest):
    """Guests whose QEMU is a shell script."""

    def setUp(self) -> None:
        super().setUp()
        self.write("busybox", "root", "usr", "bin", "busybox")
        self.kernel("newest", NEWEST)
        self.script = ""
        for patch in (mock.patch("guests.machine.command", self.command),
                      mock.patch("guests.guest.audio_drivers", lambda: [])):
            patch.start()
            self.addCleanup(patch.stop)

    def command(self, _kind: object, _kernel: object, files: guest.Files, _hears: bool) -> list[str]:
        """The script in place of QEMU; $1 is the kernel's log, $2 the guest's /out."""
        return ["sh", "-c", self.script, "sh", files.kernel_log, files.out]

    def run_check(self, *said: str, more: str = "", test: str = "") -> int:
        """Run a guest that prints these lines."""
        self.script = ": >$1\n" + "".join(f"echo '{line}'\n" for line in said) + more
        return check.check(["newest"], test, "", [])

    def test_guest_that_passes_is_success(self) -> None:
        self.assertEqual(self.run_check("# begin a", "TAP version 13", "1..1", "ok 1 a.a",
                                        "# end a 0", "# guest done 0"), 0)
        self.assertTrue(self.printed.startswith(f"==> {NEWEST}: booting\n"))
        self.assertTrue(self.printed.endswith("\n1 passed, 0 failed, 0 skipped\n"))
        with open(os.path.join(places.LOG, f"check-{NEWEST}.tap"), encoding="utf-8") as tap:
            self.assertEqual(len(tap.readlines()), 6)

    def test_guest_in_which_all_is_skipped_is_no_success(self) -> None:
        self.assertEqual(self.run_check("# begin a", "TAP version 13", "1..0 # SKIP no a",
                                        "# end a 4", "# guest done 0"), 1)
        self.assertTrue(self.printed.endswith("\n0 passed, 0 failed, 1 skipped\n"))

    def test_output_that_ends_early_is_a_failure(self) -> None:
        self.assertEqual(self.run_check("# begin a", "TAP version 13", "1..2", "ok 1 a.a"), 1)
        self.assertIn("FAIL the guest did not reach its end (in a)\n", self.printed)

    def test_silent_guest_is_ended_and_has_failed(self) -> None:
        with mock.patch("guests.guest.SILENT_SECONDS", 0.2):
            self.assertEqual(self.run_check("# begin a", more="exec sleep 100"), 1)
        self.assertIn("FAIL the guest did not reach its end (in a)\n", self.printed)

    def test_guest_that_talks_for_too_long_is_ended(self) -> None:
        with mock.patch("guests.guest.GUEST_SECONDS", 0.5):
            self.assertEqual(self.run_check(more="while sleep 0.1; do echo '# still here'; done"), 1)
        self.assertIn("FAIL the guest did not reach its end\n", self.printed)

    def test_oops_is_a_failure_although_all_tests_pass(self) -> None:
        self.assertEqual(self.run_check(
            "# begin a", "TAP version 13", "1..1", "ok 1 a.a", "# end a 0", "# guest done 0",
            more="echo '[    9.5] BUG: kernel NULL pointer dereference' >>$1"), 1)
        self.assertIn("FAIL kernel log: BUG: kernel NULL pointer dereference\n", self.printed)
        self.assertTrue(self.printed.endswith("\n1 passed, 1 failed, 0 skipped\n"))
        self.assertIn(f"    logs: {places.LOG}/check-{NEWEST}.tap\n", self.printed)

    def test_leak_is_a_failure(self) -> None:
        self.assertEqual(self.run_check(
            "# begin a", "TAP version 13", "1..1", "ok 1 a.a", "# end a 0", "# guest done 0",
            more="echo 'unreferenced object 0x1' >$2/kmemleak"), 1)
        self.assertIn("FAIL kernel log: kmemleak: unreferenced object 0x1\n", self.printed)

    def test_results_are_also_written_for_junit(self) -> None:
        path = self.at("junit.xml")
        self.script = ": >$1\nprintf '%s\\n' '# begin a' 'TAP version 13' 1..1 'ok 1 a.a' '# end a 0'"
        self.assertEqual(check.check(["newest"], "", "", [], path), 1)
        suite = ET.parse(path).getroot()[0]
        self.assertEqual([(case.get("classname"), case.get("name")) for case in suite],
                         [("newest.a", "a.a"), ("newest.guest", "the guest did not reach its end")])

    def test_file_that_cannot_be_written_is_refused_before_a_guest_boots(self) -> None:
        for path, says in ((self.at("none", "junit.xml"), "there is no folder"),
                           (self.folder, "is a folder")):
            with self.assertRaises(SystemExit) as raised:
                check.check(["newest"], "", "", [], path)
            self.assertIn(says, str(raised.exception))
        self.assertEqual(self.printed, "")

    def test_coverage_is_kept_and_that_of_an_earlier_run_is_not(self) -> None:
        passed = ("# begin a", "TAP version 13", "1..1", "ok 1 a.a", "# end a 0", "# guest done 0")
        kept = self.at("build", "coverage", NEWEST, "tests")
        self.run_check(*passed, more="echo f+0x1/0x2 >$2/coverage")
        self.assertTrue(os.path.exists(kept))
        self.run_check(*passed, test="fence")
        self.assertTrue(os.path.exists(kept))
        self.run_check(*passed)
        self.assertFalse(os.path.exists(kept))

    def test_bytes_that_are_no_text_do_no_harm(self) -> None:
        self.assertEqual(self.run_check(
            "# begin a", "TAP version 13", "1..1", more="printf '\\377\\nok 1 a.a\\r\\n# end a 0\\n# guest done 0\\n'"), 0)

    def test_missing_modules_give_a_sentence(self) -> None:
        os.unlink(self.at("build", NEWEST, "sluice.ko"))
        with self.assertRaises(SystemExit) as raised:
            Guest("newest", "check")
        self.assertEqual(str(raised.exception),
                         f"sluice: no modules for {NEWEST}: run 'make modules KERNEL=newest' first")


class Sums(GuestTest):
    """The output about several guests."""

    def test_sum_is_that_of_all_guests(self) -> None:
        judges = [self.judged("# begin a", "TAP version 13", "1..3", "ok 1 a.a", "ok 2 a.b # SKIP no", "not ok 3 a.c"),
                  self.judged("# begin a", "TAP version 13", "1..1", "ok 1 a.a", label="lts")]
        self.assertEqual(report.total(judges), (2, 1, 1))
        self.assertEqual(report.status(judges), 1)
        self.assertTrue(report.summary(judges).endswith(
            "What has failed:\n    newest: a: a.c\n2 passed, 1 failed, 1 skipped\n"))

    def test_nothing_that_has_passed_is_no_success(self) -> None:
        self.assertEqual(report.status([self.judged()]), 1)
        self.assertEqual(report.status([self.judged("# begin a", "ok 1 a.a")]), 0)

    def test_run_without_a_failure_tells_of_none(self) -> None:
        self.assertNotIn("What has failed", report.summary([self.judged("# begin a", "ok 1 a.a")]))

    def test_slowest_tests_come_first_and_only_some_of_them(self) -> None:
        judges = [self.judged(), self.judged(label="lts")]
        judges[0].times = [(1.0, "a: a.a"), (30.25, "a: a.b")]
        judges[1].times = [(4.5, "a: a.b")]
        self.assertEqual(report.slowest(judges, 2), "What took longest:\n"
                         "     30.2 s  newest a: a.b\n      4.5 s  lts a: a.b\n")
