# SPDX-License-Identifier: MIT
"""Ctrl-C, SIGKILL, and two set-ups at once."""
import os
import re
import signal
from collections import Counter

from .local import LabTest, ended, wait_for


class Interrupted(LabTest):
    """A run is stopped in the middle of a step; the next run continues there."""

    def setUp(self):
        super().setUp()
        self.mirror.fill()

    def stop(self, process, number, whole_group=True):
        """Stop a run; returns its output."""
        if whole_group:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
        code, said = ended(process)
        self.assertNotIn("Traceback", said)
        self.assertEqual(code, -signal.SIGKILL if number == signal.SIGKILL else 130, said)
        return said

    def goes_on(self):
        """The next run succeeds; files that had been sent completely are not sent again."""
        self.server.mend()
        before = Counter(self.server.sent())
        self.succeeds("lts")
        self.assert_nothing_half_built()
        for path, times in Counter(self.server.sent()).items():
            self.assertEqual(times, 1, f"{path} was sent {before[path]} times before, {times} in all")
        self.assertEqual(self.folders("kernels"), ["6.12.48+deb13-amd64"])
        self.assertEqual(len(self.folders("roots")), 1)

    def in_a_download(self, pattern, number, whole_group=True):
        """Stop a run while the server is in the middle of a file."""
        held = self.hold(pattern)
        with self.world.start("lts") as process:
            self.wait_until(held, pattern)
            said = self.stop(process, number, whole_group)
        self.assertEqual(self.folders("kernels"), [])
        if number != signal.SIGKILL:
            self.assertIn("interrupted; what was fetched is kept: the same command goes on from there", said)
            self.assert_nothing_half_built()
        self.goes_on()

    def wait_until(self, held, pattern):
        """Wait until apt writes the file that the server holds; other files are written by then."""
        self.assertTrue(held.reached.wait(60))
        partial = self.cache.at(*(("debs", "partial") if "deb" in pattern else ("apt", "lists", "partial")))
        pattern = pattern.replace("/", "_")
        wait_for(lambda: any(re.search(pattern, name) for name in os.listdir(partial)), pattern)

    def test_ctrl_c_while_lists_are_fetched(self):
        self.in_a_download(r"trixie/main/binary-amd64/Packages$", signal.SIGINT)

    def test_sigkill_while_lists_are_fetched(self):
        self.in_a_download(r"trixie/main/binary-amd64/Packages$", signal.SIGKILL)

    def test_sigkill_of_the_set_up_alone_while_lists_are_fetched(self):
        self.in_a_download(r"trixie/main/binary-amd64/Packages$", signal.SIGKILL, whole_group=False)

    def test_ctrl_c_while_a_package_of_the_root_is_fetched(self):
        self.in_a_download(r"tool_.*\.deb$", signal.SIGINT)

    def test_ctrl_c_while_a_kernel_is_fetched(self):
        self.in_a_download(r"linux-kbuild-6.12.*\.deb$", signal.SIGINT)

    def test_sigterm_while_a_kernel_is_fetched(self):
        self.in_a_download(r"linux-kbuild-6.12.*\.deb$", signal.SIGTERM, whole_group=False)

    def test_sigkill_while_a_kernel_is_fetched(self):
        self.in_a_download(r"linux-kbuild-6.12.*\.deb$", signal.SIGKILL)

    def test_sigkill_of_the_set_up_alone_while_a_kernel_is_fetched(self):
        self.in_a_download(r"linux-kbuild-6.12.*\.deb$", signal.SIGKILL, whole_group=False)

    def test_ctrl_c_while_a_source_is_fetched(self):
        held = self.hold(r"linux-source.*\.deb$")
        with self.world.start("lts") as process:
            self.wait_until(held, r"linux-source.*\.deb$")
            self.stop(process, signal.SIGINT)
        self.assertEqual(self.folders("sources"), [])
        self.goes_on()

    def in_mmdebstrap(self, mode, number, whole_group=True):
        """Stop a run while the root is made."""
        self.world.write(mode, "bin", "mmdebstrap.mode")
        with self.world.start("lts") as process:
            wait_for(lambda: os.path.exists(self.world.at("bin", "mmdebstrap.reached")), "mmdebstrap")
            self.stop(process, number, whole_group)
        if mode == "stubborn":
            self.assertTrue(os.path.exists(self.world.at("bin", "mmdebstrap.ended")))
        self.assertEqual([name for name in self.folders("roots") if ".new." not in name], [])
        if number != signal.SIGKILL:
            self.assert_nothing_half_built()
        self.world.write("", "bin", "mmdebstrap.mode")
        self.world.write("", "bin", "mmdebstrap.go")
        self.goes_on()

    def test_ctrl_c_while_mmdebstrap_is_at_work(self):
        self.in_mmdebstrap("hold", signal.SIGINT)

    def test_ctrl_c_waits_for_an_mmdebstrap_that_is_slow_to_end(self):
        self.in_mmdebstrap("stubborn", signal.SIGINT)

    def test_sigterm_ends_mmdebstrap_too(self):
        self.in_mmdebstrap("stubborn", signal.SIGTERM, whole_group=False)

    def test_sigkill_while_mmdebstrap_is_at_work(self):
        self.in_mmdebstrap("hold", signal.SIGKILL)

    def test_sigkill_of_the_set_up_alone_while_mmdebstrap_is_at_work(self):
        self.in_mmdebstrap("hold", signal.SIGKILL, whole_group=False)

    def in_unpacking(self, number):
        """Stop a run while a kernel is unpacked; depmod is the last step."""
        self.world.use("unpacking")
        self.world.write("", "bin", "depmod.hold")
        with self.world.start("lts") as process:
            wait_for(lambda: os.path.exists(self.world.at("bin", "depmod.reached")), "depmod")
            self.stop(process, number)
        self.assertEqual([name for name in self.folders("kernels") if ".new." not in name], [])
        if number != signal.SIGKILL:
            self.assert_nothing_half_built()
        os.unlink(self.world.at("bin", "depmod.hold"))
        self.goes_on()

    def test_ctrl_c_while_a_kernel_is_unpacked(self):
        self.in_unpacking(signal.SIGINT)

    def test_sigkill_while_a_kernel_is_unpacked(self):
        self.in_unpacking(signal.SIGKILL)


