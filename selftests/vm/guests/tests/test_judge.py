# SPDX-License-Identifier: MIT
"""The verdict on the output of a guest."""
from __future__ import annotations

import array
import re

from ..judge import SAID_LINES
from .local import GuestTest


class Programs(GuestTest):
    """Test programs, each between its two marks."""

    def test_program_that_passes_is_one_line(self) -> None:
        judge = self.judged("# begin fence", "TAP version 13", "1..2", "#  RUN           fence.a ...",
                            "ok 1 fence.a", "ok 2 fence.b", "# end fence 0")
        self.assertEqual(judge.counts, (2, 0, 0))
        self.assertRegex(self.printed, r"\A  newest       fence          2 passed  0 failed"
                         r"  0 skipped +\d+\.\d s\n\Z")
        self.assertEqual([name for _, name in judge.times], ["fence: fence.a", "fence: fence.b"])

    def test_failure_tells_what_the_test_has_said_of_itself(self) -> None:
        """The quote has no lines of the harness, and none of another test."""
        judge = self.judged("# begin fence", "TAP version 13", "1..2", "# an earlier test", "ok 1 fence.a",
                            "#  RUN           fence.b ...", "# fence.c:12: expected 0",
                            "not ok 2 fence.b", "# end fence 1")
        self.assertEqual(judge.counts, (1, 1, 0))
        self.assertEqual(judge.problems,
                         ["    newest: fence: fence.b\n      | fence.c:12: expected 0\n"])

    def test_failure_repeats_only_the_last_lines_that_a_test_has_said(self) -> None:
        judge = self.judged("# begin fence", "TAP version 13", "1..1", *(f"# line {i}" for i in range(50)),
                            "not ok 1 fence.a")
        said = re.findall(r"\| line (\d+)", judge.problems[0])
        self.assertEqual(said, [str(i) for i in range(50 - SAID_LINES, 50)])

    def test_skipped_tests_are_counted_by_their_reason(self) -> None:
        judge = self.judged("# begin p2p", "TAP version 13", "1..3", "ok 1 p2p.a # SKIP no switch",
                            "ok 2 p2p.b # SKIP no switch", "ok 3 p2p.c", "# end p2p 0")
        self.assertEqual(judge.counts, (1, 0, 2))
        self.assertIn("           2 skipped: no switch\n", self.printed)

    def test_program_that_skips_all_needs_no_test(self) -> None:
        """Status 4 means the same."""
        judge = self.judged("# begin vkms", "TAP version 13", "1..0 # SKIP no vkms", "# end vkms 4",
                            "# begin kms", "TAP version 13", "1..0 # SKIP no kms", "# end kms 0")
        self.assertEqual(judge.counts, (0, 0, 2))
        self.assertIn("           1 skipped: no vkms\n", self.printed)
        self.assertIn("           1 skipped: no kms\n", self.printed)

    def test_program_that_skips_without_a_reason_has_failed(self) -> None:
        judge = self.judged("# begin kms", "TAP version 13", "1..0", "# end kms 4")
        self.assertEqual(judge.problems, ["    newest: kms: a plan without tests gives no reason\n"])

    def test_program_without_a_plan_has_failed(self) -> None:
        judge = self.judged("# begin tool", "bash: not found", "# end tool 127")
        self.assertEqual(judge.problems, ["    newest: tool: no TAP plan\n"])

    def test_program_that_ends_before_its_plan_has_failed(self) -> None:
        judge = self.judged("# begin uapi", "TAP version 13", "1..3", "ok 1 uapi.a", "# end uapi 139")
        self.assertEqual(judge.counts, (1, 1, 0))
        self.assertEqual(judge.problems, ["    newest: uapi: 3 tests planned, 1 reported\n"])

    def test_program_that_reports_more_than_its_plan_has_failed(self) -> None:
        judge = self.judged("# begin uapi", "TAP version 13", "1..1", "ok 1 uapi.a", "ok 2 uapi.b", "# end uapi 0")
        self.assertEqual(judge.problems, ["    newest: uapi: 1 tests planned, 2 reported\n"])

    def test_status_of_a_program_counts_unless_a_test_has_told_already(self) -> None:
        judge = self.judged("# begin uapi", "TAP version 13", "1..1", "ok 1 uapi.a", "# end uapi 134",
                            "# begin fence", "TAP version 13", "1..1", "not ok 1 fence.a", "# end fence 1")
        self.assertEqual(judge.problems, ["    newest: uapi: ended with status 134\n",
                                          "    newest: fence: fence.a\n"])

    def test_results_between_programs_count_for_none(self) -> None:
        judge = self.judged("1..1", "ok 1 a", "not ok 2 b", "# begin fence", "TAP version 13",
                            "1..0 # SKIP no fence", "# end fence 4", "not ok 3 c")
        self.assertEqual(judge.counts, (0, 0, 1))

    def test_module_that_does_not_load_or_unload_is_a_failure(self) -> None:
        judge = self.judged("Bail out! cannot load sluice-soft", "# unload failed: sluice-edu")
        self.assertEqual(judge.problems, ["    newest: Bail out! cannot load sluice-soft\n",
                                          "    newest: unload failed: sluice-edu\n"])


