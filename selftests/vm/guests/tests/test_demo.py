# SPDX-License-Identifier: MIT
"""The demo's output about its guest."""
from __future__ import annotations

from ..demo import Progress, reasons
from .local import GuestTest


class Demo(GuestTest):
    """Progress and reasons()."""

    def progress(self, *lines: str) -> Progress:
        """The Progress of a guest with these lines."""
        progress = Progress()
        for text in lines:
            progress.line(text)
        return progress

    def test_lines_of_the_pipeline_are_printed_and_marks_are_not(self) -> None:
        self.progress("# guest up", "frame 1", "# screendump", "# guest done 0")
        self.assertRegex(self.printed,
                         r"\A    booted in 0 s; looking for a GPU and a display\nframe 1\n\Z")

    def test_errors_are_kept_for_the_end(self) -> None:
        progress = self.progress("! pipeline: no display", "Bail out! cannot load sluice")
        self.assertEqual(self.printed, "")
        self.assertEqual(reasons(1, False, progress), ["pipeline: no display", "Bail out! cannot load sluice"])

    def test_guest_that_hangs_tells_what_it_was_at(self) -> None:
        for lines, stage in (((), "booting"), (("# guest up",), "preparing the GPU"),
                             (("# guest up", "frame 1"), "at work")):
            self.assertEqual(reasons(None, False, self.progress(*lines)),
                             [f"The guest did not reach its end. It was {stage}."])

    def test_pipeline_that_fails_without_a_word_tells_its_status(self) -> None:
        self.assertEqual(reasons(3, True, self.progress()), ["The pipeline ended with status 3."])

    def test_demo_without_a_picture_has_failed(self) -> None:
        self.assertEqual(reasons(0, False, self.progress()), ["There is no picture of the guest's screen."])
