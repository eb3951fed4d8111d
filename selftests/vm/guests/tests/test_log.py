# SPDX-License-Identifier: MIT
"""The reports of a guest's kernel log that fail a run, and those that are not about Sluice."""
from __future__ import annotations

import unittest

from .. import log

RULE = "=" * 66


def timed(*lines: str) -> list[str]:
    """Lines with times, as in a kernel's log."""
    return [f"[  300.000000] {text}" for text in lines]


def kasan(function: str, *frames: str) -> list[str]:
    """The log of a use after free in a function, with frames on the stack that freed."""
    return timed(
        RULE, f"BUG: KASAN: slab-use-after-free in {function}+0x72d/0x890 [drm_kms_helper]",
        "Read of size 1 at addr ffff888106957c09 by task kworker/u10:5/318", "", "Call Trace:",
        " <TASK>", " dump_stack_lvl+0x5f/0x80", f" {function}+0x72d/0x890 [drm_kms_helper]",
        " commit_tail+0x1a3/0x2f0 [drm_kms_helper]", " </TASK>", "", "Freed by task 917:",
        " kfree+0x121/0x3e0", *frames, RULE)


def warning(function: str, *frames: str) -> list[str]:
    """The log of a warning of a screen's driver, from a function that has waited."""
    return timed(
        "------------[ cut here ]------------",
        "bochs-drm 0000:00:01.0: [drm] vblank wait timed out on crtc 0",
        f"WARNING: drivers/gpu/drm/drm_vblank.c:1329 at {function}+0x190/0x210 [drm], CPU#0: "
        "kworker/0:2/59", "Modules linked in: bochs sluice_edu(OE) sluice(OE) drm",
        "Call Trace:", " <TASK>", *frames, " worker_thread+0x1a0/0x320", " </TASK>",
        "---[ end trace 0000000000000000 ]---")