class TwoAtOnce(LabTest):
    """Two set-ups that share a cache."""

    def test_second_set_up_waits_and_says_so_and_then_finds_all(self):
        self.mirror.fill()
        held = self.hold(r"linux-image-6.12.*\.deb$")
        with self.world.start("lts") as first:
            self.assertTrue(held.reached.wait(60))
            with self.world.start("lts") as second:
                line = second.stderr.readline()
                self.assertIn(f"another set-up is at work (process {first.pid}): waiting for it to end", line)
                held.go.set()
                code, said = ended(first)
                self.assertEqual(code, 0, said)
                code, said = ended(second)
                self.assertEqual((code, said), (0, ""))
        # the held file was sent, too, but by the fault
        self.assertEqual(self.server.asked(r"linux-image-6.12.*\.deb$"), 1)
        self.assertEqual(set(Counter(self.server.sent()).values()), {1})

    def test_second_set_up_goes_on_when_the_first_is_killed(self):
        self.mirror.fill()
        held = self.hold(r"linux-image-6.12.*\.deb$")
        with self.world.start("lts") as first:
            self.assertTrue(held.reached.wait(60))
            with self.world.start("lts") as second:
                self.assertIn("another set-up is at work", second.stderr.readline())
                os.killpg(first.pid, signal.SIGKILL)
                ended(first)
                code, said = ended(second)
                self.assertEqual(code, 0, said)
        self.assertEqual(self.folders("kernels"), ["6.12.48+deb13-amd64"])
