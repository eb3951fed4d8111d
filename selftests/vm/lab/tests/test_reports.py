# SPDX-License-Identifier: MIT
"""Which reports of a guest's kernel log fail a run, and which are about code of others."""
import importlib.machinery
import importlib.util
import os
import unittest

from .local import HERE

RULE = "=" * 66


def runner():
    """selftests/vm/run, as a module."""
    path = os.path.join(os.path.dirname(os.path.dirname(HERE)), "run")
    loader = importlib.machinery.SourceFileLoader("lab_run", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab_run", loader))
    loader.exec_module(module)
    return module


def kasan(function, *frames):
    """The log of a use after free in a function, with frames on the stack that freed."""
    return [f"[  300.000000] {text}" for text in (
        RULE, f"BUG: KASAN: slab-use-after-free in {function}+0x72d/0x890 [drm_kms_helper]",
        "Read of size 1 at addr ffff888106957c09 by task kworker/u10:5/318", "", "Call Trace:",
        " <TASK>", " dump_stack_lvl+0x5f/0x80", f" {function}+0x72d/0x890 [drm_kms_helper]",
        " commit_tail+0x1a3/0x2f0 [drm_kms_helper]", " </TASK>", "", "Freed by task 917:",
        " kfree+0x121/0x3e0", *frames, RULE)]


def warning(function, *frames):
    """The log of a warning of a screen's driver that has waited in a function."""
    return [f"[  300.000000] {text}" for text in (
        "------------[ cut here ]------------",
        "bochs-drm 0000:00:01.0: [drm] vblank wait timed out on crtc 0",
        f"WARNING: drivers/gpu/drm/drm_vblank.c:1329 at {function}+0x190/0x210 [drm], CPU#0: "
        "kworker/0:2/59", "Modules linked in: bochs sluice_edu(OE) sluice(OE) drm",
        "Call Trace:", " <TASK>", *frames, " worker_thread+0x1a0/0x320", " </TASK>",
        "---[ end trace 0000000000000000 ]---")]


class Reports(unittest.TestCase):
    """foreign() of what reports() finds."""

    said = ""

    def left(self, log):
        """First lines of the reports that fail a run."""
        run = runner()
        return [report[0] for report in run.reports(log) if not run.foreign(report)]

    def test_screen_that_is_refreshed_late_fails_no_run(self):
        """A commit that reads its state when the next one has freed it."""
        self.assertEqual(self.left(kasan("drm_atomic_helper_wait_for_vblanks.part.0")), [])

    def test_screen_that_warns_of_a_late_refresh_fails_no_run(self):
        """Each function of DRM that waits for a refresh, or counts them."""
        for function in ("drm_crtc_wait_one_vblank", "drm_wait_one_vblank", "drm_vblank_put",
                         "drm_atomic_helper_wait_for_vblanks"):
            with self.subTest(function):
                self.assertEqual(self.left(warning(function)), [])

    def test_screen_that_warns_below_a_function_of_ours_fails_a_run(self):
        """The same, called by us."""
        log = warning("drm_crtc_wait_one_vblank", " sluice_fence_signal+0x20/0x90 [sluice]")
        self.assertEqual(len(self.left(log)), 1)

    def test_other_warning_of_a_screen_fails_a_run(self):
        """Elsewhere in the same module."""
        self.assertEqual(len(self.left(warning("drm_mode_config_cleanup"))), 1)

    def test_screen_whose_state_was_freed_by_us_fails_a_run(self):
        """The same, below a function of ours."""
        log = kasan("drm_atomic_helper_wait_for_vblanks",
                    " sluice_buffer_release+0x20/0x90 [sluice]")
        self.assertEqual(len(self.left(log)), 1)

    def test_other_use_after_free_fails_a_run(self):
        """Elsewhere in the same module, without a function of ours."""
        self.assertEqual(len(self.left(kasan("drm_atomic_helper_swap_state"))), 1)

    def test_report_inside_of_a_warning_about_others_fails_a_run(self):
        """Another processor says that it is stuck while one still tells of a late screen."""
        log = ["------------[ cut here ]------------", "[CRTC:35:crtc-0] vblank wait timed out",
               "WARNING: CPU: 1 PID: 9 at drm.c:1 drm_atomic_helper_wait_for_vblanks+0x1/0x2",
               "watchdog: BUG: soft lockup - CPU#0 stuck for 156s! [contiguous:796]",
               " <TASK>", " clear_page_rep+0xb/0x20", " </TASK>"]
        self.assertEqual(self.left(log), [log[3]])