class Reports(unittest.TestCase):
    """foreign() for the reports of reports()."""

    def left(self, lines: list[str]) -> list[str]:
        """First lines of the reports that fail a run."""
        return [report[0] for report in log.reports(lines) if not log.foreign(report)]

    def test_screen_that_is_refreshed_late_fails_no_run(self) -> None:
        """A commit reads its state after the next one has freed it."""
        self.assertEqual(self.left(kasan("drm_atomic_helper_wait_for_vblanks.part.0")), [])

    def test_screen_that_warns_of_a_late_refresh_fails_no_run(self) -> None:
        """Each function of DRM that waits for a refresh, or counts them."""
        for function in ("drm_crtc_wait_one_vblank", "drm_wait_one_vblank", "drm_vblank_put",
                         "drm_atomic_helper_wait_for_vblanks"):
            with self.subTest(function):
                self.assertEqual(self.left(warning(function)), [])

    def test_screen_that_warns_below_a_function_of_ours_fails_a_run(self) -> None:
        """The same, called by Sluice."""
        lines = warning("drm_crtc_wait_one_vblank", " sluice_fence_signal+0x20/0x90 [sluice]")
        self.assertEqual(len(self.left(lines)), 1)

    def test_other_warning_of_a_screen_fails_a_run(self) -> None:
        """A warning in another place of the same module."""
        self.assertEqual(len(self.left(warning("drm_mode_config_cleanup"))), 1)

    def test_screen_whose_state_was_freed_by_us_fails_a_run(self) -> None:
        """The same, below a function of Sluice."""
        lines = kasan("drm_atomic_helper_wait_for_vblanks",
                      " sluice_buffer_release+0x20/0x90 [sluice]")
        self.assertEqual(len(self.left(lines)), 1)

    def test_other_use_after_free_fails_a_run(self) -> None:
        """In another place of the same module, without a function of Sluice."""
        self.assertEqual(len(self.left(kasan("drm_atomic_helper_swap_state"))), 1)

    def test_report_inside_of_a_warning_about_others_fails_a_run(self) -> None:
        """Another CPU reports that it is stuck during the report of a late screen."""
        lines = ["------------[ cut here ]------------", "[CRTC:35:crtc-0] vblank wait timed out",
                 "WARNING: CPU: 1 PID: 9 at drm.c:1 drm_atomic_helper_wait_for_vblanks+0x1/0x2",
                 "watchdog: BUG: soft lockup - CPU#0 stuck for 156s! [contiguous:796]",
                 " <TASK>", " clear_page_rep+0xb/0x20", " </TASK>"]
        self.assertEqual(self.left(lines), [lines[3]])

    def test_healthy_log_has_no_report(self) -> None:
        """Messages of debug kernels about themselves are no report."""
        self.assertEqual(log.reports(timed(
            "Linux version 7.3", "DMA-API: preallocated 65536 debug entries",
            "kfence: initialized - using 2097152 bytes", "spectre_v2: WARNING: mitigations off")), [])

    def test_oops_is_a_report_up_to_its_end_trace(self) -> None:
        """Later lines are not part of it."""
        found = log.reports(timed(
            "sluice: loaded", "BUG: kernel NULL pointer dereference, address: 0000000000000008",
            "Oops: 0000 [#1]", "Call Trace:", " sluice_queue_submit+0x10/0x90 [sluice]",
            "---[ end trace 0000000000000000 ]---", "sluice: unloaded"))
        self.assertEqual([(len(report), report[0]) for report in found],
                         [(5, "BUG: kernel NULL pointer dereference, address: 0000000000000008")])

    def test_oops_that_is_cut_off_is_a_report(self) -> None:
        """The guest has hung in the middle of it."""
        lines = timed("BUG: unable to handle page fault for address: ffffc90000000000", "Oops: 0002")
        self.assertEqual(self.left(lines), [
            "BUG: unable to handle page fault for address: ffffc90000000000"])

    def test_cut_without_a_word_is_no_report_of_its_own(self) -> None:
        """The log ends at "cut here"."""
        self.assertEqual(log.reports(timed("------------[ cut here ]------------")), [])

    def test_two_reports_without_an_end_are_two(self) -> None:
        """The second report begins with its own first line."""
        lines = timed("INFO: task fence:12 blocked for more than 120 seconds.", " <TASK>",
                      "BUG: sleeping function called from invalid context", " <TASK>", " </TASK>")
        self.assertEqual(len(self.left(lines)), 2)

    def test_race_of_the_kernel_with_itself_fails_no_run(self) -> None:
        """A race is Sluice's with its function on a stack, except below an interrupt's entry."""
        ours = " sluice_fence_signal+0x20/0x90 [sluice]"
        for stack, count in (([" vfs_read+0x1/0x2"], 0), ([ours], 1),
                             ([" asm_sysvec_apic_timer_interrupt+0x1/0x2", ours], 0),
                             ([" asm_sysvec_apic_timer_interrupt+0x1/0x2", "read to 0x2 by task 2:",
                               ours], 1)):
            with self.subTest(stack):
                self.assertEqual(len(self.left(timed(
                    RULE, "BUG: KCSAN: data-race in a / b", "write to 0x1 by task 1:", *stack,
                    "Reported by Kernel Concurrency Sanitizer on:", RULE))), count)

    def test_vivid_that_is_late_fails_no_run(self) -> None:
        """The same timeout in another thread fails the run."""
        for thread, count in (("vivid-000-vid-c", 0), ("sluice-soft0", 1)):
            with self.subTest(thread):
                self.assertEqual(len(self.left(timed(
                    "schedule_timeout: wrong timeout value fffffffffffffffe",
                    f"CPU: 1 PID: 900 Comm: {thread} Not tainted", "Call Trace:", " <TASK>",
                    " </TASK>"))), count)

    def test_leak_is_a_report_with_its_stack(self) -> None:
        """The file of kmemleak."""
        self.assertEqual(log.leaks(["unreferenced object 0x1 (size 8):\n", "  backtrace:\n",
                                    "unreferenced object 0x2 (size 8):\n"]),
                         [["kmemleak: unreferenced object 0x1 (size 8):", "  backtrace:"],
                          ["kmemleak: unreferenced object 0x2 (size 8):"]])

    def test_excerpt_of_a_long_report_tells_how_much_is_left_out(self) -> None:
        """A short one is whole."""
        self.assertEqual(log.excerpt(["BUG:", "one"]), "      | one\n")
        self.assertTrue(log.excerpt([str(i) for i in range(log.REPORT_LINES + 5)])
                        .endswith("      | 39\n      | ... and 5 lines more\n"))
