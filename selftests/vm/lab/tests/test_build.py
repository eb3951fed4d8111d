# SPDX-License-Identifier: MIT
"""Two builds in one checkout: selftests/vm/build."""
import os
import signal
import subprocess

from .local import PATIENCE, TOP, LabTest, wait_for


class TwoBuilds(LabTest):
    """A build begins, and ends when the file hold is removed."""

    WAITS = "another build of build/user is at work: waiting for it to end"

    def setUp(self):
        super().setUp()
        self.world.use("building")
        self.world.write("", "bin", "hold")
        os.makedirs(self.world.at("build", "lab", "root"))

    def start(self, name, *arguments):
        """Start a build in a process group of its own.  NAME is the file with its output."""
        with open(self.world.at(name), "w", encoding="utf-8") as file:
            process = subprocess.Popen([os.path.join(TOP, "selftests", "vm", "build"), *arguments],
                                       env=self.world.env, stdout=file, stderr=file, start_new_session=True)
        self.addCleanup(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        """Leave no build behind."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @property
    def builds(self):
        """The lines of the builds that have begun and ended."""
        return self.world.read("bin", "builds").splitlines()

    def begins(self, *arguments):
        """The first build."""
        process = self.start("first", *arguments)
        wait_for(lambda: self.builds, "the first build")
        return process

    def waits(self, *arguments):
        """A second build, which waits."""
        process = self.start("second", *arguments)
        wait_for(lambda: self.WAITS in self.world.read("second"), "the second build to wait")
        self.assertEqual(len(self.builds), 1)
        return process

    def go_on(self, *processes):
        """Let the builds end."""
        os.unlink(self.world.at("bin", "hold"))
        for process in processes:
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_second_build_of_a_folder_waits_for_the_first_and_says_so(self):
        self.go_on(self.begins("programs"), self.waits("user"))
        # one of programs; those and the tests
        self.assertEqual(self.builds, ["begins O=/src/build/user", "ends O=/src/build/user"] * 3)

    def test_second_build_goes_on_when_the_first_is_killed(self):
        first, second = self.begins("programs"), self.waits("programs")
        self.stop(first)
        self.go_on(second)
        self.assertEqual(self.builds, ["begins O=/src/build/user"] * 2 + ["ends O=/src/build/user"])

    def test_builds_of_different_folders_go_on_side_by_side(self):
        first, second = self.begins("programs"), self.start("second", "user-arm64")
        wait_for(lambda: len(self.builds) == 2, "the second build")
        self.go_on(first, second)
        self.assertNotIn("waiting", self.world.read("first") + self.world.read("second"))
