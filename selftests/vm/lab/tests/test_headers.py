# SPDX-License-Identifier: MIT
"""Headers for the gates: the choice of kernels, and the messages about missing ones."""
import os

from ..headers import Headers, split
from ..kernels import Table
from ..tell import Problem
from .local import LabTest, LocalArchive, kernel


class HeadersOfOtherKernels(LabTest):
    """The archive has only the packages of the test; no root file system is made."""

    def setUp(self):
        super().setUp()
        self.mirror.fill()

    def headers(self, name):
        """The result of a new run for this name."""
        archive = LocalArchive(self.cache, self.world.archive.absent)
        return Headers(self.cache, archive, Table(self.world.at("roles")), name)

    def give(self, suite, *packages):
        """Add packages and publish them."""
        self.mirror.add(suite, *packages)
        self.mirror.publish()

    def test_first_is_the_oldest_point_release_of_the_line_and_of_no_other(self):
        self.give("trixie", *kernel("6.12.9+deb13-amd64", "6.12.9-1"), *kernel("6.11.2-amd64", "6.11.2-1"),
                  *kernel("6.12.5-cloud-amd64", "6.12.5-1"))
        self.give("trixie-security", *kernel("6.12.57+deb13-amd64", "6.12.57-1"))
        self.assertEqual(self.headers("lts-first").choose("lts-first"), ("6.12.9+deb13-amd64", "6.12.9-1", "trixie"))

    def test_flavour_is_taken_of_the_version_that_the_role_has(self):
        for version in ("6.12.9", "6.12.48", "6.12.50"):
            self.give("trixie", *kernel(f"{version}+deb13-rt-amd64", f"{version}-1"))
        self.assertEqual(self.headers("lts-rt").choose("lts-rt").release, "6.12.48+deb13-rt-amd64")

    def test_headers_are_unpacked_without_the_image_and_not_fetched_again(self):
        self.give("trixie", *kernel("6.12.9+deb13-amd64", "6.12.9-1"))
        found = self.headers("lts-first").have("lts-first")
        folder = self.cache.at("headers", found.release)
        self.assertTrue(os.path.isdir(os.path.join(folder, "usr", "src", "linux-headers-6.12.9+deb13-amd64")))
        self.assertTrue(os.path.isdir(os.path.join(folder, "usr", "lib", "linux-kbuild-6.12.9+deb13")))
        self.assertFalse(os.path.exists(os.path.join(folder, "boot")))
        self.assertEqual([each for each in self.server.sent() if "image" in each], [])
        self.assertEqual(self.folders("kernels"), [])
        sent = len(self.server.sent())
        self.assertEqual(self.headers("lts-first").have("lts-first"), found)
        self.assertEqual(len(self.server.sent()), sent)
        self.assert_nothing_half_built()

    def test_flavour_that_the_archive_does_not_have_is_told_and_no_failure(self):
        self.assertIsNone(self.headers("newest-cloud").have("newest-cloud"))
        self.assertIn("no cloud headers of 'newest' today: going on without", self.said)

    def test_name_that_means_nothing_is_a_sentence(self):
        for name in ("lts", "lts-", "lts-fast", "first"):
            with self.assertRaises(Problem):
                split(name)