class Ends(GuestTest):
    """Guests that end, and guests that hang."""

    def test_guest_that_ends_is_no_failure(self) -> None:
        judge = self.judged("# begin a", "TAP version 13", "1..1", "ok 1 a.a", "# end a 0")
        judge.finish(0)
        self.assertEqual(judge.counts, (1, 0, 0))

    def test_guest_that_hangs_in_a_program_has_failed_there(self) -> None:
        """Its output ends in the middle; the tests that have passed still count."""
        judge = self.judged("# begin a", "TAP version 13", "1..1", "ok 1 a.a", "# end a 0", "# begin fence", "1..9",
                            "ok 1 fence.a", "#  RUN           fence.b ...")
        judge.finish(None)
        self.assertEqual(judge.counts, (2, 1, 0))
        self.assertEqual(judge.problems, ["    newest: the guest did not reach its end (in fence)\n"])

    def test_guest_without_its_last_line_has_failed(self) -> None:
        """All programs have succeeded, but the guest may hang while it unloads the modules."""
        judge = self.judged("# begin a", "TAP version 13", "1..1", "ok 1 a.a", "# end a 0")
        judge.finish(None)
        self.assertEqual(judge.problems, ["    newest: the guest did not reach its end\n"])

    def test_guest_that_says_nothing_has_failed_twice(self) -> None:
        judge = self.judged()
        judge.finish(None)
        self.assertEqual(judge.problems, ["    newest: the guest did not reach its end\n",
                                          "    newest: no test ran\n"])

    def test_guest_without_the_program_that_was_asked_for_has_failed(self) -> None:
        judge = self.judged()
        judge.finish(0, "fense")
        self.assertEqual(judge.problems, ["    newest: no test ran: there is none called 'fense'\n"])

    def test_line_that_is_cut_off_is_no_result(self) -> None:
        judge = self.judged("# begin fence", "TAP version 13", "1..2", "ok 1 fence.a", "ok", "# end fence 0")
        self.assertEqual(judge.problems, ["    newest: fence: not KTAP: 'ok'\n",
                                          "    newest: fence: 2 tests planned, 1 reported\n"])

    def test_report_of_the_kernel_is_a_failure_with_its_lines(self) -> None:
        judge = self.judged(label="lts/iommu")
        judge.trouble([["BUG: KASAN: use-after-free", "Read of size 8"]])
        self.assertEqual(self.printed, "  lts/iommu    FAIL kernel log: BUG: KASAN: use-after-free\n"
                         "      | Read of size 8\n")

    def test_only_ten_reports_of_the_kernel_are_told(self) -> None:
        judge = self.judged()
        judge.trouble([[f"BUG: {i}"] for i in range(30)])
        self.assertEqual(judge.failed, 10)

    def test_logs_are_told_after_a_failure_alone(self) -> None:
        judge = self.judged()
        judge.see("logs")
        self.assertEqual((self.printed, judge.problems), ("", []))
        judge.bad("something")
        judge.see("logs")
        self.assertEqual(judge.problems[-1], "logs")


class Sound(GuestTest):
    """The sound that a guest has played, and QEMU has recorded."""

    def wav(self, *words: int) -> str:
        """A WAV file, as QEMU writes it."""
        path = self.write("", "out.wav")
        with open(path, "wb") as out:
            out.write(b"RIFF....WAVEfmt data\0\0\0\0")
            array.array("I", words).tofile(out)
        return path

    def test_tone_that_is_whole_passes(self) -> None:
        judge = self.judged("# ac97.a has played 1=3:0:1")
        judge.listen(self.wav(0, 1 << 24 | 1, 1 << 24 | 2, 0, 0, 1 << 24 | 3))
        self.assertEqual(judge.counts, (1, 0, 0))
        self.assertIn("heard: 1 tones, sample for sample", self.printed)

    def test_tone_that_lacks_a_sample_fails(self) -> None:
        judge = self.judged("# ac97.a has played 1=3:0:1")
        judge.listen(self.wav(1 << 24 | 1, 1 << 24 | 3))
        self.assertEqual(judge.failed, 1)
        self.assertIn("that is not what was played", self.printed)
